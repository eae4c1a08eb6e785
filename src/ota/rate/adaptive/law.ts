/**
 * How the rate is cut and climbs in ordinary conditions. PURE.
 *
 * Each throttled call takes off a share, each second adds one. The two balance when the share of throttled calls is the
 * target share.
 */
import type { Tuning } from './tuning.ts';

/** The share of throttled calls at which a rate, in calls per second, settles. */
export function targetShare(rate: number, { target }: Tuning): number {
  const falling = target.at100 * (rate / 100) ** -target.power;
  return Math.max(target.perSecond / rate, Math.min(target.most, falling));
}

/** The share of a rate, in calls per second, that a throttled call takes off. */
export function cutShare(rate: number, { cut }: Tuning): number {
  return Math.min(cut.most, Math.max(cut.least, cut.at100 * (rate / 100) ** -cut.power));
}

/** The least time between two cuts, in milliseconds. */
export function betweenCutsMs(rate: number, tuning: Tuning): number {
  return (1_000 * cutShare(rate, tuning)) / tuning.cut.perSecond;
}

/** How much a rate climbs in a second, as a share of it. @param roundTripMs of a call. */
export function climbShare(rate: number, roundTripMs: number, tuning: Tuning): number {
  const balance = cutShare(rate, tuning) * rate * targetShare(rate, tuning);
  return Math.min(balance, perRoundTrip(tuning.perRoundTrip.climb, roundTripMs));
}

/** So many seconds without a throttled call are rare at a limit. */
export function calmSeconds(rate: number, tuning: Tuning): number {
  return tuning.boost.targets / (rate * targetShare(rate, tuning));
}

/**
 * How much a rate climbs in a second, as a share of it, after a long time without a throttled call; 0 before that.
 * @param used how long the rate has been used since a call was throttled or it was cut, in milliseconds.
 */
export function boostShare(rate: number, used: number, roundTripMs: number, tuning: Tuning): number {
  const { boost } = tuning;
  const after = Math.max(boost.least, calmSeconds(rate, tuning));
  const late = used / 1_000 - after;
  if (late <= 0) return 0;
  const first = Math.max(boost.absolute / rate, climbShare(rate, roundTripMs, tuning));
  return Math.min(
    first * 2 ** (late / boost.doubling),
    Math.max(boost.perSecond, boost.absoluteMost / rate),
    perRoundTrip(tuning.perRoundTrip.boost, roundTripMs),
  );
}

/** From this length on, the end of a period shows more about its limit than any second does. In milliseconds. */
const LONG_PERIOD_MS = 3_000;
/** The share by which the rate may climb per period, and for how many periods after a wait. */
const CLIMB_PER_PERIOD = 0.06;
const PERIODS = 1.5;

/**
 * The most that a rate may climb in a second, as a share of it, if its limit has a long period.
 * @param sinceWaitMs since the limit was spent.
 * @returns `Infinity` if there is no long period, or the limit has not been spent for more than `PERIODS` periods.
 */
export function mostInPeriod(periodMs: number, sinceWaitMs: number): number {
  if (periodMs < LONG_PERIOD_MS || sinceWaitMs >= PERIODS * periodMs) return Number.POSITIVE_INFINITY;
  return (1_000 * CLIMB_PER_PERIOD) / periodMs;
}

/** Converts a share of the rate per round trip into one per second. */
export function perRoundTrip(share: number, roundTripMs: number): number {
  return (1_000 * share) / Math.max(1, roundTripMs);
}
