import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { QUIET, UtilizationMeter } from '../../../../src/ota/rate/adaptive/utilization.ts';

/** A meter, and a clock that calls advance. */
function setUp(share?: number) {
  const meter = new UtilizationMeter(share);
  let now = 5_000;
  meter.add(now, 0);
  return {
    meter,
    now: () => now,
    pass: (ms: number) => {
      now += ms;
    },
    /** @param perSecond calls. @param rate calls per second allowed. */
    call: (calls: number, perSecond: number, rate: number) => {
      for (let i = 0; i < calls; i++) {
        now += 1_000 / perSecond;
        meter.add(now, rate);
      }
    },
  };
}

describe('before there is a full window', () => {
  test('the rate is taken to be used, or as little as is said', () => {
    expect(new UtilizationMeter().share).toBe(1);
    expect(new UtilizationMeter().isUsed).toBe(true);
    expect(new UtilizationMeter(0).isUsed).toBe(false);
    expect(new UtilizationMeter(0).isUsedSoFar).toBe(false);
  });

  test('nothing is known of the calls per second', () => {
    expect(new UtilizationMeter().perSecond(0)).toBe(Number.POSITIVE_INFINITY);
    const { meter, now } = setUp();
    expect(meter.perSecond(now())).toBe(Number.POSITIVE_INFINITY);
  });

  test('a few calls are enough for the share so far, fewer are not', () => {
    const { meter, call } = setUp();
    call(4, 50, 100);
    expect(meter.shareSoFar).toBe(1);
    call(1, 50, 100);
    expect(meter.shareSoFar).toBeCloseTo(0.5, 9);
    expect(meter.isUsedSoFar).toBe(false);
    expect(meter.isUsed).toBe(true);
  });

  test('the calls per second are those so far', () => {
    const { meter, now, call } = setUp();
    call(10, 50, 100);
    expect(meter.perSecond(now())).toBeCloseTo(50, 9);
  });
});

describe('a full window', () => {
  test.each([
    [100, 100, 1],
    [100, 50, 0.5],
    [100, 10, 0.1],
    [2, 2, 1],
    [0.5, 0.25, 0.5],
    [Number.POSITIVE_INFINITY, 100, 1],
  ])('at %d/s with %d calls per second has a share of %d', (rate, perSecond, share) => {
    const { meter, call } = setUp();
    call(1_000, perSecond, rate);
    expect(meter.share).toBeCloseTo(share, 6);
    expect(meter.isUsed).toBe(share >= 0.8);
  });

  test('takes a second and twenty calls, made or allowed', () => {
    const { meter, call } = setUp(0);
    call(49, 50, 50);
    expect(meter.share).toBe(0);
    call(2, 50, 50);
    expect(meter.share).toBeCloseTo(1, 1);
    const slow = setUp(0);
    slow.call(19, 2, 2);
    expect(slow.meter.share).toBe(0);
    slow.call(1, 2, 2);
    expect(slow.meter.share).toBeCloseTo(1, 9);
    const unused = setUp();
    unused.call(2, 1, 10);
    expect(unused.meter.share).toBeCloseTo(0.1, 9);
  });

  test('counts for the calls per second until the present one has more', () => {
    const { meter, now, call } = setUp();
    call(51, 50, 50);
    call(5, 25, 50);
    expect(meter.perSecond(now())).toBeCloseTo(50, 0);
    call(20, 1_000, 50);
    expect(meter.perSecond(now())).toBeGreaterThan(60);
  });

  test('counts for the share so far, too', () => {
    const { meter, call } = setUp();
    call(51, 50, 50);
    call(20, 25, 50);
    expect(meter.shareSoFar).toBe(meter.share);
  });
});

describe('a quiet queue', () => {
  test.each([
    ['few calls far below the rate', QUIET / 2, 100, true],
    ['few calls at the rate', QUIET / 2, QUIET / 2, false],
    ['many calls far below the rate', QUIET * 2, 1_000, false],
  ])('is told by %s', (_, perSecond, rate, quiet) => {
    const { meter, now, call } = setUp();
    call(100, perSecond, rate);
    expect(meter.isQuiet(now())).toBe(quiet);
  });
});

describe('a time that is left out', () => {
  test('belongs to no window', () => {
    const { meter, now, pass, call } = setUp();
    call(25, 50, 50);
    const from = now();
    pass(60_000);
    meter.leaveOut(from, now());
    call(1, 50, 50);
    expect(meter.perSecond(now())).toBeCloseTo(50, 0);
    call(29, 50, 50);
    expect(meter.share).toBeCloseTo(1, 1);
    expect(meter.perSecond(now())).toBeCloseTo(50, 0);
  });

  test('that began before the window moves only its beginning', () => {
    const { meter, now, pass, call } = setUp();
    pass(60_000);
    meter.leaveOut(0, now());
    call(51, 50, 50);
    expect(meter.share).toBeCloseTo(1, 1);
  });
});

test('after any calls, share and calls per second are no NaN and not negative', () => {
  const call = fc.record({
    gapMs: fc.oneof(fc.constant(0), fc.double({ min: 0, max: 2_000, noNaN: true }), fc.nat(1e9)),
    rate: fc.oneof(fc.double({ min: 0.1, max: 1e5, noNaN: true }), fc.constant(Number.POSITIVE_INFINITY)),
    leftOut: fc.boolean(),
  });
  fc.assert(
    fc.property(fc.array(call, { maxLength: 200 }), (calls) => {
      const meter = new UtilizationMeter();
      let now = 0;
      for (const { gapMs, rate, leftOut } of calls) {
        const from = now;
        now += gapMs;
        if (leftOut) meter.leaveOut(from, now);
        meter.add(now, rate);
        expect(meter.share).toBeGreaterThanOrEqual(0);
        expect(meter.shareSoFar).toBeGreaterThanOrEqual(0);
        expect(meter.perSecond(now)).toBeGreaterThanOrEqual(0);
        if (meter.isQuiet(now)) expect(meter.isUsedSoFar).toBe(false);
      }
    }),
  );
});
