/** Time, passed in so that tests can control it. */

export interface Clock {
  /** Epoch milliseconds; may jump when the machine's clock is set. For ages, records and logs. */
  readonly wall: () => number;
  /** Milliseconds since some start; never jumps. For leases, backoff and rates. */
  readonly monotonic: () => number;
}

export const systemClock: Clock = { wall: Date.now, monotonic: performance.now.bind(performance) };

/** Waits `ms` milliseconds, or until `signal` aborts: never rejects. */
export async function sleep(ms: number, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  await new Promise<void>((resolve) => {
    const end = (): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', end);
      resolve();
    };
    const timer = setTimeout(end, ms);
    signal.addEventListener('abort', end, { once: true });
  });
}
