import type { Tuning } from './tuning.ts';

/** Measured from the first throttled call among the latest calls: since then the API has been at its limit. */
export interface Overload {
  /** Calls that have ended since then. */
  readonly calls: number;
  /** The share of these calls that was throttled. */
  readonly throttledShare: number;
  /** Calls per second; `Infinity` when no time has passed, 0 when no call has ended. */
  readonly callsPerSecond: number;
  /** Calls accepted per second; `Infinity` when no time has passed. */
  readonly acceptedPerSecond: number;
}

/** Whether enough calls were throttled for a deep cut. */
export function isOverload({ calls, throttledShare }: Overload, { overload }: Tuning): boolean {
  return calls >= overload.calls && throttledShare > overload.share;
}

/** How much of a rate the API accepts, in calls per second. */
export function acceptedOf(rate: number, { acceptedPerSecond, throttledShare }: Overload): number {
  // The first is too low after a stall of this process, the second after small cuts.
  return Math.max(acceptedPerSecond, rate * (1 - throttledShare));
}

/** How the latest calls ended. */
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

  /** The first throttled call only starts the measurement: if counted, it would make the share too large. */
  overload(now: number): Overload {
    const first = this.#calls.findIndex(({ throttled }) => throttled);
    const start = this.#calls[first];
    const since = this.#calls.slice(first + 1);
    if (start === undefined || since.length === 0)
      return { calls: 0, callsPerSecond: 0, throttledShare: 0, acceptedPerSecond: Number.POSITIVE_INFINITY };
    const throttled = since.filter((call) => call.throttled).length;
    const seconds = (now - start.endedAt) / 1_000;
    return {
      calls: since.length,
      callsPerSecond: seconds > 0 ? since.length / seconds : Number.POSITIVE_INFINITY,
      throttledShare: throttled / since.length,
      acceptedPerSecond: seconds > 0 ? (since.length - throttled) / seconds : Number.POSITIVE_INFINITY,
    };
  }

  clear(): void {
    this.#calls.length = 0;
  }
}
