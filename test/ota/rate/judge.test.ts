/** The judge of rate controllers, by controllers whose merit is known. */
import { describe, expect, test } from 'vitest';
import { families } from '../../../testing/rates/families.ts';
import { type Family, family } from '../../../testing/rates/family.ts';
import { couldBeHad, judge } from '../../../testing/rates/judge.ts';
import { fixedController } from '../../../testing/rates/simulator.ts';

const bucket = family({ group: 'bucket', name: 'a bucket', limit: 100, share: 0.97, throttled: 0.02 });
const fixed = (rate: number) => ({ name: `${rate}/s`, create: () => fixedController(rate) });
const named = (name: string): Family => {
  const found = families.find((each) => each.name === name);
  if (found === undefined) throw new Error(`no family ${name}`);
  return found;
};

describe('the judge', () => {
  test.each([
    [99.5, true],
    [90, false],
    [110, false],
  ])('of a bucket of 100/s at a fixed rate of %d/s says %s', (rate, passed) => {
    expect(judge(bucket, fixed(rate), 3, 1).passed).toBe(passed);
  });

  test('measures goodput by the limit, and 429s by the calls', () => {
    const over = judge(bucket, fixed(200), 3, 1);
    expect(over.goodput).toBeCloseTo(1, 1);
    expect(over.throttled).toBeCloseTo(0.5, 1);
  });

  test('fails a fleet that is not fair, whatever it accepts in sum', () => {
    const two = family({ group: 'fleet', name: 'two', limit: 100, workers: 2, share: 0.95, throttled: 0.04 });
    const even = judge(two, fixed(49.8), 3, 1);
    let created = 0;
    const uneven = judge(
      two,
      { name: 'uneven', create: () => fixedController(created++ % 2 === 0 ? 98 : 1.6) },
      3,
      1,
    );
    expect(even).toMatchObject({ passed: true });
    expect(uneven.goodput).toBeCloseTo(even.goodput, 1);
    expect(uneven).toMatchObject({ passed: false });
  });
});

describe('what could be had', () => {
  test.each([
    ['bucket 100/s', 1],
    ['fixed window, 2000 in 10 s', 1],
    ['200/s in ticks of 10 s', 1],
    // Noise takes its share of the calls, and no rate below the ceiling makes up for it.
    ['no limit below 200/s, noise 10%', 0.9],
    // A caller that follows the limit.
    ['200/s, a step to a half and back', 1],
  ])('of %s is about %d of the limit', (name, share) => {
    expect(couldBeHad(named(name), 1)).toBeCloseTo(share, 1);
  });

  test('is less than the limit where each call may meet a front end that has spent its part', () => {
    const best = couldBeHad(named('30 front ends with a share of 200/s each, at random'), 1);
    expect(best).toBeGreaterThan(0.4);
    expect(best).toBeLessThan(0.9);
  });
});

test('every family has a name of its own, and of every group but a few some are held out', () => {
  expect(new Set(families.map(({ name }) => name)).size).toBe(families.length);
  const groups = new Set(families.map(({ group }) => group));
  const heldOut = new Set(families.filter((each) => each.heldOut).map(({ group }) => group));
  expect([...groups].filter((group) => !heldOut.has(group))).toEqual(['small burst']);
});
