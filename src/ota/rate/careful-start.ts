/**
 * The start at a rate that was found before and may not be right any more. PURE.
 *
 * It is somewhat below that rate, and held there: small cuts and climbs would only blur whether the limit is still the same.
 *
 *   holding ── two seconds' worth of calls were accepted ─► over
 *   holding ── too many calls are throttled ─► halved, and holding again
 */
import type { ObservedCall } from './rate-control.ts';

/** Part of the remembered rate to start at: what is left lets the small bursts of a start through. */
const START_SHARE = 0.85;
/** The rate is held for as many accepted calls as it allows in this time, in seconds. */
const HOLD_SECONDS = 2;
/**
 * A throttled call adds this to a sum and an accepted one takes 1 off: it grows where more than a fifth is throttled. Small
 * bursts and noise stay below that; at 85% of a rate whose limit has fallen to a half, two fifths are throttled.
 */
const THROTTLED_WEIGHT = 4;
/** The sum that tells a limit that has fallen: three throttled calls in a row. */
const FALLEN = 12;
/** At low rates so many calls take long, and the sum need only be the calls of this time, in seconds. */
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
   * To be called with every call that has ended.
   * @param rate calls per second now.
   * @returns what is to be done with the rate; after `over` the start has ended.
   */
  observe({ startedAt, endedAt, failure }: ObservedCall, rate: number): 'hold' | 'halve' | 'over' {
    if (startedAt < this.#countsFrom) return 'hold';
    if (failure?.kind === 'throttled') this.#sum += THROTTLED_WEIGHT;
    else {
      this.#accepted++;
      this.#sum = Math.max(0, this.#sum - 1);
    }
    if (this.#sum >= Math.min(FALLEN, FALLEN_SECONDS * rate)) {
      // The calls on their way leave nothing of the limit to those that begin a round trip later.
      this.#countsFrom = endedAt + (endedAt - startedAt);
      this.#accepted = 0;
      this.#sum = 0;
      return 'halve';
    }
    return this.#accepted >= HOLD_SECONDS * rate ? 'over' : 'hold';
  }
}
