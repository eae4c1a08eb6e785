/** Time, passed in so that tests can control it. */

export interface Clock {
  /** Epoch milliseconds; may jump when the machine's clock is set. For ages, records and logs. */
  readonly wall: () => number;
  /** Milliseconds since some start; never jumps. For leases, backoff and rates. */
  readonly monotonic: () => number;
}

export const systemClock: Clock = { wall: Date.now, monotonic: performance.now.bind(performance) };

/** Calls `end` once, in `ms` milliseconds at the earliest, unless the returned function is called before. */
export type StartTimer = (ms: number, end: () => void) => () => void;

export const systemTimer: StartTimer = (ms, end) => {
  const timer = setTimeout(end, ms);
  return () => clearTimeout(timer);
};

/** What a timer can wait at most, 24.8 days: set to more, it would end at once. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/** Waits `ms` milliseconds, 24.8 days at most, or until `signal` aborts: never rejects. */
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
