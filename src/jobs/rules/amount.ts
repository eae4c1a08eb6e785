/** An amount of a job's rows: a number, or a percentage of all. PURE. */
import { misuse } from '../../errors.ts';
import { counted } from '../../text/numbers.ts';
import { shortPrintable } from '../../text/printable.ts';

/** Exactly one of the two. */
export type Amount = { readonly rows: number } | { readonly percent: number };

/**
 * Reads `500` or `1.5%`.
 * @param flag the flag it was given with: `--canary`.
 * @throws CommandError that says what is wrong with it.
 */
export function parseAmount(flag: string, text: string): Amount {
  const amount = readAmount(text.trim());
  if (amount !== undefined) return amount;
  throw misuse(
    `${flag} ${shortPrintable(text)}: give a number of rows from 1, or a share of all rows above 0% and up to 100%, as in 500 or 1%.`,
  );
}

/** The same, but gives undefined for an invalid amount. */
export function readAmount(text: string): Amount | undefined {
  const [, digits = '', sign] = /^(\d{1,9}(?:\.\d{1,6})?)(%?)$/.exec(text) ?? [];
  const value = Number(digits);
  if (digits === '' || value <= 0) return undefined;
  if (sign === '%') return value <= 100 ? { percent: value } : undefined;
  return digits.includes('.') ? undefined : { rows: value };
}

/** The amount in the form in which it is given. */
export function formatAmount(amount: Amount): string {
  return 'rows' in amount ? String(amount.rows) : `${amount.percent}%`;
}

/** The amount for a sentence: `500 rows`, `1% of the rows`. */
export function amountText(amount: Amount): string {
  return 'rows' in amount ? counted(amount.rows, 'row') : `${amount.percent}% of the rows`;
}

/** How many rows the amount is of `total`, rounded up; may be more than `total`. */
export function rowsOf(amount: Amount, total: number): number {
  // Rounded first: 7% of 100 would be 7.000000000000001.
  return 'rows' in amount ? amount.rows : Math.ceil(Number(((amount.percent * total) / 100).toFixed(6)));
}

/** Whether a value from a ledger is an amount that {@link readAmount} made. */
export function isAmount(value: unknown): value is Amount {
  if (typeof value !== 'object' || value === null) return false;
  const { rows, percent } = value as Readonly<Record<string, unknown>>;
  if (rows !== undefined) return percent === undefined && Number.isSafeInteger(rows) && Number(rows) >= 1;
  return typeof percent === 'number' && percent > 0 && percent <= 100;
}
