/**
 * How many permits to ask of the shared budget ahead of their use: enough to hide the way to Redis, no more than a fair
 * part of what waits there, and few where they go unused. PURE.
 *
 * Whoever has asked first is served first, so a worker's part is its part of the permits that are asked for and not due.
 * With `fair` permits each, which grows with its own way to Redis, every worker gets the same rate, and its permits are due
 * `FAIR_LEAD_MS` after the answer. Where others do not use their part, that wait is shorter, and whoever wants more asks
 * further ahead.
 */

/** How long before their use permits are to be known, in milliseconds: more than a busy event loop stands still. */
export const LEAD_MS = 100;
/**
 * How long before their use they are known where all have a fair part. Longer, because permits come one by one: a wait that
 * only just falls below `LEAD_MS` would have one worker ask for more than the others.
 */
const FAIR_LEAD_MS = 125;
/** What a new round trip counts in the mean. */
const SMOOTHING = 0.2;

export interface Use {
  /** Permits used. */
  readonly permits: number;
  /** How long before they were known, in milliseconds. */
  readonly leadMs: number;
  /** Permits per second that this worker may take, and that its part of the budget would be. */
  readonly rate: number;
  readonly share: number;
}

export class AskAhead {
  #permits = 0;
  #roundTripMs = 0;
  /**
   * By how much fewer than `#permits` were under way after the last look: bookings are whole, fair parts are not. Of a worker
   * slower than its part nothing is owed: permits that others do not compete for are due at once, and it would let them go stale.
   */
  #owed = 0;
  #competes = false;

  /** Permits to have asked for at once. */
  get permits(): number {
    return this.#permits;
  }

  /**
   * How many bookings of `size` permits to make now, where so many permits are under way, so that on the average as many
   * are as are worth it.
   * @param wanted permits that would be used at once, at most.
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

  /** Permits came to their time and were not used. */
  wasted(): void {
    this.#permits /= 2;
    this.#owed = 0;
  }
}
