/** Times written as texts. PURE. */

/** The digits of a second's fraction beyond its milliseconds. */
const BEYOND_MS = /(\.[0-9]{3})[0-9]+/;

/**
 * Epoch milliseconds of a time in ISO 8601, as `Date.parse` reads it, but for fractions of ten digits and more: there V8 drops the zeros
 * that the fraction begins with, and reads `.000999999999` as 999 ms. Finer than a millisecond is cut off, not rounded.
 * @returns NaN for what is no time.
 */
export function epochMs(iso: string): number {
  return Date.parse(iso.replace(BEYOND_MS, '$1'));
}
