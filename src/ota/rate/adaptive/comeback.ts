/**
 * Attempts to come back to the rate before a deep cut: what a stranger took, or a limit that fell for a while, is given back at
 * some time. Each attempt that fails costs throttled calls, so that the next one is made later.
 *
 *   idle ── a deep cut from a settled rate ─► waiting ── the time has come ─► an attempt ── it fails ─► waiting, for longer
 *                                             waiting ── nothing is throttled any more ─► an attempt
 *
 * Times are monotonic milliseconds, rates calls per second.
 */
import type { Tuning } from './tuning.ts';

/** An attempt begins only where less than this part of the rate before is left, */
const WORTH_IT = 0.9;
/** and has succeeded at this part. */
const REACHED = 0.95;

export class Comeback {
  readonly #tuning: Tuning['comeback'];
  #before: { readonly rate: number; readonly at: number } | undefined;
  #waitMs = 0;
  #nextAt = Number.POSITIVE_INFINITY;

  constructor(tuning: Tuning['comeback']) {
    this.#tuning = tuning;
  }

  /** Whether there is a rate to come back to. */
  get known(): boolean {
    return this.#before !== undefined;
  }

  /** A rate that was in force has been cut deep. */
  remember(now: number, rate: number): void {
    const { after, remembered } = this.#tuning;
    const earlier = this.#before;
    const isRecent = earlier !== undefined && now - earlier.at < 1_000 * remembered;
    this.#before = { rate: Math.max(rate, isRecent ? earlier.rate : 0), at: now };
    this.#waitMs = 1_000 * after;
    this.wait(now);
  }

  /** An attempt has failed. */
  failed(now: number): void {
    this.#waitMs = Math.min(1_000 * this.#tuning.most, 2 * this.#waitMs);
    this.wait(now);
  }

  /** No attempt is made before the time between two of them has passed. */
  wait(now: number): void {
    this.#nextAt = now + this.#waitMs;
  }

  /** Whether an attempt from `rate` is to begin. @param calm nothing was throttled for so long that it need not wait for its time. */
  due(now: number, rate: number, calm: boolean): boolean {
    const before = this.#before;
    return (
      before !== undefined &&
      (calm || now >= this.#nextAt) &&
      now - before.at < 1_000 * this.#tuning.remembered &&
      rate < WORTH_IT * before.rate
    );
  }

  /** Whether an attempt has succeeded; then there is nothing to come back to any more. */
  reached(rate: number): boolean {
    if (this.#before !== undefined && rate < REACHED * this.#before.rate) return false;
    this.#before = undefined;
    return true;
  }
}
