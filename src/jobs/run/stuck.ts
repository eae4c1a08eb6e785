/** Notices that a job is stuck: rows are in flight, and none has ended for long. */
import type { Counts } from '../ledger/job.ts';

/** In milliseconds: longer than workers hold a row back for throttling and pauses of theirs. */
export const STUCK_MS = 600_000;

export class StuckWatch {
  readonly #now: () => number;
  #ended = 0;
  /** Since when rows are in flight and none has ended; undefined: none is in flight. */
  #since: number | undefined;
  #told = false;

  /** @param now milliseconds, monotonic. */
  constructor(now: () => number) {
    this.#now = now;
  }

  /** @returns true when it has become stuck: once, until a row has ended. */
  look({ ended, inFlight }: Pick<Counts, 'ended' | 'inFlight'>): boolean {
    if (inFlight === 0 || ended !== this.#ended) {
      this.#ended = ended;
      this.#since = inFlight === 0 ? undefined : this.#now();
      this.#told = false;
      return false;
    }
    this.#since ??= this.#now();
    if (this.#told || this.#now() - this.#since < STUCK_MS) return false;
    this.#told = true;
    return true;
  }
}
