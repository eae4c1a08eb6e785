/** Time, passed in so that tests can control it. */

export interface Clock {
  /** Epoch milliseconds; may jump when the machine's clock is set. For ages, records and logs. */
  readonly wall: () => number;
  /** Milliseconds since an arbitrary start; never jumps. For leases, backoff and rates. */
  readonly monotonic: () => number;
}

export const systemClock: Clock = { wall: Date.now, monotonic: performance.now.bind(performance) };

/** Calls `end` once, after at least `ms` milliseconds, unless the returned function is called first. */
export type StartTimer = (ms: number, end: () => void) => () => void;

export const systemTimer: StartTimer = (ms, end) => {
  const timer = setTimeout(end, ms);
  return () => clearTimeout(timer);
};

/** The longest wait of a timer, 24.8 days: a longer one would end at once. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/** Waits `ms` milliseconds, at most 24.8 days, or until `signal` aborts. Never rejects. */
export async function sleep(ms: number, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  await new Promise<void>((resolve) => {
    const end = (): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', end);
      resolve();
    };
    const timer = setTimeout(end, Math.min(ms, MAX_TIMER_MS));
    signal.addEventListener('abort', end, { once: true });
  });
}
