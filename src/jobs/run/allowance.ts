/** Rows that a job's own rate lets go. */

/** What was not used in so many milliseconds is gone, so that a job that waited does not catch up at once. */
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
   * Whole rows that may go now.
   * @param perSecond undefined: as many as one likes. It may change from call to call.
   */
  rows(perSecond: number | undefined): number {
    const now = this.#now();
    const passed = now - this.#at;
    this.#at = now;
    if (perSecond === undefined) return Number.POSITIVE_INFINITY;
    // One row at least, or a slow job would send none.
    this.#rows = Math.min(
      Math.max(1, (perSecond * SPAN_MS) / 1_000),
      this.#rows + (passed * perSecond) / 1_000,
    );
    return Math.floor(this.#rows);
  }

  use(rows: number): void {
    // Without a rate there is no debt.
    this.#rows = Math.max(0, this.#rows - rows);
  }
}
