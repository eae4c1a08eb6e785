/** A ramp: few rows in flight at first, and more after each given number of good ends. PURE. */
import { type CommandError, misuse } from '../../errors.ts';
import { counted } from '../../text/numbers.ts';
import { shortPrintable } from '../../text/printable.ts';

export interface Ramp {
  /** Rows in flight at first. */
  readonly from: number;
  /** Above 1. For a new ramp, large enough that every step adds at least one row and 1%. */
  readonly factor: number;
  /** Good ends after which the rows in flight are multiplied by the factor. */
  readonly after: number;
}

const EXAMPLE =
  'as in --ramp 50:x2/200: 50 rows in flight at first, and twice as many after every 200 good ends';

/**
 * Reads `50:x2/200`.
 * @throws CommandError that says what is wrong with it, and gives an example.
 */
export function parseRamp(text: string): Ramp {
  const wrong = (fault: string): CommandError =>
    misuse(`--ramp '${shortPrintable(text)}': ${fault}, ${EXAMPLE}.`);
  const match = /^([^:]*):\s*x([^/]*)\/(.*)$/s.exec(text.trim());
  if (match === null) throw wrong('give rows in flight, a colon, x and a factor, a slash, and good ends');
  const [from = '', factor = '', after = ''] = match.slice(1).map((part) => part.trim());
  if (!/^[1-9]\d{0,8}$/.test(from)) throw wrong('before the colon comes a whole number of rows from 1');
  if (!/^\d{1,3}(\.\d{1,3})?$/.test(factor)) throw wrong('the factor is a number, at most 999');
  const least = leastFactor(Number(from));
  if (Number(factor) < least)
    throw wrong(
      `it never grows: every step must add at least one row and 1%, so from ${counted(Number(from), 'row')} the factor must be x${least} or more`,
    );
  if (!/^[1-9]\d{0,8}$/.test(after)) throw wrong('after the slash comes a whole number of good ends from 1');
  return { from: Number(from), factor: Number(factor), after: Number(after) };
}

/**
 * With this factor every step adds at least one row and, at many rows, 1%. Seventy steps then double the rows in flight; nobody wants
 * a slower ramp. Given to three decimal places, as factors are.
 */
function leastFactor(from: number): number {
  return Math.max(1_010, 1_000 + Math.ceil(1_000 / from)) / 1_000;
}

/** The ramp in the form in which it is given. */
export function formatRamp({ from, factor, after }: Ramp): string {
  return `${from}:x${factor}/${after}`;
}

/** Checks a value from a ledger. */
export function isRamp(value: unknown): value is Ramp {
  if (typeof value !== 'object' || value === null) return false;
  const { from, factor, after } = value as Readonly<Record<string, unknown>>;
  return (
    Number.isSafeInteger(from) &&
    Number(from) >= 1 &&
    typeof factor === 'number' &&
    factor > 1 &&
    Number.isSafeInteger(after) &&
    Number(after) >= 1
  );
}

/** Maximum number of rows in flight after `good` good ends. */
export function rampRoom({ from, factor, after }: Ramp, good: number): number {
  return Math.floor(from * factor ** Math.floor(good / after));
}
