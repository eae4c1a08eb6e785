import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  acceptedOf,
  isOverload,
  LatestCalls,
  type Overload,
} from '../../../../src/ota/rate/adaptive/latest-calls.ts';
import { defaultTuning } from '../../../../src/ota/rate/adaptive/tuning.ts';

/** One call every 10 ms: `x` is throttled. */
function latest(size: number, ends: string): LatestCalls {
  const calls = new LatestCalls(size);
  for (const [i, end] of [...ends].entries()) calls.add(i * 10, end === 'x');
  return calls;
}

const none: Overload = {
  calls: 0,
  callsPerSecond: 0,
  throttledShare: 0,
  acceptedPerSecond: Number.POSITIVE_INFINITY,
};

test.each<[what: string, ends: string, expected: Overload]>([
  ['nothing throttled', '.....', none],
  ['nothing since the one that was throttled', '....x', none],
  [
    'only the calls since the first throttled one',
    '....x.x.x',
    { calls: 4, callsPerSecond: 100, throttledShare: 0.5, acceptedPerSecond: 50 },
  ],
  ['everything throttled', 'xxx', { calls: 2, callsPerSecond: 100, throttledShare: 1, acceptedPerSecond: 0 }],
])('measures %s', (_, ends, expected) => {
  expect(latest(60, ends).overload((ends.length - 1) * 10)).toEqual(expected);
});

test('keeps only the latest calls', () => {
  expect(latest(4, 'xx..x.x').overload(60)).toEqual({
    calls: 2,
    callsPerSecond: 100,
    throttledShare: 0.5,
    acceptedPerSecond: 50,
  });
});

test('has infinite rates for calls that ended at the same moment', () => {
  const calls = new LatestCalls(4);
  for (let i = 0; i < 3; i++) calls.add(5, i === 0);
  expect(calls.overload(5)).toMatchObject({
    callsPerSecond: Number.POSITIVE_INFINITY,
    acceptedPerSecond: Number.POSITIVE_INFINITY,
  });
});

test('starts again when cleared', () => {
  const calls = latest(60, 'x..x');
  calls.clear();
  expect(calls.overload(100)).toEqual(none);
});

test('measures no more calls than it keeps, and the accepted ones as their part of all', () => {
  const size = fc.integer({ min: 1, max: 60 });
  const ends = fc.array(fc.record({ gapMs: fc.nat(1_000), throttled: fc.boolean() }), { maxLength: 200 });
  fc.assert(
    fc.property(size, ends, fc.nat(1_000), (kept, all, later) => {
      const calls = new LatestCalls(kept);
      let now = 0;
      for (const { gapMs, throttled } of all) {
        now += gapMs;
        calls.add(now, throttled);
      }
      const measured = calls.overload(now + later);
      expect(measured.calls).toBeLessThan(kept);
      expect(measured.throttledShare).toBeGreaterThanOrEqual(0);
      expect(measured.throttledShare).toBeLessThanOrEqual(1);
      if (measured.acceptedPerSecond === Number.POSITIVE_INFINITY) return;
      const accepted = measured.callsPerSecond * (1 - measured.throttledShare);
      expect(measured.acceptedPerSecond).toBeCloseTo(accepted, 6);
    }),
  );
});

describe('an overload', () => {
  const { calls, share } = defaultTuning.overload;
  const little = 1e-6;

  test.each([
    ['a high share of some calls', calls, share + little, true],
    ['no higher share', calls, share, false],
    ['too few calls, all throttled', calls - 1, 1, false],
  ])('is told by %s', (_, of, throttledShare, expected) => {
    const measured = { ...none, calls: of, throttledShare };
    expect(isOverload(measured, defaultTuning)).toBe(expected);
  });
});

test.each([
  ['its part of the rate, which a stall of this process does not make less', 100, 20, 0.5, 50],
  ['what was counted, which small cuts meanwhile do not make less', 100, 80, 0.5, 80],
])('the API accepts %s', (_, rate, acceptedPerSecond, throttledShare, expected) => {
  expect(acceptedOf(rate, { ...none, acceptedPerSecond, throttledShare })).toBe(expected);
});
