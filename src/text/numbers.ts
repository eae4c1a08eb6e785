/** Numbers for a person to read. PURE. */

import { lazily } from './lazily.ts';

const grouped = lazily(() => new Intl.NumberFormat('en'));

/** `12,345`. */
export function number(value: number): string {
  return grouped().format(value);
}

/** `1 row`, `12,345 rows`. */
export function counted(count: number, one: string, many = `${one}s`): string {
  return `${number(count)} ${count === 1 ? one : many}`;
}

/** A share from 0 to 1 as `12%`, rounded down, so that only the whole gives 100%. */
export function percent(share: number, fractionDigits = 0): string {
  return share.toLocaleString('en', {
    style: 'percent',
    minimumFractionDigits: fractionDigits,
    maximumFractionDigits: fractionDigits,
    roundingMode: 'floor',
  });
}

/**
 * The largest numbers accepted in flags and in the API: a whole number of 15 digits, and any other number up to a
 * billion.
 */
export const LARGEST = { whole: 999_999_999_999_999, number: 1_000_000_000 } as const;

/** A whole number from 1 as people write it; NaN for everything else. */
export function wholeOf(text: string): number {
  return /^[1-9]\d{0,14}$/.test(text) ? Number(text) : Number.NaN;
}

/** `10` or `0.5`; NaN for everything else, even if JavaScript accepts it: `1e3`, `0x10`, `Infinity`, ``. */
export function decimalOf(text: string): number {
  return /^\d{1,15}(?:\.\d{1,15})?$/.test(text) ? Number(text) : Number.NaN;
}
