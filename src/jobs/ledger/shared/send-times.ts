/** Send times that rise in the order of sending, even if the clocks of successive senders disagree. */

/** For the process that has a job's lease. */
export class SendTimes {
  readonly #now: () => number;
  #last: number | undefined;

  /** @param now epoch milliseconds. */
  constructor(now: () => number) {
    this.#now = now;
  }

  /** Whether the job's last time is still unknown, so that {@link next} needs it. */
  get isNew(): boolean {
    return this.#last === undefined;
  }

  /** @param last the latest time in the ledger, as the database gives it; read once. @returns a time later than all before. */
  next(last?: unknown): number {
    this.#last ??= typeof last === 'number' ? last : Number.NEGATIVE_INFINITY;
    this.#last = Math.max(this.#now(), this.#last + 1);
    return this.#last;
  }
}
