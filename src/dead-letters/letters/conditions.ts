/** Conditions on letters as a person writes them: `reason=Rejected`, `older=2h`. PURE. */
import { didYouMean } from '../../text/nearest.ts';
import { causeOf } from './causes.ts';
import { type Letter, letterReasons } from './letter.ts';

/** Whether a letter matches. @param now epoch milliseconds, the reference for ages. */
export type Filter = (letter: Letter, now: number) => boolean;

export type WhereResult =
  | { readonly ok: true; readonly matches: Filter; readonly text: readonly string[] }
  | { readonly ok: false; readonly message: string };

type Test = (letter: Letter, now: number) => boolean;
/** The test, or what is wrong with the value: the end of a sentence, with its full stop. */
type MakeTest = (value: string) => Test | string;

const same =
  (read: (letter: Letter) => string | undefined): MakeTest =>
  (value) =>
  (letter) =>
    read(letter) === value;

const age =
  (fits: (ageMs: number, boundMs: number) => boolean): MakeTest =>
  (value) => {
    const boundMs = readDuration(value);
    if (boundMs === undefined) return 'give an age, such as 90s, 30m, 2h or 3d.';
    return (letter, now) => fits(now - letter.arrivedAt, boundMs);
  };

/** How many characters of a message id suffice to name a letter. */
const MIN_ID = 8;

/** The fields. A letter matches if, for each field with conditions, it meets at least one of them. */
const fields: Readonly<Record<string, MakeTest>> = {
  group: (value) => {
    if (!/^[0-9a-f]{8}$/.test(value))
      return 'give the eight characters that `dead-letters list --group` shows.';
    return (letter) => causeOf(letter).group === value;
  },
  reason: (value) => {
    const reason = letterReasons.find((known) => known.toLowerCase() === value.toLowerCase());
    if (reason === undefined)
      return `the reasons are ${letterReasons.join(', ')}.${didYouMean(value, letterReasons)}`;
    return (letter) => letter.reason === reason;
  },
  error: same((letter) => letter.errorName),
  status: (value) => {
    if (!/^[1-9]\d\d$/.test(value)) return 'give an HTTP status, such as 404.';
    return (letter) => letter.errorStatus === Number(value);
  },
  job: same((letter) => letter.jobId),
  request: same((letter) => letter.requestId),
  identifier: same((letter) => letter.identifier),
  id: (value) => {
    if (value.length < MIN_ID) return `give at least ${MIN_ID} characters of the message id.`;
    return (letter) => letter.message.messageId.startsWith(value);
  },
  older: age((ageMs, boundMs) => ageMs > boundMs),
  newer: age((ageMs, boundMs) => ageMs <= boundMs),
};

export const whereFields: readonly string[] = Object.keys(fields);

/** @param conditions each as `FIELD=VALUE`. Without any, every letter matches. */
export function readWhere(conditions: readonly string[]): WhereResult {
  const byField = new Map<string, Test[]>();
  for (const condition of conditions) {
    const equals = condition.indexOf('=');
    const field = (equals === -1 ? condition : condition.slice(0, equals)).toLowerCase();
    const make = Object.hasOwn(fields, field) ? fields[field] : undefined;
    if (make === undefined)
      return {
        ok: false,
        message: `unknown field "${field.slice(0, 40)}"; the fields are ${whereFields.join(', ')}.${didYouMean(field, whereFields)}`,
      };
    const value = equals === -1 ? '' : condition.slice(equals + 1);
    if (value === '') return { ok: false, message: `${field}: give a value, as in --where ${field}=VALUE.` };
    const test = make(value);
    if (typeof test === 'string') return { ok: false, message: `${field}: ${test}` };
    byField.set(field, [...(byField.get(field) ?? []), test]);
  }
  const all = [...byField.values()];
  return {
    ok: true,
    matches: (letter, now) => all.every((any) => any.some((test) => test(letter, now))),
    text: conditions,
  };
}

/** Matches if both match. */
export function both(one: Filter, other: Filter): Filter {
  return (letter, now) => one(letter, now) && other(letter, now);
}

/** The argument of `show`: a message id or its beginning, a RequestId, or an Identifier. */
export function namedBy(name: string): Filter {
  return (letter) =>
    letter.requestId === name ||
    letter.identifier === name ||
    (name.length >= MIN_ID && letter.message.messageId.startsWith(name));
}

const units: Readonly<Record<string, number>> = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** `90s`, `30m`, `2h`, `3d` in milliseconds. */
export function readDuration(text: string): number | undefined {
  const [, amount, unit] = /^(\d{1,9})([smhd])$/.exec(text) ?? [];
  return unit === undefined ? undefined : Number(amount) * (units[unit] ?? 0);
}
