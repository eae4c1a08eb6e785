/** Schemas of the API's requests. Unknown fields are refused, never ignored. PURE. */
import { z } from 'zod';
import { nearest } from '../../text/nearest.ts';
import { LARGEST } from '../../text/numbers.ts';
import { shortPrintable } from '../../text/printable.ts';

/** Maximum number of unknown fields that are named. */
const MOST_NAMED = 5;

/** An object with only these fields: a misspelt field must not be silently ignored. */
export function onlyFields<Shape extends z.ZodRawShape>(shape: Shape) {
  const names = Object.keys(shape);
  return z.strictObject(shape, {
    error: ({ code, keys }) =>
      code === 'unrecognized_keys' && Array.isArray(keys)
        ? unknownFields(keys.map(String), names)
        : undefined,
  });
}

function unknownFields(keys: readonly string[], names: readonly string[]): string {
  const said = keys.slice(0, MOST_NAMED).map((key) => named(key, names));
  return `there is no field ${said.join(', ')}`;
}

/** A phrase with an unknown name, and the known name closest to it. */
export function named(wrong: string, names: readonly string[]): string {
  const near = nearest(wrong, names);
  return `"${shortPrintable(wrong)}"${near === undefined ? '' : ` (did you mean "${near}"?)`}`;
}

/** The same limits as for flags. */
export const whole = z.number().int().min(1).max(LARGEST.whole);
export const positive = z.number().positive().max(LARGEST.number);

/** A whole number in a query, in decimal digits only. */
export function digits(least: number, most: number) {
  const say = `must be a whole number from ${least} to ${most}, in digits`;
  return z.preprocess(
    (text) => (typeof text === 'string' && /^\d{1,15}$/.test(text) ? Number(text) : undefined),
    z.number(say).int(say).min(least, say).max(most, say),
  );
}
