/** Instants and durations for a person to read. PURE. */
import { lazily } from './lazily.ts';

/** `2026-11-23 02:10:07`, in UTC. */
export function instant(epochMs: number): string {
  return new Date(epochMs).toISOString().replace('T', ' ').slice(0, 19);
}

const UNITS = [
  ['days', 86_400],
  ['hours', 3_600],
  ['minutes', 60],
  ['seconds', 1],
] as const;

type Parts = Partial<Record<(typeof UNITS)[number][0], number>>;

const long = lazily(() => new Intl.DurationFormat('en', { style: 'long' }));
const narrow = lazily(() => new Intl.DurationFormat('en', { style: 'narrow' }));
const clock = lazily(() => new Intl.DurationFormat('en', { style: 'digital', hoursDisplay: 'auto' }));

/** Exactly: `14 days`, `1 hour, 30 minutes`. Takes whole seconds. */
export function duration(seconds: number): string {
  return seconds === 0 ? '0 seconds' : long().format(partsOf(seconds, UNITS.length));
}

/** An estimate, by its two largest units: `1h 23m`. Less than a second is `1s`. */
export function roughDuration(seconds: number): string {
  return narrow().format(partsOf(Math.max(1, Math.round(seconds)), 2));
}

/** Remaining time as a countdown, without days: `1:02:03`, `2:03`. */
export function countdown(seconds: number): string {
  const [hours, left] = [Math.floor(seconds / 3_600), seconds % 3_600];
  const text = clock().format({ hours, minutes: Math.floor(left / 60), seconds: Math.floor(left % 60) });
  return text.replace(/^0(?=\d)/, '');
}

/** Whole seconds in `count` units, from the first one that is not zero. */
function partsOf(seconds: number, count: number): Parts {
  const first = UNITS.findIndex(([, size]) => seconds >= size);
  let left = seconds;
  const parts: Parts = {};
  for (const [unit, size] of UNITS.slice(first, first + count)) {
    parts[unit] = Math.floor(left / size);
    left %= size;
  }
  return parts;
}
