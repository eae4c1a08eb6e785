/** When rows are sent, in the order in which they are: whatever the clocks of one sender and the next say. */

/** For the process that has a job's lease. */
export class SendTimes {
  readonly #now: () => number;
  #last: number | undefined;

  /** @param now epoch milliseconds. */
  constructor(now: () => number) {
    this.#now = now;
  }

  /** Whether the last time of the job is not known, and {@link next} is to be given it. */
  get isNew(): boolean {
    return this.#last === undefined;
  }

  /** @param last the latest time in the ledger, as the database gives it; looked at once. @returns a later one than all before. */
  next(last?: unknown): number {
    this.#last ??= typeof last === 'number' ? last : Number.NEGATIVE_INFINITY;
    this.#last = Math.max(this.#now(), this.#last + 1);
    return this.#last;
  }
}
