/**
 * How many permits to request from the shared budget ahead of their use: enough to hide the round trip to Redis, no more than a
 * fair share of those that wait there, and few if they go unused. PURE.
 *
 * The budget serves requests in order, so a worker's share is its share of the permits requested but not due. If each worker has
 * `fair` permits requested (more with a longer round trip to Redis), all get the same rate, and permits are due `FAIR_LEAD_MS`
 * after the answer. If others do not use their share, that wait is shorter, and a worker that wants more requests further ahead.
 */

/** How long before their use permits should be known, in milliseconds: more than a busy event loop stands still. */
export const LEAD_MS = 100;
/**
 * How long before their use permits are known when every worker has a fair share. It is longer because permits come one by one:
 * after a wait just below `LEAD_MS` a worker would request more than the others.
 */
const FAIR_LEAD_MS = 125;
/** The weight of a new round trip in the mean. */
const SMOOTHING = 0.2;

export interface Use {
  /** Permits used. */
  readonly permits: number;
  /** How long before their use the permits were known, in milliseconds. */
  readonly leadMs: number;
  /** Permits per second: what this worker may take, and what its share of the budget would be. */
  readonly rate: number;
  readonly share: number;
}

export class AskAhead {
  #permits = 0;
  #roundTripMs = 0;
  /**
   * How far the permits under way fell short of `#permits` at the last look: bookings are whole numbers, fair shares are not. A
   * worker slower than its share is owed nothing: permits that others do not compete for are due at once, and it would let them
   * go stale.
   */
  #owed = 0;
  #competes = false;

  /** How many permits should be under way at once. */
  get permits(): number {
    return this.#permits;
  }

  /**
   * How many bookings of `size` permits to make now, with `underWay` permits under way, so that the number under way is right on
   * average.
   * @param wanted the most permits that would be used at once.
   */
  bookings(size: number, underWay: number, wanted: number): number {
    const missing = Math.min(wanted, this.#permits + this.#owed) - underWay;
    const bookings = Math.max(0, Math.floor(missing / size));
    this.#owed = this.#competes ? Math.max(missing - bookings * size, -size) : 0;
    return bookings;
  }

  answered(roundTripMs: number): void {
    this.#roundTripMs += SMOOTHING * (roundTripMs - this.#roundTripMs);
  }

  used({ permits, leadMs, rate, share }: Use): void {
    const lead = (FAIR_LEAD_MS + this.#roundTripMs) / 1_000;
    const fair = Math.min(rate, share) * lead;
    this.#competes = share <= rate;
    const more = this.#permits < fair || leadMs < LEAD_MS;
    const wanted = more ? this.#permits + permits : Math.max(fair, this.#permits - permits);
    this.#permits = Math.min(wanted, rate * lead);
  }

  /** Permits came due and were not used. */
  wasted(): void {
    this.#permits /= 2;
    this.#owed = 0;
  }
}
