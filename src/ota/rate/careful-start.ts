/**
 * The start at a rate that was found earlier and may no longer be right. PURE.
 *
 * The start is somewhat below that rate, which is then held: small cuts and climbs would blur whether the limit is still the
 * same.
 *
 *   holding ── two seconds' worth of calls were accepted ─► over
 *   holding ── too many calls are throttled ─► halved, and holding again
 */
import type { ObservedCall } from './rate-control.ts';

/** The share of the remembered rate to start at. The rest leaves room for the small bursts of a start. */
const START_SHARE = 0.85;
/** The rate is held for as many accepted calls as it allows in this time, in seconds. */
const HOLD_SECONDS = 2;
/**
 * A throttled call adds this to a sum and an accepted one subtracts 1, so it grows when more than a fifth is throttled.
 * Small bursts and noise stay below that. At 85% of a rate whose limit has halved, two fifths are throttled.
 */
const THROTTLED_WEIGHT = 4;
/** The sum that shows that the limit has fallen: three throttled calls in a row. */
const FALLEN = 12;
/** At low rates three calls take long, so the sum only has to reach the calls of this time, in seconds. */
const FALLEN_SECONDS = 0.1;

/** Where to start, in calls per second. @param remembered calls per second. */
export function startRate(remembered: number, ceiling: number): number {
  return Math.min(START_SHARE * remembered, ceiling);
}

export class CarefulStart {
  #accepted = 0;
  #sum = 0;
  #countsFrom = Number.NEGATIVE_INFINITY;

  /**
   * Must be called with every call that has ended.
   * @param rate calls per second now.
   * @returns what to do with the rate; after `over` the start has ended.
   */
  observe({ startedAt, endedAt, failure }: ObservedCall, rate: number): 'hold' | 'halve' | 'over' {
    if (startedAt < this.#countsFrom) return 'hold';
    if (failure?.kind === 'throttled') this.#sum += THROTTLED_WEIGHT;
    else {
      this.#accepted++;
      this.#sum = Math.max(0, this.#sum - 1);
    }
    if (this.#sum >= Math.min(FALLEN, FALLEN_SECONDS * rate)) {
      // Calls already under way use up the limit, so calls that begin within a round trip do not count.
      this.#countsFrom = endedAt + (endedAt - startedAt);
      this.#accepted = 0;
      this.#sum = 0;
      return 'halve';
    }
    return this.#accepted >= HOLD_SECONDS * rate ? 'over' : 'hold';
  }
}
