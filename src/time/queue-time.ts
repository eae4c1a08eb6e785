/**
 * The time by SQS's clock, which stamps messages, ends leases, and deletes messages for their age.
 *
 * Three clocks tell it, and each can be wrong by days: this machine's (set wrong, or stepped), the `Date` of SQS's answers
 * (a proxy's), and SQS's stamps on messages, which are right and may be old. The one in the middle counts, so that
 * none of them alone has messages expire, or vanish unnoticed.
 */
import type { Clock } from './clock.ts';

/** More than two readings of the same clocks differ by, in milliseconds: a `Date` has no fractions of seconds. */
const JUMP_MS = 3_000;

/** How long the time of one answer does, in milliseconds. */
const FRESH_MS = 5_000;

/** Fields are differences to monotonic time, in milliseconds. */
export class QueueTime {
  readonly #clock: Clock;
  /** Of the latest answer. */
  #answer: number | undefined;
  /** Of the answer that was furthest ahead. */
  #furthest: number | undefined;
  /** Of this machine's clock at the latest answer. */
  #own: number | undefined;
  /** Of the latest stamp. */
  #stamp = Number.NEGATIVE_INFINITY;
  #suspended = 0;
  /** Monotonic milliseconds of the latest answer. */
  #answeredAt = Number.NEGATIVE_INFINITY;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Whether the time of an answer that comes now would tell anything new. */
  get wantsTime(): boolean {
    return this.#clock.monotonic() - this.#answeredAt >= FRESH_MS || this.doubtful;
  }

  /** SQS has just answered, with this time in epoch milliseconds. */
  answered(at: number): void {
    const { wall, monotonic } = this.#clock;
    const now = monotonic();
    const answer = at - now;
    const jump = answer - (this.#furthest ?? answer);
    if (jump > JUMP_MS) this.#suspended += jump;
    this.#furthest = Math.max(answer, this.#furthest ?? answer);
    this.#answer = answer;
    this.#answeredAt = now;
    this.#own = wall() - now;
  }

  /** SQS has stamped a message with this time, in epoch milliseconds: it is not earlier now. */
  stamped(at: number | undefined): void {
    if (at === undefined) return;
    const stamp = at - this.#clock.monotonic();
    if (stamp > this.#stamp) this.#stamp = stamp;
  }

  /** The middle of what the three clocks say, in epoch milliseconds. Before SQS's first answer, this machine's counts. */
  now(): number {
    const { wall, monotonic } = this.#clock;
    const own = wall();
    if (this.#answer === undefined) return own;
    const now = monotonic();
    const answered = this.#answer + now;
    return Math.max(Math.min(own, answered), Math.min(Math.max(own, answered), this.#stamp + now));
  }

  /** The later of what this machine's clock and SQS's answers say, in epoch milliseconds. */
  latest(): number {
    const { wall, monotonic } = this.#clock;
    return Math.max(wall(), this.#answer === undefined ? 0 : this.#answer + monotonic());
  }

  /**
   * Milliseconds since some start, for leases: monotonic time, and what SQS's answers say has passed beyond it. It stands
   * still while the machine is suspended, and leases end.
   */
  elapsed(): number {
    return this.#clock.monotonic() + this.#suspended;
  }

  /**
   * This machine's clock has gone ahead since SQS's latest answer: it was set, or the machine suspended. The next answer
   * tells.
   */
  get doubtful(): boolean {
    if (this.#own === undefined) return false;
    const { wall, monotonic } = this.#clock;
    return wall() - monotonic() - this.#own > JUMP_MS;
  }
}
