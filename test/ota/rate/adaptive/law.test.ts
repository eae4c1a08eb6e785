import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  betweenCutsMs,
  boostShare,
  climbShare,
  cutShare,
  mostInPeriod,
  perRoundTrip,
  targetShare,
} from '../../../../src/ota/rate/adaptive/law.ts';
import { defaultTuning } from '../../../../src/ota/rate/adaptive/tuning.ts';

const { target, cut, boost, perRoundTrip: most } = defaultTuning;
const rates = fc.double({ min: 0.1, max: 1e5, noNaN: true });
const roundTrips = fc.double({ min: 0, max: 60_000, noNaN: true });
/** Rounding may reverse the order of the powers of adjacent numbers. */
const ROUNDING = 1 + 1e-9;

/** Asserts that a function of the rate never grows with it. */
function assertFalls(of: (rate: number) => number): void {
  fc.assert(
    fc.property(rates, rates, (one, other) => {
      expect(of(Math.max(one, other))).toBeLessThanOrEqual(of(Math.min(one, other)) * ROUNDING);
    }),
  );
}

describe('the target', () => {
  test('is at 100/s as the tuning says', () => {
    expect(targetShare(100, defaultTuning)).toBeCloseTo(Math.max(target.at100, target.perSecond / 100), 12);
  });

  test('is above the most only for its least number of throttled calls per second, and never below that', () => {
    fc.assert(
      fc.property(rates, (rate) => {
        const share = targetShare(rate, defaultTuning);
        expect(share).toBeLessThanOrEqual(Math.max(target.most, target.perSecond / rate));
        expect(share * rate * ROUNDING).toBeGreaterThanOrEqual(target.perSecond);
      }),
    );
  });

  test('falls with the rate', () => {
    assertFalls((rate) => targetShare(rate, defaultTuning));
    expect(targetShare(10_000, defaultTuning)).toBeLessThan(targetShare(100, defaultTuning));
  });
});

describe('a cut', () => {
  test('takes off at 100/s what the tuning says', () => {
    expect(cutShare(100, defaultTuning)).toBeCloseTo(cut.at100, 12);
  });

  test('takes off a part between the least and the most, which falls with the rate', () => {
    assertFalls((rate) => cutShare(rate, defaultTuning));
    expect(cutShare(1_000, defaultTuning)).toBeLessThan(cutShare(100, defaultTuning));
    expect(cutShare(1e-9, defaultTuning)).toBe(cut.most);
    expect(cutShare(1e12, defaultTuning)).toBe(cut.least);
  });

  test('takes off as much per second at any rate where each is made as soon as it may be', () => {
    fc.assert(
      fc.property(rates, (rate) => {
        const perSecond = (1_000 * cutShare(rate, defaultTuning)) / betweenCutsMs(rate, defaultTuning);
        expect(perSecond).toBeCloseTo(cut.perSecond, 9);
      }),
    );
  });
});

describe('the climb', () => {
  test('adds what cuts take off when the share of throttled calls is the target', () => {
    fc.assert(
      fc.property(rates, (rate) => {
        const cutsPerSecond = rate * targetShare(rate, defaultTuning);
        const taken = cutsPerSecond * cutShare(rate, defaultTuning);
        expect(climbShare(rate, 0, defaultTuning)).toBeCloseTo(taken, 12);
      }),
    );
  });

  test('is positive, and in a round trip no more than may be', () => {
    fc.assert(
      fc.property(rates, roundTrips, (rate, roundTripMs) => {
        const climb = climbShare(rate, roundTripMs, defaultTuning);
        expect(climb).toBeGreaterThan(0);
        expect((climb * roundTripMs) / 1_000).toBeLessThanOrEqual(most.climb * ROUNDING);
        expect(climb).toBeLessThanOrEqual(climbShare(rate, 0, defaultTuning));
      }),
    );
  });

  test('is so long as the round trip allows where that takes very long', () => {
    expect(climbShare(1_000, 60_000, defaultTuning)).toBeCloseTo(most.climb / 60, 12);
  });
});

describe('the boost', () => {
  const used = fc.double({ min: 0, max: 1e12, noNaN: true });

  /** Milliseconds of use after which the boost begins. */
  function beginsAfter(rate: number): number {
    let ms = 0;
    while (boostShare(rate, ms, 0, defaultTuning) === 0) ms += 50;
    return ms;
  }

  test('begins when the calls in which one is throttled at the target have been made some times', () => {
    for (const rate of [0.1, 1, 10, 100, 1_000, 100_000]) {
      const seconds = boost.targets / (rate * targetShare(rate, defaultTuning));
      const expected = 1_000 * Math.max(boost.least, seconds);
      expect(beginsAfter(rate)).toBeGreaterThan(expected - 1);
      expect(beginsAfter(rate)).toBeLessThanOrEqual(expected + 100);
    }
  });

  test('begins at the climb that there is, or a constant one, and doubles as the tuning says', () => {
    for (const rate of [2, 100]) {
      const begin = 1_000 * Math.max(boost.least, boost.targets / (rate * targetShare(rate, defaultTuning)));
      const first = Math.max(boost.absolute / rate, climbShare(rate, 0, defaultTuning));
      const most = Math.max(boost.perSecond, boost.absoluteMost / rate);
      for (const doublings of [0, 1, 2, 30]) {
        const at = begin + 1 + 1_000 * boost.doubling * doublings;
        const expected = Math.min(most, first * 2 ** doublings);
        expect(boostShare(rate, at, 0, defaultTuning) / expected).toBeCloseTo(1, 2);
      }
    }
  });

  test('never slows down, and stays below its bounds for any time', () => {
    fc.assert(
      fc.property(rates, used, used, roundTrips, (rate, one, other, roundTripMs) => {
        const [early, late] = [Math.min(one, other), Math.max(one, other)];
        const share = boostShare(rate, late, roundTripMs, defaultTuning);
        expect(share).toBeGreaterThanOrEqual(boostShare(rate, early, roundTripMs, defaultTuning));
        expect(share).toBeLessThanOrEqual(Math.max(boost.perSecond, boost.absoluteMost / rate));
        expect((share * roundTripMs) / 1_000).toBeLessThanOrEqual(most.boost * ROUNDING);
      }),
    );
  });

  test('is none for a rate that was just cut', () => {
    fc.assert(fc.property(rates, (rate) => boostShare(rate, 0, 0, defaultTuning) === 0));
  });
});

describe('under a limit with a long period', () => {
  const hasOne = (periodMs: number): boolean => mostInPeriod(periodMs, 0) < Number.POSITIVE_INFINITY;
  /** The shortest long period. */
  const LONG_MS = Array.from({ length: 100_000 }, (_, ms) => ms).find(hasOne) ?? Number.NaN;
  const periods = fc.double({ min: LONG_MS, max: 600_000, noNaN: true });

  test('is long what is some seconds, and no period is not', () => {
    expect(hasOne(0)).toBe(false);
    expect(LONG_MS).toBeGreaterThan(1_000);
    fc.assert(fc.property(periods, hasOne));
  });

  test('the climb is soon after a wait the same part in each period, whatever the period', () => {
    const inPeriod = (periodMs: number): number => (mostInPeriod(periodMs, 0) * periodMs) / 1_000;
    const part = inPeriod(LONG_MS);
    expect(part).toBeGreaterThan(0);
    expect(part).toBeLessThan(0.2);
    fc.assert(fc.property(periods, (periodMs) => Math.abs(inPeriod(periodMs) - part) < 1e-9));
  });

  test('the climb has no bound any more when the limit was not spent for longer than a period', () => {
    fc.assert(
      fc.property(periods, (periodMs) => {
        expect(mostInPeriod(periodMs, periodMs)).toBeLessThan(1);
        expect(mostInPeriod(periodMs, 2 * periodMs)).toBe(Number.POSITIVE_INFINITY);
      }),
    );
  });
});

test('a share of a round trip becomes one of a second, and stays finite for calls without duration', () => {
  expect(perRoundTrip(0.1, 500)).toBeCloseTo(0.2, 12);
  expect(perRoundTrip(0.1, 0)).toBe(perRoundTrip(0.1, 1));
  expect(perRoundTrip(0.1, 0)).toBeLessThan(Number.POSITIVE_INFINITY);
});
