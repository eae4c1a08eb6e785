/**
 * What the adaptive rate is doing, and how fast it climbs in each state. PURE.
 *
 *   remembered ── proved ─► following                        the start at a rate that was found earlier
 *   ceiling    ── a call is throttled ─► following           nothing has been throttled yet
 *   following  ── the first overload ─► ramping              from far below, to find the limit without a flood
 *   ramping    ── a call is throttled ─► growing             noise may have ended it early
 *   following  ── noise has been found ─► growing            noise may have kept it low
 *   growing    ── calls are throttled often ─► following
 *   following  ── some time after a deep cut ─► returning    an attempt to return to the rate before
 *   returning  ── the rate before, or a throttled call ─► following
 *
 * An overload (many throttled calls at once) cuts deep from any state.
 */
import type { CarefulStart } from '../careful-start.ts';
import { perRoundTrip } from './law.ts';
import type { Tuning } from './tuning.ts';

export type State =
  /** The start at a rate that was found earlier. */
  | { readonly kind: 'remembered'; readonly start: CarefulStart }
  /** Nothing has been throttled yet. */
  | { readonly kind: 'ceiling' }
  | { readonly kind: 'following' }
  /** Climbs from far below the rate of the first overload, to find the limit without a flood. */
  | { readonly kind: 'ramping' }
  /** Goes on from where the ramp ended, perhaps because of noise. `throttled` is the sum of {@link Tuning.growth}. */
  | { readonly kind: 'growing'; throttled: number }
  | Returning;

/** An attempt to return to the rate before a deep cut. */
interface Returning {
  readonly kind: 'returning';
  /** The rate from which it began. */
  readonly base: number;
}

export const following: State = { kind: 'following' };

/** What a state adds to the ordinary climb in a second, as a share of the rate. */
export function climbOf({ kind }: State, rate: number, roundTripMs: number, tuning: Tuning): number {
  const { ramp, growth, comeback } = tuning;
  const most = perRoundTrip(tuning.perRoundTrip.boost, roundTripMs);
  switch (kind) {
    case 'ramping': {
      const roundTrips = (ramp.roundTrips * roundTripMs) / 1_000;
      return Math.LN2 / Math.max(ramp.doubling, roundTrips, ramp.calls / rate);
    }
    case 'growing':
      return Math.min(growth.perSecond, growth.perCall * rate, most);
    case 'returning':
      return Math.min(comeback.perSecond, most);
    default:
      return 0;
  }
}

/**
 * The rate, in calls per second, that is left when an attempt to return has failed at `rate`: without what it climbs in some time at
 * the present round trip, but at least the rate from which it began.
 */
export function rateOfFailed(attempt: Returning, rate: number, roundTripMs: number, tuning: Tuning): number {
  const seconds = tuning.comeback.takenBack + roundTripMs / 1_000;
  return Math.max(attempt.base, rate * Math.exp(-seconds * climbOf(attempt, rate, roundTripMs, tuning)));
}
