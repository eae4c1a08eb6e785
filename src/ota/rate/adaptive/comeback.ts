/**
 * Attempts to return to the rate before a deep cut: another caller's use of the limit, or a temporary fall of it, ends at some
 * time. Each failed attempt costs throttled calls, so the next one is made later.
 *
 *   idle ── a deep cut from a settled rate ─► waiting ── the time has come ─► an attempt ── it fails ─► waiting, for longer
 *                                             waiting ── nothing is throttled any more ─► an attempt
 *
 * Times are monotonic milliseconds, rates calls per second.
 */
import type { Tuning } from './tuning.ts';

/** An attempt begins only when the rate is below this share of the earlier one. */
const WORTH_IT = 0.9;
/** An attempt has succeeded at this share of the earlier rate. */
const REACHED = 0.95;

interface Cut {
  /** The rate before it. */
  readonly rate: number;
  readonly at: number;
}

export class Comeback {
  readonly #tuning: Tuning['comeback'];
  /** The rates that were cut, each lower than the one before it, and when. */
  #before: readonly Cut[] = [];
  #waitMs = 0;
  #nextAt = Number.POSITIVE_INFINITY;

  constructor(tuning: Tuning['comeback']) {
    this.#tuning = tuning;
  }

  /** Whether there is an earlier rate to return to. */
  get known(): boolean {
    return this.#before.length > 0;
  }

  /** A rate that was in force has been cut deep. */
  remember(now: number, rate: number): void {
    const higher = this.#before.filter((earlier) => earlier.rate > rate && this.#isRecent(now, earlier));
    this.#before = [...higher, { rate, at: now }];
    this.#waitMs = 1_000 * this.#tuning.after;
    this.wait(now);
  }

  /** An attempt has failed. */
  failed(now: number): void {
    this.#waitMs = Math.min(1_000 * this.#tuning.most, 2 * this.#waitMs);
    this.wait(now);
  }

  /** Postpones the next attempt by the current time between two attempts. */
  wait(now: number): void {
    this.#nextAt = now + this.#waitMs;
  }

  /** Whether an attempt from `rate` should begin. @param calm nothing was throttled for so long that it may begin early. */
  due(now: number, rate: number, calm: boolean): boolean {
    const highest = this.#highest(now);
    return highest !== undefined && (calm || now >= this.#nextAt) && rate < WORTH_IT * highest;
  }

  /** Whether an attempt has succeeded. The earlier rates are then forgotten. */
  reached(now: number, rate: number): boolean {
    const highest = this.#highest(now);
    if (highest !== undefined && rate < REACHED * highest) return false;
    this.#before = [];
    return true;
  }

  /** The highest rate that is worth returning to. Each counts from its own cut. */
  #highest(now: number): number | undefined {
    return this.#before.find((each) => this.#isRecent(now, each))?.rate;
  }

  #isRecent(now: number, { at }: Cut): boolean {
    return now - at < 1_000 * this.#tuning.remembered;
  }
}
