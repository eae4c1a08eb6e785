/** How long to wait before trying again: pure functions of a count and of a random number. */

export interface BackoffSettings {
  /** The longest first wait, in milliseconds. */
  readonly baseMs: number;
  /** The longest wait of all, in milliseconds. */
  readonly maxMs: number;
}

/**
 * Full jitter: a time between 0 and min(max, base * 2^(failures - 1)), in milliseconds.
 * @param failures the number of failures so far, from 1.
 * @param random uniform in [0, 1).
 */
export function fullJitter(settings: BackoffSettings, failures: number, random: () => number): number {
  const ceiling = Math.min(settings.maxMs, settings.baseMs * 2 ** Math.min(Math.max(failures, 1) - 1, 40));
  return random() * ceiling;
}
