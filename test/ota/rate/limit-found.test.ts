/** What limit an adaptive rate says it has found, on APIs whose limits are known. In virtual time. */
import { expect, test } from 'vitest';
import type { FoundLimit } from '../../../src/ota/rate/adaptive/limit-estimate.ts';
import { AdaptiveRate } from '../../../src/ota/rate/adaptive-rate.ts';
import { families } from '../../../testing/rates/families.ts';
import { median } from '../../../testing/rates/scenarios.ts';
import { simulate } from '../../../testing/rates/simulator.ts';

/** At the end of a simulation, of its first worker. */
function foundAtEnd(name: string, seed: number): FoundLimit | undefined {
  const family = families.find((each) => each.name === name);
  if (family === undefined) throw new Error(`no family ${name}`);
  const rates: AdaptiveRate[] = [];
  const scenario = family.scenario((ceiling) => {
    const rate = new AdaptiveRate({ ceiling, onChange: () => {} });
    rates.push(rate);
    return rate;
  }, seed);
  simulate(scenario);
  return rates[0]?.limit;
}

const seeds = [1, 2, 3, 4, 5];

test.each(seeds)('a bucket of 200/s is found nearly, and surely (seed %d)', (seed) => {
  const found = foundAtEnd('bucket 200/s', seed);
  expect(found).toMatchObject({ periodMs: undefined, noise: 0 });
  expect(Math.abs((found?.perSecond ?? 0) - 200)).toBeLessThan(6);
  expect(found?.withinShare).toBeLessThan(0.03);
  expect(found?.since).toBeLessThan(10_000);
});

test('noise is told beside the limit', () => {
  const found = seeds.map((seed) => foundAtEnd('bucket 200/s, noise 3%', seed));
  expect(Math.abs(median(found.map((each) => each?.perSecond ?? 0)) - 200)).toBeLessThan(20);
  for (const each of found) {
    expect(each?.noise).toBeGreaterThan(0.01);
    expect(each?.noise).toBeLessThan(0.04);
  }
});

test('a window is found with its length', () => {
  const found = seeds.map((seed) => foundAtEnd('fixed window, 600 in 60 s', seed));
  expect(Math.abs(median(found.map((each) => each?.perSecond ?? 0)) - 10)).toBeLessThan(0.5);
  expect(Math.abs(median(found.map((each) => each?.periodMs ?? 0)) - 60_000)).toBeLessThan(3_000);
});

test('where nothing is ever throttled, nothing is found', () => {
  const rate = new AdaptiveRate({ ceiling: 100, onChange: () => {} });
  for (let ms = 0; ms < 60_000; ms += 10) rate.observe({ startedAt: ms, endedAt: ms + 50 });
  expect(rate.limit).toBeUndefined();
});
