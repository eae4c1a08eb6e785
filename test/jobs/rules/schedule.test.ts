import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { CommandError } from '../../../src/errors.ts';
import {
  closesAt,
  expectedEnd,
  isOpen,
  isOver,
  nextOpening,
  type Schedule,
} from '../../../src/jobs/rules/schedule.ts';
import {
  formatWindow,
  isWindow,
  parseSchedule,
  parseSeconds,
  parseZone,
  refuseNever,
} from '../../../src/jobs/rules/times.ts';

const at = (iso: string): number => Date.parse(iso);
const iso = (ms: number | undefined): string | undefined =>
  ms === undefined ? undefined : new Date(ms).toISOString().slice(0, 16);

/** Of a window in Berlin, where clocks went forward at 01:00 UTC on 29 March 2026, and back at 01:00 UTC on 25 October. */
function berlin(text: string): Schedule {
  return parseSchedule({ between: text, tz: 'Europe/Berlin' }, 0);
}

describe('a window of the day', () => {
  test.each([
    ['in winter', '01:00-05:00', '2026-01-10T12:00Z', '2026-01-11T00:00', '2026-01-11T04:00'],
    ['in summer', '01:00-05:00', '2026-07-10T12:00Z', '2026-07-10T23:00', '2026-07-11T03:00'],
    ['that is open', '01:00-05:00', '2026-01-10T02:00Z', '2026-01-10T02:00', '2026-01-10T04:00'],
    [
      'at the minute that it opens',
      '01:00-05:00',
      '2026-01-10T00:00Z',
      '2026-01-10T00:00',
      '2026-01-10T04:00',
    ],
    [
      'at the minute that it closes',
      '01:00-05:00',
      '2026-01-10T04:00Z',
      '2026-01-11T00:00',
      '2026-01-11T04:00',
    ],
    ['over midnight, before it', '22:00-02:00', '2026-01-10T20:59Z', '2026-01-10T21:00', '2026-01-11T01:00'],
    ['over midnight, after it', '22:00-02:00', '2026-01-10T23:30Z', '2026-01-10T23:30', '2026-01-11T01:00'],
    ['to midnight', '22:00-24:00', '2026-01-10T12:00Z', '2026-01-10T21:00', '2026-01-10T23:00'],
    [
      'over the skipped hour: an hour shorter',
      '01:00-05:00',
      '2026-03-28T12:00Z',
      '2026-03-29T00:00',
      '2026-03-29T03:00',
    ],
    [
      'that begins in the skipped hour: after it',
      '02:30-04:00',
      '2026-03-28T12:00Z',
      '2026-03-29T01:00',
      '2026-03-29T02:00',
    ],
    [
      'that ends in the skipped hour: before it',
      '01:00-02:30',
      '2026-03-28T12:00Z',
      '2026-03-29T00:00',
      '2026-03-29T01:00',
    ],
    [
      'within the skipped hour: the day after',
      '02:15-02:45',
      '2026-03-28T12:00Z',
      '2026-03-30T00:15',
      '2026-03-30T00:45',
    ],
    [
      'over the doubled hour: an hour longer',
      '01:00-05:00',
      '2026-10-24T12:00Z',
      '2026-10-24T23:00',
      '2026-10-25T04:00',
    ],
    [
      'within the doubled hour: first',
      '02:15-02:45',
      '2026-10-24T12:00Z',
      '2026-10-25T00:15',
      '2026-10-25T00:45',
    ],
    [
      'within the doubled hour: again',
      '02:15-02:45',
      '2026-10-25T00:50Z',
      '2026-10-25T01:15',
      '2026-10-25T01:45',
    ],
    [
      'that ends in the doubled hour: first',
      '01:00-02:30',
      '2026-10-24T12:00Z',
      '2026-10-24T23:00',
      '2026-10-25T00:30',
    ],
    [
      'that ends in the doubled hour: again',
      '01:00-02:30',
      '2026-10-25T00:40Z',
      '2026-10-25T01:00',
      '2026-10-25T01:30',
    ],
  ])('%s', (_, window, now, opens, closes) => {
    const schedule = berlin(window);
    const opening = nextOpening(schedule, at(now));
    expect(iso(opening)).toBe(opens);
    expect(isOpen(schedule, at(now))).toBe(opening === at(now));
    expect(iso(closesAt(schedule, opening ?? 0))).toBe(closes);
  });

  test('a zone that skipped a whole day', () => {
    const schedule = parseSchedule({ between: '09:00-10:00', tz: 'Pacific/Apia' }, 0);
    expect(iso(nextOpening(schedule, at('2011-12-29T21:00Z')))).toBe('2011-12-30T19:00');
  });

  const time = fc
    .nat({ max: 1_439 })
    .map((m) => `${String(Math.floor(m / 60)).padStart(2, '0')}:${String(m % 60).padStart(2, '0')}`);

  test('opens at the first minute that is in it, and closes at the first that is not, all the year in any zone', () => {
    const zones = [
      'Europe/Berlin',
      'America/New_York',
      'Australia/Lord_Howe',
      'UTC',
      'Asia/Kathmandu',
      'America/St_Johns',
    ];
    const [first, last] = [at('2026-01-01T00:00Z'), at('2026-12-31T00:00Z')];
    fc.assert(
      fc.property(
        time,
        time,
        fc.constantFrom(...zones),
        // Half of them about the changes of the clock.
        fc.oneof(
          fc.integer({ min: first / 60_000, max: last / 60_000 }),
          fc
            .constantFrom('2026-03-08', '2026-03-29', '2026-04-04', '2026-10-03', '2026-10-25', '2026-11-01')
            .chain((day) =>
              fc
                .integer({ min: -1_500, max: 1_500 })
                .map((minutes) => at(`${day}T00:00Z`) / 60_000 + minutes),
            ),
        ),
        (from, to, tz, minute) => {
          fc.pre(from !== to);
          const schedule = parseSchedule({ between: `${from}-${to}`, tz }, 0);
          const format = new Intl.DateTimeFormat('en-GB', {
            timeZone: tz,
            hour: '2-digit',
            minute: '2-digit',
          });
          const inside = (ms: number): boolean => {
            const shown = format.format(ms);
            return from < to ? shown >= from && shown < to : shown >= from || shown < to;
          };
          const now = minute * 60_000;
          const opening = nextOpening(schedule, now) ?? Number.NaN;
          const closing = closesAt(schedule, opening) ?? Number.NaN;
          let expected = now;
          while (!inside(expected)) expected += 60_000;
          expect(iso(opening)).toBe(iso(expected));
          while (inside(expected)) expected += 60_000;
          expect(iso(closing)).toBe(iso(expected));
          expect(isOpen(schedule, now)).toBe(inside(now));
        },
      ),
      { numRuns: 100 },
    );
  });
});

describe('start and deadline', () => {
  const now = at('2026-11-29T12:00Z');
  test('hold sending back, and end it', () => {
    const schedule = { startAt: now + 60_000, deadline: now + 120_000 };
    expect(isOpen(schedule, now)).toBe(false);
    expect(nextOpening(schedule, now)).toBe(now + 60_000);
    expect(isOpen(schedule, now + 60_000)).toBe(true);
    expect(closesAt(schedule, now + 60_000)).toBe(now + 120_000);
    expect(isOver(schedule, now + 119_999)).toBe(false);
    expect(isOver(schedule, now + 120_000)).toBe(true);
    expect(isOpen(schedule, now + 120_000)).toBe(false);
    expect(nextOpening(schedule, now + 120_000)).toBeUndefined();
    expect(nextOpening({}, now)).toBe(now);
    expect(closesAt({}, now)).toBeUndefined();
  });

  test('a start within the window of the day, and a deadline before it closes', () => {
    const schedule = parseSchedule(
      {
        between: '01:00-05:00',
        tz: 'Europe/Berlin',
        startAt: '2026-12-01T02:30',
        deadline: '2026-12-02T03:00',
      },
      now,
    );
    expect(iso(nextOpening(schedule, now))).toBe('2026-12-01T01:30');
    expect(iso(nextOpening(schedule, at('2026-12-01T04:00Z')))).toBe('2026-12-02T00:00');
    expect(iso(closesAt(schedule, at('2026-12-02T00:00Z')))).toBe('2026-12-02T02:00');
    expect(nextOpening(schedule, at('2026-12-02T02:00Z'))).toBeUndefined();
  });

  test.each([
    ['2026-12-01T01:00Z', undefined, '2026-12-01T01:00'],
    ['2026-12-01T01:00:30+01:00', undefined, '2026-12-01T00:00'],
    ['2026-12-01T01:00', 'Europe/Berlin', '2026-12-01T00:00'],
    ['2026-12-01T01:00-05:00', 'Europe/Berlin', '2026-12-01T06:00'],
    ['90m', undefined, '2026-11-29T13:30'],
  ])('reads %s in %s', (startAt, tz, expected) => {
    const { startAt: found } = parseSchedule({ startAt, ...(tz !== undefined && { tz }) }, now);
    expect(iso(found)).toBe(expected);
  });

  test.each<[Parameters<typeof parseSchedule>[0], RegExp]>([
    [
      { startAt: 'tomorrow' },
      /^--start-at tomorrow: give a date and a time of the day, as in --start-at 2026/,
    ],
    [{ startAt: '2026-12-01' }, /give a date and a time/],
    [{ startAt: '2026-13-01T01:00Z' }, /no such date or time/],
    [{ startAt: '2026-02-30T01:00Z' }, /no such date or time/],
    [{ startAt: '2026-12-01T25:00Z' }, /no such date or time/],
    [{ startAt: '2026-12-01T01:00' }, /say in which time zone/],
    [{ startAt: '2026-03-29T02:30', tz: 'Europe/Berlin' }, /clocks in Europe\/Berlin never show that time/],
    [{ startAt: '2026-10-25T02:30', tz: 'Europe/Berlin' }, /show that time twice: say \+02:00 or \+01:00/],
    [{ startAt: '0s' }, /give a date/],
    [{ startAt: '\u001b[2J' }, /^--start-at [ -~]*: give a date/],
    [{ deadline: '2026-11-29T11:59Z' }, /that time has passed/],
    [{ tz: 'Europe/Berlin' }, /--tz is the time zone of/],
    [{ between: '01:00-05:00' }, /say in which time zone with --tz/],
    [{ between: '01:00-05:00', tz: 'Europe/Berln' }, /no such time zone\. Did you mean "Europe\/Berlin"\?/],
    [{ between: '01:00-05:00', tz: '+01:00' }, /no such time zone/],
    [{ between: '01:00-05:00', tz: '2026-01-01T00:00Z' }, /no such time zone/],
    [{ between: '01:00-01:00', tz: 'UTC' }, /the window never opens: it ends when it begins/],
    [{ between: '00:00-24:00', tz: 'UTC' }, /that is the whole day/],
    [{ between: '1:00-5:00', tz: 'UTC' }, /give two times of the day/],
    [{ between: '25:00-05:00', tz: 'UTC' }, /give two times of the day/],
    [{ between: '01:00', tz: 'UTC' }, /as in --between 01:00-05:00 --tz Europe\/Berlin\.$/],
  ])('%j is refused', (texts, fault) => {
    expect(() => parseSchedule(texts, now)).toThrow(CommandError);
    expect(() => parseSchedule(texts, now)).toThrow(fault);
  });

  test.each<[Parameters<typeof parseSchedule>[0], RegExp]>([
    [
      { startAt: '2h', deadline: '1h' },
      /--start-at, 2026-11-29 14:00:00 UTC, is not before the deadline, 2026-11-29 13:00:00 UTC/,
    ],
    [
      { between: '01:00-05:00', tz: 'UTC', deadline: '1h' },
      /the window 01:00-05:00 in UTC does not open before the deadline/,
    ],
  ])('%j never opens', (texts, fault) => {
    expect(() => refuseNever(parseSchedule(texts, now), now)).toThrow(CommandError);
    expect(() => refuseNever(parseSchedule(texts, now), now)).toThrow(fault);
    expect(() =>
      refuseNever({ ...parseSchedule(texts, now), deadline: now + 30 * 3_600_000 }, now),
    ).not.toThrow();
  });
});

describe('the expected end', () => {
  const window = { between: { from: '01:00', to: '05:00', tz: 'Europe/Berlin' } };
  const noon = at('2026-03-27T12:00Z');
  test.each<[string, Schedule, number, string | undefined]>([
    ['is soon without a window', {}, 3_600, '2026-03-27T13:00'],
    ['is after the start', { startAt: at('2026-03-27T14:00Z') }, 3_600, '2026-03-27T15:00'],
    ['is in the first window', window, 3_600, '2026-03-28T01:00'],
    ['is at its end', window, 4 * 3_600, '2026-03-28T04:00'],
    ['is in the next one, which is an hour shorter', window, 6 * 3_600, '2026-03-29T02:00'],
    ['is in the third one', window, 8 * 3_600, '2026-03-30T00:00'],
    ['is after the deadline', { ...window, deadline: at('2026-03-29T02:00Z') }, 8 * 3_600, undefined],
    ['is far away', window, 1e9, undefined],
  ])('%s', (_, schedule, seconds, end) => {
    expect(iso(expectedEnd(schedule, noon, seconds))).toBe(end);
  });
});

test('zones are written as the IANA database does', () => {
  expect(parseZone('europe/berlin')).toBe('Europe/Berlin');
  expect(parseZone('utc')).toBe('UTC');
});

test('a ledger holds windows, and nothing else is one', () => {
  const { between } = berlin('01:00-05:00');
  expect(between && formatWindow(between)).toBe('01:00-05:00 Europe/Berlin');
  expect(isWindow(between)).toBe(true);
  for (const value of [
    null,
    {},
    { from: '01:00', to: '01:00', tz: 'UTC' },
    { from: '01:00', to: '05:00', tz: 'Mars' },
  ])
    expect(isWindow(value)).toBe(false);
});

test.each([
  ['90s', 90],
  ['10m', 600],
  ['8h', 28_800],
  ['2d', 172_800],
])('%s is %d seconds', (text, seconds) => {
  expect(parseSeconds('--soak', text)).toBe(seconds);
});

test.each(['', '10', '0m', '1.5h', '366d', '-1s', '1w'])('%j is no time to wait', (text) => {
  expect(() => parseSeconds('--soak', text)).toThrow(/^--soak .*: give a time such as/);
});
