/** How the latest calls ended. */

/** What the latest calls say from the first throttled one on: from then on the API gave all that it had. */
export interface Overload {
  /** Calls that ended since. */
  readonly calls: number;
  /** What part of them was throttled. */
  readonly throttledShare: number;
  /** What was accepted a second; `Infinity` when no time has passed. */
  readonly acceptedPerSecond: number;
}

export class LatestCalls {
  readonly #size: number;
  readonly #calls: { readonly endedAt: number; readonly throttled: boolean }[] = [];

  /** @param size calls that are remembered. */
  constructor(size: number) {
    this.#size = size;
  }

  add(endedAt: number, throttled: boolean): void {
    this.#calls.push({ endedAt, throttled });
    if (this.#calls.length > this.#size) this.#calls.shift();
  }

  /**
   * The first throttled call itself only starts the clock: counted, it would make every share that follows a throttled
   * call too large.
   */
  overload(now: number): Overload {
    const first = this.#calls.findIndex(({ throttled }) => throttled);
    const start = this.#calls[first];
    const since = this.#calls.slice(first + 1);
    if (start === undefined || since.length === 0)
      return { calls: 0, throttledShare: 0, acceptedPerSecond: Number.POSITIVE_INFINITY };
    const throttled = since.filter((call) => call.throttled).length;
    const seconds = (now - start.endedAt) / 1_000;
    return {
      calls: since.length,
      throttledShare: throttled / since.length,
      acceptedPerSecond: seconds > 0 ? (since.length - throttled) / seconds : Number.POSITIVE_INFINITY,
    };
  }

  clear(): void {
    this.#calls.length = 0;
  }
}
