/** The start at a remembered rate, call by call. */
import { describe, expect, test } from 'vitest';
import { AdaptiveRate } from '../../../src/ota/rate/adaptive-rate.ts';
import { CarefulStart, startRate } from '../../../src/ota/rate/careful-start.ts';

const accepted = (at: number, latency = 10) => ({ startedAt: at - latency, endedAt: at });
const throttled = (at: number, latency = 10) => ({
  ...accepted(at, latency),
  failure: { kind: 'throttled' },
});

test.each([
  [200, 1_000, 170],
  [200, Number.POSITIVE_INFINITY, 170],
  [200, 100, 100],
])('%s/s remembered, %s/s allowed: starts at %s/s', (remembered, ceiling, start) => {
  expect(startRate(remembered, ceiling)).toBeCloseTo(start);
});

describe('a careful start', () => {
  test("is over when two seconds' worth of calls were accepted", () => {
    const start = new CarefulStart();
    const verdicts = Array.from({ length: 200 }, (_, i) => start.observe(accepted(i), 100));
    expect(new Set(verdicts.slice(0, -1))).toEqual(new Set(['hold']));
    expect(verdicts.at(-1)).toBe('over');
  });

  test('is not disturbed by a call throttled now and then', () => {
    const start = new CarefulStart();
    for (let i = 1; i <= 100; i++) {
      const call = i % 10 === 0 ? throttled(i) : accepted(i);
      expect(start.observe(call, 100)).toBe('hold');
    }
  });

  test.each([
    [1_000, 3],
    [120, 3],
    [80, 2],
    [40, 1],
    [1, 1],
  ])('at %s/s it takes the limit for fallen after %s throttled calls in a row', (rate, calls) => {
    const start = new CarefulStart();
    for (let i = 1; i < calls; i++) expect(start.observe(throttled(i), rate)).toBe('hold');
    expect(start.observe(throttled(calls), rate)).toBe('halve');
  });

  test('after halving, only calls begun a round trip later count', () => {
    const start = new CarefulStart();
    expect(start.observe(throttled(100, 50), 10)).toBe('halve');
    expect(start.observe(throttled(199, 50), 10)).toBe('hold');
    expect(start.observe(throttled(200, 50), 10)).toBe('halve');
  });

  test('other failures say that the API took the call', () => {
    const start = new CarefulStart();
    const failed = { ...accepted(1), failure: { kind: 'retryable' } };
    expect(start.observe(failed, 0.5)).toBe('over');
  });
});

describe('the adaptive rate with a remembered rate', () => {
  function make(startAt: number, ceiling: number, startFoundAt?: number) {
    const told: number[] = [];
    const control = new AdaptiveRate({
      ceiling,
      startAt,
      ...(startFoundAt !== undefined && { startFoundAt }),
      onChange: (rate) => told.push(rate),
    });
    return { control, told };
  }

  test('says since when it is below the ceiling', () => {
    const { control } = make(200, 1_000, -60_000);
    expect(control.rate).toBe(170);
    expect(control.foundAt).toBe(-60_000);
    control.observe(accepted(50));
    expect(control.foundAt).toBe(-60_000);
  });

  test('says the end of the first call where that is not known', () => {
    const { control } = make(200, 1_000);
    expect(control.foundAt).toBeUndefined();
    control.observe(accepted(50));
    expect(control.foundAt).toBe(50);
  });

  test('begins at the ceiling where that is lower, as if nothing was remembered', () => {
    const { control } = make(200, 100, -60_000);
    expect(control.rate).toBe(100);
    expect(control.foundAt).toBeUndefined();
  });

  test('begins at it without care where calls are made at it now: three throttled ones are no fallen limit', () => {
    const control = new AdaptiveRate({
      ceiling: 1_000,
      startAt: 200,
      startFoundAt: -60_000,
      inForce: true,
      onChange: () => {},
    });
    expect([control.rate, control.foundAt]).toEqual([200, -60_000]);
    for (let at = 1; at <= 30; at++) control.observe(accepted(at * 6));
    for (let at = 31; at <= 33; at++) control.observe(throttled(at * 6));
    expect(control.rate).toBeGreaterThan(170);
    expect(control.rate).toBeLessThan(200);
  });

  test('holds, halves, and climbs once the rate is proved', () => {
    const { control, told } = make(200, 1_000);
    for (let at = 1; at <= 30; at++) control.observe(accepted(at * 6));
    expect(told).toEqual([]);
    for (let at = 31; at <= 33; at++) control.observe(throttled(at * 6));
    expect(told).toEqual([85]);
    for (let at = 34; at <= 400; at++) control.observe(accepted(at * 12));
    expect(control.rate).toBeGreaterThan(85);
  });

  test('keeps to a ceiling that is set meanwhile', () => {
    const { control, told } = make(200, 1_000);
    control.setCeiling(500);
    expect(told).toEqual([]);
    control.setCeiling(100);
    expect(told).toEqual([100]);
  });
});
