/** Times in messages: ISO 8601, to the minute or finer. PURE. */
import { z } from 'zod';
import { epochMs } from '../time/instant.ts';
import { limitedText } from './json-schema.ts';

const date = z.regexes.date.source.slice(1, -1).replaceAll('\\d', '[0-9]');
const time = String.raw`T(?:[01][0-9]|2[0-3]):[0-5][0-9](?::[0-5][0-9](?:\.[0-9]+)?)?`;

/** A time in UTC, as producers must write it. */
const utcPattern = new RegExp(`^${date}${time}Z$`);

/** The time zone is required: without one, `Date.parse` assumes local time. */
const zonedPattern = new RegExp(`^${date}${time}(?:Z|[+-](?:[01][0-9]|2[0-3]):[0-5][0-9])$`);

/** The most characters in a time. */
const MAX_INSTANT = 40;

/** A time in UTC, as producers must write it and as the worker writes it. */
export const utcInstant = limitedText(
  '0-9TZ:.-',
  MAX_INSTANT,
  'must be an ISO 8601 time in UTC, such as 2026-11-23T07:00:00Z',
  utcPattern,
);

/** @returns epoch milliseconds; undefined for anything that is not such a time with a zone. */
export function parseInstant(value: unknown): number | undefined {
  if (typeof value !== 'string' || value.length > MAX_INSTANT || !zonedPattern.test(value)) return undefined;
  return epochMs(value);
}
