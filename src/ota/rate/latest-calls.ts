/** The latest calls, to tell overload from a single throttled call. */

/** Measured from the first throttled call among the latest: since then the API has been at its limit. */
export interface Overload {
  /** Calls that have ended since. */
  readonly calls: number;
  /** Share of them that was throttled. */
  readonly throttledShare: number;
  /** Calls accepted per second; `Infinity` when no time has passed. */
  readonly acceptedPerSecond: number;
}

export class LatestCalls {
  readonly #size: number;
  readonly #calls: { readonly endedAt: number; readonly throttled: boolean }[] = [];

  /** @param size number of calls kept. */
  constructor(size: number) {
    this.#size = size;
  }

  add(endedAt: number, throttled: boolean): void {
    this.#calls.push({ endedAt, throttled });
    if (this.#calls.length > this.#size) this.#calls.shift();
  }

  /** The first throttled call only starts the measurement: counted, it would make the share too large. */
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
