/** Fewer calls show no share. */
const FEW = 5;
/** Below this share the queue limits the calls, not the rate. */
const USED = 0.8;
/** Fewer calls per second than this, far below the rate, show nothing about what the API accepts. */
export const QUIET = 20;

/** The share of the rate that is used, over windows of a second or of twenty calls, whichever is longer. */
export class UtilizationMeter {
  #windowStart = Number.NEGATIVE_INFINITY;
  #calls = 0;
  #allowed = 0;
  #last = 0;
  #lastPerSecond = Number.POSITIVE_INFINITY;
  /** Of the last full window. */
  share: number;

  /** @param share assumed until there is a full window. */
  constructor(share = 1) {
    this.share = share;
  }

  /** A call has ended at `now`. @param rate calls per second that were allowed since the previous call. */
  add(now: number, rate: number): void {
    if (this.#windowStart === Number.NEGATIVE_INFINITY) {
      this.#windowStart = now;
      this.#last = now;
      return;
    }
    this.#calls++;
    this.#allowed += (rate * (now - this.#last)) / 1_000;
    this.#last = now;
    if (now - this.#windowStart < 1_000 || (this.#calls < 20 && this.#allowed < 20)) return;
    this.share =
      this.#allowed > 0 && this.#allowed < Number.POSITIVE_INFINITY ? this.#calls / this.#allowed : 1;
    this.#lastPerSecond = (this.#calls * 1_000) / (now - this.#windowStart);
    this.#windowStart = now;
    this.#calls = 0;
    this.#allowed = 0;
  }

  /** Excludes this time from all windows. */
  leaveOut(from: number, to: number): void {
    this.#windowStart += to - Math.max(from, this.#windowStart);
    this.#last = to;
  }

  /** Whether the rate limits the calls, according to full windows. */
  get isUsed(): boolean {
    return this.share >= USED;
  }

  /** As `isUsed`, but as soon as there are some calls. */
  get isUsedSoFar(): boolean {
    return this.shareSoFar >= USED;
  }

  /** Whether the queue is slow, so that the measured rate is no limit. */
  isQuiet(now: number): boolean {
    return !this.isUsedSoFar && this.perSecond(now) < QUIET;
  }

  /** Of the last full window; before the first, of the current window as soon as it has some calls. */
  get shareSoFar(): number {
    const first = this.#lastPerSecond === Number.POSITIVE_INFINITY;
    return first && this.#calls >= FEW && this.#allowed > 0 ? this.#calls / this.#allowed : this.share;
  }

  /** Calls per second in the last full window or the current one, whichever is higher. */
  perSecond(now: number): number {
    if (this.#lastPerSecond !== Number.POSITIVE_INFINITY)
      return Math.max(this.#lastPerSecond, this.#partial(now));
    return this.#partial(now) || Number.POSITIVE_INFINITY;
  }

  #partial(now: number): number {
    const elapsed = now - this.#windowStart;
    return elapsed > 0 ? (this.#calls * 1_000) / elapsed : 0;
  }
}
