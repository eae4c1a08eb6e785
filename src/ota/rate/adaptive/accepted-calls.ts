/** Calls are counted in spans of this length, in milliseconds; the number of spans kept makes ten minutes. */
const SPAN_MS = 250;
const SPANS = 2_400;

/** Counts the accepted calls of the last ten minutes. Times are monotonic milliseconds. */
export class AcceptedCalls {
  /** By span number, in order of time. */
  readonly #counts = new Map<number, number>();

  add(now: number): void {
    const span = Math.floor(now / SPAN_MS);
    this.#counts.set(span, (this.#counts.get(span) ?? 0) + 1);
    if (this.#counts.size <= SPANS) return;
    const [oldest] = this.#counts.keys();
    if (oldest !== undefined) this.#counts.delete(oldest);
  }

  /** Calls per second in the last `ms`, to a quarter of a second. @param ms above 0. */
  perSecond(now: number, ms: number): number {
    let calls = 0;
    for (const [span, count] of this.#counts) if ((span + 1) * SPAN_MS > now - ms) calls += count;
    return (calls * 1_000) / ms;
  }
}
