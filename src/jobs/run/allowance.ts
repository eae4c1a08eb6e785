/** The rows that a job's own rate limit allows to be sent. */

/** Allowance not used within this time is lost, so that a job that waited does not catch up in a burst. */
const SPAN_MS = 1_000;

export class Allowance {
  readonly #now: () => number;
  #at: number;
  #rows = 0;

  /** @param now milliseconds, monotonic. */
  constructor(now: () => number) {
    this.#now = now;
    this.#at = now();
  }

  /**
   * Whole rows that may be sent now.
   * @param perSecond undefined: no limit. It may change from call to call.
   */
  rows(perSecond: number | undefined): number {
    const now = this.#now();
    const passed = now - this.#at;
    this.#at = now;
    if (perSecond === undefined) return Number.POSITIVE_INFINITY;
    // At least one row, or a slow job would never send any.
    this.#rows = Math.min(
      Math.max(1, (perSecond * SPAN_MS) / 1_000),
      this.#rows + (passed * perSecond) / 1_000,
    );
    return Math.floor(this.#rows);
  }

  use(rows: number): void {
    // Without a rate, sending more than the allowance leaves no debt.
    this.#rows = Math.max(0, this.#rows - rows);
  }
}
