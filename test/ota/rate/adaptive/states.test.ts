import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { perRoundTrip } from '../../../../src/ota/rate/adaptive/law.ts';
import { climbOf, following, rateOfFailed, type State } from '../../../../src/ota/rate/adaptive/states.ts';
import { defaultTuning } from '../../../../src/ota/rate/adaptive/tuning.ts';
import { CarefulStart } from '../../../../src/ota/rate/careful-start.ts';

const { ramp, growth, comeback, perRoundTrip: most } = defaultTuning;
const growing: State = { kind: 'growing', throttled: 0 };
const ramping: State = { kind: 'ramping' };
const returning = { kind: 'returning', base: 10 } as const;
const rates = fc.double({ min: 0.1, max: 1e5, noNaN: true });
const roundTrips = fc.double({ min: 0, max: 60_000, noNaN: true });

const climb = (state: State, rate: number, roundTripMs = 0): number =>
  climbOf(state, rate, roundTripMs, defaultTuning);

test.each<State>([following, { kind: 'ceiling' }, { kind: 'remembered', start: new CarefulStart() }])(
  'the state $kind adds nothing',
  (state) => {
    fc.assert(fc.property(rates, roundTrips, (rate, roundTripMs) => climb(state, rate, roundTripMs) === 0));
  },
);

describe('a ramp', () => {
  test('doubles as fast as the tuning says at a high rate and short round trips', () => {
    expect(Math.exp(climb(ramping, 1e5) * ramp.doubling)).toBeCloseTo(2, 9);
  });

  test('doubles in no fewer round trips, calls and seconds than the tuning says', () => {
    fc.assert(
      fc.property(rates, roundTrips, (rate, roundTripMs) => {
        const seconds = Math.LN2 / climb(ramping, rate, roundTripMs);
        const least = Math.max(ramp.doubling, (ramp.roundTrips * roundTripMs) / 1_000, ramp.calls / rate);
        expect(seconds / least).toBeCloseTo(1, 9);
      }),
    );
  });
});

describe('growth', () => {
  test('is a part of the rate, and less at low rates', () => {
    expect(climb(growing, 1e5)).toBe(growth.perSecond);
    const low = growth.perSecond / growth.perCall / 2;
    expect(climb(growing, low)).toBeCloseTo(growth.perSecond / 2, 9);
  });
});

test('a return is the part of the rate that the tuning says', () => {
  expect(climb(returning, 100)).toBe(comeback.perSecond);
});

test.each<State>([growing, returning])(
  'the state $kind adds in a round trip no more than may be',
  (state) => {
    fc.assert(
      fc.property(rates, roundTrips, (rate, roundTripMs) => {
        expect(climb(state, rate, roundTripMs)).toBeGreaterThan(0);
        expect(climb(state, rate, roundTripMs)).toBeLessThanOrEqual(perRoundTrip(most.boost, roundTripMs));
      }),
    );
    expect(climb(state, 1_000, 30_000)).toBeCloseTo(most.boost / 30, 12);
  },
);

describe('a failed attempt to return', () => {
  const left = (rate: number, roundTripMs: number): number =>
    rateOfFailed(returning, rate, roundTripMs, defaultTuning);

  const above = fc.double({ min: returning.base, max: 1e5, noNaN: true });

  test('leaves the rate without what it climbs in some time and a round trip', () => {
    fc.assert(
      fc.property(above, roundTrips, (rate, roundTripMs) => {
        const seconds = comeback.takenBack + roundTripMs / 1_000;
        const before = rate * Math.exp(-seconds * climb(returning, rate, roundTripMs));
        expect(left(rate, roundTripMs)).toBe(Math.max(before, returning.base));
      }),
    );
  });

  test('leaves at least the rate from which it began', () => {
    expect(left(1.01 * returning.base, 0)).toBe(returning.base);
  });

  test('leaves most of a climb that long round trips made slow', () => {
    expect(left(20, 5_000)).toBeGreaterThan(18);
  });
});
