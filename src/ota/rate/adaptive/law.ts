/**
 * How the rate is cut and climbs while nothing unusual happens. PURE.
 *
 * Each throttled call takes a part off, each second adds one; they balance when the share of throttled calls is the target's.
 */
import type { Tuning } from './tuning.ts';

/** The share of throttled calls that a rate, in calls per second, settles at. */
export function targetShare(rate: number, { target }: Tuning): number {
  return Math.min(
    target.most,
    Math.max(target.perSecond / rate, target.at100 * (rate / 100) ** -target.power),
  );
}

/** The part of a rate, in calls per second, that a throttled call takes off. */
export function cutShare(rate: number, { cut }: Tuning): number {
  return Math.min(cut.most, Math.max(cut.least, cut.at100 * (rate / 100) ** -cut.power));
}

/** Least time between two cuts, in milliseconds. */
export function betweenCutsMs(rate: number, tuning: Tuning): number {
  return (1_000 * cutShare(rate, tuning)) / tuning.cut.perSecond;
}

/** What a rate climbs in a second, as a part of it. @param roundTripMs of a call. */
export function climbShare(rate: number, roundTripMs: number, tuning: Tuning): number {
  const balance = cutShare(rate, tuning) * rate * targetShare(rate, tuning);
  return Math.min(balance, perRoundTrip(tuning.perRoundTrip.climb, roundTripMs));
}

/** So many seconds without a throttled call are rare at a limit. */
export function calmSeconds(rate: number, tuning: Tuning): number {
  return tuning.boost.targets / (rate * targetShare(rate, tuning));
}

/**
 * What a rate climbs in a second, as a part of it, when nothing was throttled for long; 0 as long as that is not so.
 * @param used how long the rate has been used since it was cut, in milliseconds.
 */
export function boostShare(rate: number, used: number, roundTripMs: number, tuning: Tuning): number {
  const { boost } = tuning;
  const after = Math.min(boost.most, Math.max(boost.least, calmSeconds(rate, tuning)));
  const late = used / 1_000 - after;
  if (late <= 0) return 0;
  const first = Math.max(boost.absolute / rate, climbShare(rate, roundTripMs, tuning));
  return Math.min(
    first * 2 ** (late / boost.doubling),
    Math.max(boost.perSecond, boost.absoluteMost / rate),
    perRoundTrip(tuning.perRoundTrip.boost, roundTripMs),
  );
}

/** Of a limit with a period of so many milliseconds, more is known at the end of a period than in any second: */
const LONG_PERIOD_MS = 3_000;
/** the rate climbs by this part in a period, for so many periods after a wait. */
const CLIMB_PER_PERIOD = 0.06;
const PERIODS = 1.5;

/**
 * What a rate climbs in a second at most, as a part of it, where its limit has a long period.
 * @param sinceWaitMs since the limit was spent.
 * @returns `Infinity` where it has none, or was not spent for longer than one.
 */
export function mostInPeriod(periodMs: number, sinceWaitMs: number): number {
  if (periodMs < LONG_PERIOD_MS || sinceWaitMs >= PERIODS * periodMs) return Number.POSITIVE_INFINITY;
  return (1_000 * CLIMB_PER_PERIOD) / periodMs;
}

/** A part of the rate for each round trip, as one for each second. */
export function perRoundTrip(share: number, roundTripMs: number): number {
  return (1_000 * share) / Math.max(1, roundTripMs);
}
