/** Times written as text. PURE. */

/** The digits of a second's fraction beyond its milliseconds. */
const BEYOND_MS = /(\.[0-9]{3})[0-9]+/;

/**
 * Epoch milliseconds of a time in ISO 8601. As `Date.parse`, except for fractions of ten digits and more: there V8 drops the
 * fraction's leading zeros, and reads `.000999999999` as 999 ms. Digits finer than a millisecond are cut off, not rounded.
 * @returns NaN for anything that is not a time.
 */
export function epochMs(iso: string): number {
  return Date.parse(iso.replace(BEYOND_MS, '$1'));
}
