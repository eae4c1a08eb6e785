/**
 * The time by SQS's clock, which stamps messages, ends leases, and deletes messages for their age.
 *
 * It is derived from three clocks, each of which can be wrong by days: this machine's (set wrong, or stepped), the `Date`
 * of SQS's answers (a proxy's), and SQS's stamps on messages, which are right but may be old. The middle one counts, so
 * that no single clock can make messages expire, or vanish unnoticed.
 */
import type { Clock } from './clock.ts';

/**
 * More than the difference between two readings of the same clocks, in milliseconds: a `Date` has no fractions of seconds.
 */
const JUMP_MS = 3_000;

/** How long the time from one answer is used, in milliseconds. */
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
  /** When the latest answer came, monotonic milliseconds. */
  #answeredAt = Number.NEGATIVE_INFINITY;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Whether the time of an answer that comes now would add anything. */
  get wantsTime(): boolean {
    return this.#clock.monotonic() - this.#answeredAt >= FRESH_MS || this.doubtful;
  }

  /** SQS has just answered. @param at the time in the answer, in epoch milliseconds. */
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

  /** SQS has stamped a message. @param at the stamp in epoch milliseconds: the time now is no earlier. */
  stamped(at: number | undefined): void {
    if (at === undefined) return;
    const stamp = at - this.#clock.monotonic();
    if (stamp > this.#stamp) this.#stamp = stamp;
  }

  /** The middle of the three clocks' times, in epoch milliseconds. Before SQS's first answer, this machine's time. */
  now(): number {
    const { wall, monotonic } = this.#clock;
    const own = wall();
    if (this.#answer === undefined) return own;
    const now = monotonic();
    const answered = this.#answer + now;
    return Math.max(Math.min(own, answered), Math.min(Math.max(own, answered), this.#stamp + now));
  }

  /** The later of this machine's time and that of SQS's answers, in epoch milliseconds. */
  latest(): number {
    const { wall, monotonic } = this.#clock;
    return Math.max(wall(), this.#answer === undefined ? 0 : this.#answer + monotonic());
  }

  /**
   * Milliseconds since an arbitrary start, for leases: monotonic time, plus the time that SQS's answers show to have
   * passed beyond it. Monotonic time stands still while the machine is suspended, but leases end.
   */
  elapsed(): number {
    return this.#clock.monotonic() + this.#suspended;
  }

  /**
   * Whether this machine's clock has jumped ahead since SQS's latest answer: it was set, or the machine was suspended. The
   * next answer will show.
   */
  get doubtful(): boolean {
    if (this.#own === undefined) return false;
    const { wall, monotonic } = this.#clock;
    return wall() - monotonic() - this.#own > JUMP_MS;
  }
}
