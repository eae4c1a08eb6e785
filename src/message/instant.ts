/** Times in messages: ISO 8601, to the minute or finer. PURE. */
import { z } from 'zod';

const date = z.regexes.date.source.slice(1, -1);
const time = String.raw`T(?:[01]\d|2[0-3]):[0-5]\d(?::[0-5]\d(?:\.\d+)?)?`;

/** One in UTC, as producers are to write it. */
export const utcPattern = new RegExp(`^${date}${time}Z$`);

/** Its zone must be said: `Date.parse` takes a time without one for local time. */
const zonedPattern = new RegExp(String.raw`^${date}${time}(?:Z|[+-](?:[01]\d|2[0-3]):[0-5]\d)$`);

/** Most characters of one. */
export const MAX_INSTANT = 40;

/** @returns epoch milliseconds; undefined for anything that is not such a time with a zone. */
export function parseInstant(value: unknown): number | undefined {
  if (typeof value !== 'string' || value.length > MAX_INSTANT || !zonedPattern.test(value)) return undefined;
  return Date.parse(value);
}
