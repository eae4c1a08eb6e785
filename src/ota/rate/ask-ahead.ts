/**
 * How many permits to ask of the shared budget ahead of their use: enough to hide the way to Redis, no more than a fair
 * part of what waits there, and few where they go unused. PURE.
 *
 * Whoever has asked first is served first, so a worker's part is its part of the permits that are asked for and not due.
 * With `fair` permits each, which grows with its own way to Redis, every worker gets the same rate, and its permits are due
 * about `LEAD_MS` after the answer. Where others do not use their part, that wait is shorter, and whoever wants more asks
 * further ahead.
 */

/** How long before their use permits are to be known, in milliseconds: more than a busy event loop stands still. */
export const LEAD_MS = 100;
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

  /** Permits to have asked for at once. */
  get permits(): number {
    return this.#permits;
  }

  answered(roundTripMs: number): void {
    this.#roundTripMs += SMOOTHING * (roundTripMs - this.#roundTripMs);
  }

  used({ permits, leadMs, rate, share }: Use): void {
    const lead = (LEAD_MS + this.#roundTripMs) / 1_000;
    const fair = Math.min(rate, share) * lead;
    const more = this.#permits < fair || leadMs < LEAD_MS;
    const wanted = more ? this.#permits + permits : Math.max(fair, this.#permits - permits);
    this.#permits = Math.min(wanted, rate * lead);
  }

  /** Permits came to their time and were not used. */
  wasted(): void {
    this.#permits /= 2;
  }
}
