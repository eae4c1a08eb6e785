/**
 * Dates in HTTP headers (RFC 9110, 5.6.7). All three forms are in GMT, but `Date.parse` reads one of them as local time.
 */

const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];
const time = String.raw`(?<hour>\d\d):(?<minute>\d\d):(?<second>\d\d)`;
const month = `(?<month>${months.join('|')})`;
const day = '(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)';
const forms = [
  // IMF-fixdate: Sun, 06 Nov 1994 08:49:37 GMT
  new RegExp(String.raw`^${day}, (?<day>\d\d) ${month} (?<year>\d{4}) ${time} GMT$`),
  // RFC 850: Sunday, 06-Nov-94 08:49:37 GMT
  new RegExp(String.raw`^[A-Z][a-z]+day, (?<day>\d\d)-${month}-(?<year>\d\d) ${time} GMT$`),
  // asctime: Sun Nov  6 08:49:37 1994
  new RegExp(String.raw`^${day} ${month} (?<day>[ \d]\d) ${time} (?<year>\d{4})$`),
];

/**
 * Reads an HTTP date.
 * @param now epoch milliseconds, for years of two digits: such a year is at most 50 years ahead.
 * @returns epoch milliseconds; undefined when it has none of the three forms, or the calendar has no such date.
 */
export function parseHttpDate(text: string, now: number): number | undefined {
  for (const form of forms) {
    const found = form.exec(text)?.groups;
    if (found === undefined) continue;
    const date = Number(found.day);
    const at = new Date(0);
    at.setUTCFullYear(fullYear(found.year ?? '', now), months.indexOf(found.month ?? ''), date);
    const [hour, minute, second] = [Number(found.hour), Number(found.minute), Number(found.second)];
    // A leap second is the 61st.
    if (at.getUTCDate() !== date || hour > 23 || minute > 59 || second > 60) return undefined;
    return at.setUTCHours(hour, minute, second);
  }
  return undefined;
}

function fullYear(digits: string, now: number): number {
  if (digits.length === 4) return Number(digits);
  const present = new Date(now).getUTCFullYear();
  const year = present - (present % 100) + Number(digits);
  return year > present + 50 ? year - 100 : year;
}
