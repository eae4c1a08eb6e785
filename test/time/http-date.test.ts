import fc from 'fast-check';
import { afterEach, describe, expect, test } from 'vitest';
import { parseHttpDate } from '../../src/time/http-date.ts';

const at = Date.parse('1994-11-06T08:49:37Z');
const { TZ } = process.env;
afterEach(() => {
  if (TZ === undefined) delete process.env.TZ;
  else process.env.TZ = TZ;
});

describe.each(['UTC', 'America/Los_Angeles', 'Asia/Kolkata'])('with %s for local time', (zone) => {
  test.each([
    ['IMF-fixdate', 'Sun, 06 Nov 1994 08:49:37 GMT'],
    ['RFC 850', 'Sunday, 06-Nov-94 08:49:37 GMT'],
    ['asctime', 'Sun Nov  6 08:49:37 1994'],
  ])('reads %s as GMT', (_, text) => {
    process.env.TZ = zone;
    expect(parseHttpDate(text, Date.parse('2026-11-23T07:00:00Z'))).toBe(at);
  });
});

test.each([
  ['no zone', 'Sun, 06 Nov 1994 08:49:37'],
  ['another zone', 'Sun, 06 Nov 1994 08:49:37 +0100'],
  ['ISO 8601', '1994-11-06T08:49:37Z'],
  ['no such day', 'Sun, 31 Feb 1994 08:49:37 GMT'],
  ['no such hour', 'Sun, 06 Nov 1994 24:00:00 GMT'],
  ['another month', 'Sun, 06 Nev 1994 08:49:37 GMT'],
  ['more behind it', 'Sun, 06 Nov 1994 08:49:37 GMT, Sun'],
  ['nothing', ''],
])('refuses %s', (_, text) => {
  expect(parseHttpDate(text, at)).toBeUndefined();
});

test.each([
  ['Monday, 23-Nov-26 07:00:00 GMT', 2026],
  ['Monday, 23-Nov-76 07:00:00 GMT', 2076],
  ['Monday, 23-Nov-77 07:00:00 GMT', 1977],
])('takes the year of %s for %i', (text, year) => {
  const parsed = parseHttpDate(text, Date.parse('2026-11-23T07:00:00Z')) ?? 0;
  expect(new Date(parsed).getUTCFullYear()).toBe(year);
});

test('reads back what toUTCString writes', () => {
  const seconds = fc.integer({ min: -60_000_000_000, max: 250_000_000_000 });
  fc.assert(
    fc.property(seconds, (s) => {
      fc.pre(/ \d{4} /.test(new Date(s * 1_000).toUTCString()));
      expect(parseHttpDate(new Date(s * 1_000).toUTCString(), 0)).toBe(s * 1_000);
    }),
  );
});
