/**
 * How fast this worker gets through messages, as measured. The rate in force does not show this: other workers may share it,
 * and slow calls under a low concurrency limit may not reach it.
 */

/** How far back `lately` looks, in milliseconds. */
const RECENT_MS = 1_000;
/** Calls must have waited this long in total before `possible` gives a figure, in milliseconds. */
const LEAST_BUSY_MS = 1_000;
/** Once this much has been measured (milliseconds, and calls), earlier measurements count half. */
const FORGET_AFTER_MS = 2_000;
const FORGET_AFTER_CALLS = 8;

/** All times are monotonic milliseconds. */
export class Pace {
  #windowFrom = 0;
  #inWindow = 0;
  #inWindowBefore = 0;
  /** While calls wait to start: since when the next start is due. */
  #busySince: number | undefined;
  #busyMs = 0;
  #busyStarts = 0;

  /** A message has ended without a call. */
  passed(now: number): void {
    this.#roll(now);
    this.#inWindow++;
  }

  /** A call starts. @param waits other calls wait, and calls are not paused. */
  started(now: number, waits: boolean): void {
    this.passed(now);
    if (this.#busySince !== undefined) {
      this.#busyMs += now - this.#busySince;
      this.#busyStarts++;
      if (this.#busyMs >= FORGET_AFTER_MS && this.#busyStarts >= FORGET_AFTER_CALLS) {
        this.#busyMs /= 2;
        this.#busyStarts /= 2;
      }
    }
    this.#busySince = waits ? now : undefined;
  }

  /** Messages called for, or ended without a call, in about the last second. */
  lately(now: number): number {
    this.#roll(now);
    return this.#inWindow + this.#inWindowBefore * (1 - (now - this.#windowFrom) / RECENT_MS);
  }

  /**
   * Calls per second that can be started while there are enough messages; `Infinity` until this is known.
   * @param waits calls wait, and are not paused: only such time is measured. Call this method whenever `waits` may have
   * changed.
   */
  possible(now: number, waits: boolean): number {
    if (!waits) this.#busySince = undefined;
    else this.#busySince ??= now;
    const busyMs = this.#busyMs + (this.#busySince === undefined ? 0 : now - this.#busySince);
    return busyMs < LEAST_BUSY_MS
      ? Number.POSITIVE_INFINITY
      : (Math.max(1, this.#busyStarts) / busyMs) * 1_000;
  }

  #roll(now: number): void {
    const age = now - this.#windowFrom;
    if (age < RECENT_MS) return;
    this.#inWindowBefore = age < 2 * RECENT_MS ? this.#inWindow : 0;
    this.#inWindow = 0;
    this.#windowFrom = age < 2 * RECENT_MS ? this.#windowFrom + RECENT_MS : now;
  }
}
