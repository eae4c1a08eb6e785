/** A ramp: few rows in flight at first, and more with every so many good ends. PURE. */
import { type CommandError, misuse } from '../../errors.ts';
import { shortPrintable } from '../../text/printable.ts';

export interface Ramp {
  /** Rows in flight at first. */
  readonly from: number;
  /** Above 1. */
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
  if (Number(factor) <= 1) throw wrong(`it never grows: x${factor} is not above 1`);
  if (!/^[1-9]\d{0,8}$/.test(after)) throw wrong('after the slash comes a whole number of good ends from 1');
  return { from: Number(from), factor: Number(factor), after: Number(after) };
}

/** The ramp as it is given. */
export function formatRamp({ from, factor, after }: Ramp): string {
  return `${from}:x${factor}/${after}`;
}

/** For what a ledger holds. */
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

/** Rows in flight at most, after so many good ends. */
export function rampRoom({ from, factor, after }: Ramp, good: number): number {
  return Math.floor(from * factor ** Math.floor(good / after));
}
