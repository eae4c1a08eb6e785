/** Reads the times given for a job's schedule. PURE: the present time is passed in. */
import { Temporal } from 'temporal-polyfill';
import { type CommandError, misuse } from '../../errors.ts';
import { didYouMean } from '../../text/nearest.ts';
import { shortPrintable } from '../../text/printable.ts';
import { instant, roughDuration } from '../../text/times.ts';
import { type DailyWindow, nextOpening, type Schedule } from './schedule.ts';

/** The texts as given: `--start-at`, `--between`, `--tz`, `--deadline`. */
export interface ScheduleTexts {
  readonly startAt?: string;
  readonly between?: string;
  readonly tz?: string;
  readonly deadline?: string;
}

/**
 * Reads the given texts; the result contains nothing else.
 * @param now epoch milliseconds: durations begin here.
 * @throws CommandError that says what is wrong with it.
 */
export function parseSchedule({ startAt, between, tz, deadline }: ScheduleTexts, now: number): Schedule {
  const zone = tz === undefined ? undefined : parseZone(tz);
  if (zone !== undefined && startAt === undefined && between === undefined && deadline === undefined)
    throw misuse('--tz is the time zone of --between, --start-at or --deadline: give one of them, too.');
  const end = deadline === undefined ? undefined : parseTime('--deadline', deadline, zone, now);
  if (end !== undefined && end <= now)
    throw misuse(
      `--deadline ${shortPrintable(deadline ?? '')}: that time has passed: nothing would be sent.`,
    );
  return {
    ...(startAt !== undefined && { startAt: parseTime('--start-at', startAt, zone, now) }),
    ...(between !== undefined && { between: parseWindow(between, zone) }),
    ...(end !== undefined && { deadline: end }),
  };
}

/** How far `--start-at` may be in the past: the user's clock may differ, and typing takes a while. In milliseconds. */
const GRACE_MS = 5 * 60_000;

/**
 * Refuses times that are given now and have passed: with a wrong year or zone, the job would be sent immediately, or never. Values that
 * the job already has may be given again, as when a command is run once more.
 * @param before what the job has. @param given what is given now.
 * @throws CommandError that says which, and what to do.
 */
export function refusePast(before: Schedule, given: Schedule, now: number): void {
  const { startAt, between } = given;
  if (startAt !== undefined && startAt !== before.startAt && startAt < now - GRACE_MS)
    throw misuse(
      `--start-at, ${instant(startAt)} UTC, was ${roughDuration((now - startAt) / 1_000)} ago: the job would be sent at once. ` +
        'Give a time in the future, or leave --start-at out. Nothing was changed.',
    );
  const { deadline } = { ...before, ...given };
  if (deadline === undefined || now < deadline || (startAt === undefined && between === undefined)) return;
  throw misuse(
    `Nothing would be sent: the job's deadline, ${instant(deadline)} UTC, has passed. Give a later --deadline, too. Nothing was changed.`,
  );
}

/** @throws CommandError if the schedule will never be open. */
export function refuseNever(schedule: Schedule, now: number): void {
  const { startAt, between, deadline } = schedule;
  if (deadline === undefined || now >= deadline || nextOpening(schedule, now) !== undefined) return;
  const end = `the deadline, ${instant(deadline)} UTC`;
  if (startAt !== undefined && startAt >= deadline)
    throw misuse(`Nothing would be sent: --start-at, ${instant(startAt)} UTC, is not before ${end}.`);
  const window = between === undefined ? '' : ` ${between.from}-${between.to} in ${between.tz}`;
  throw misuse(`Nothing would be sent: the window${window} does not open before ${end}.`);
}

/**
 * @returns the zone's name as the IANA database writes it.
 * @throws CommandError if there is no such zone.
 */
export function parseZone(text: string): string {
  const zone = zoneOf(text);
  if (zone !== undefined) return zone;
  const zones = Intl.supportedValuesOf('timeZone');
  throw misuse(
    `--tz ${shortPrintable(text)}: there is no such time zone.${didYouMean(text, zones)} Give a name of the IANA database, such as Europe/Berlin or UTC.`,
  );
}

function zoneOf(text: string): string | undefined {
  // Offsets have no clock changes, and Temporal also accepts whole dates as zones.
  if (!/^[A-Za-z][\w+/-]{0,63}$/.test(text)) return undefined;
  if (/^utc$/i.test(text)) return 'UTC';
  try {
    return Temporal.Instant.fromEpochMilliseconds(0).toZonedDateTimeISO(text).timeZoneId;
  } catch {
    return undefined;
  }
}

/** Whether a value from a ledger is a window that {@link parseSchedule} made. */
export function isWindow(value: unknown): value is DailyWindow {
  if (typeof value !== 'object' || value === null) return false;
  const { from, to, tz } = value as Readonly<Record<string, unknown>>;
  const isTime = (time: unknown): boolean => typeof time === 'string' && TIME.test(time);
  return isTime(from) && isTime(to) && from !== to && typeof tz === 'string' && zoneOf(tz) !== undefined;
}

const TIME = /^(?:[01]\d|2[0-3]):[0-5]\d$/;

function parseWindow(text: string, tz: string | undefined): DailyWindow {
  const wrong = (fault: string): CommandError =>
    misuse(`--between ${shortPrintable(text)}: ${fault}, as in --between 01:00-05:00 --tz Europe/Berlin.`);
  const [, from = '', to = ''] = /^\s*([^\s-]*)\s*-\s*([^\s-]*)\s*$/.exec(text) ?? [];
  // 24:00 is the end of a day.
  const end = to === '24:00' ? '00:00' : to;
  if (!TIME.test(from) || !TIME.test(end)) throw wrong('give two times of the day from 00:00 to 24:00');
  if (from === end) {
    if (to === '24:00') throw wrong('that is the whole day: leave --between out');
    throw wrong('the window never opens: it ends when it begins');
  }
  if (tz === undefined) throw wrong('say in which time zone with --tz');
  return { from, to: end, tz };
}

/** The window in the form in which it is given. */
export function formatWindow({ from, to, tz }: DailyWindow): string {
  return `${from}-${to} ${tz}`;
}

const UNITS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3_600, d: 86_400 };

/**
 * Reads `90s`, `10m`, `8h`, `2d`.
 * @returns whole seconds.
 * @throws CommandError that says what is wrong with it.
 */
export function parseSeconds(flag: string, text: string): number {
  const seconds = secondsOf(text);
  if (seconds !== undefined) return seconds;
  throw misuse(`${flag} ${shortPrintable(text)}: give a time such as 90s, 10m, 8h or 2d, up to 365d.`);
}

function secondsOf(text: string): number | undefined {
  const [, amount, unit = ''] = /^([1-9]\d{0,7})([smhd])$/.exec(text.trim()) ?? [];
  const seconds = Number(amount) * (UNITS[unit] ?? 0);
  return seconds > 0 && seconds <= 365 * 86_400 ? seconds : undefined;
}

/** Epoch milliseconds. */
function parseTime(flag: string, text: string, tz: string | undefined, now: number): number {
  const seconds = secondsOf(text);
  if (seconds !== undefined) return now + seconds * 1_000;
  const wrong = (fault: string): CommandError =>
    misuse(
      `${flag} ${shortPrintable(text)}: ${fault}, as in ${flag} 2026-12-01T01:00Z, 2026-12-01T01:00+01:00, 2026-12-01T01:00 with --tz Europe/Berlin, or 8h from now.`,
    );
  const time = text.trim();
  const [, local = '', offset] = /^(\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d)?)(Z|[+-]\d\d:\d\d)?$/.exec(time) ?? [];
  if (local === '') throw wrong('give a date and a time of the day');
  try {
    if (offset !== undefined) return Temporal.Instant.from(time).epochMilliseconds;
    if (tz === undefined) return noZone(wrong);
    return inZone(Temporal.PlainDateTime.from(local), tz, wrong);
  } catch (error) {
    if (error instanceof RangeError) throw wrong('there is no such date or time');
    throw error;
  }
}

function noZone(wrong: (fault: string) => CommandError): never {
  throw wrong('say in which time zone');
}

function inZone(local: Temporal.PlainDateTime, tz: string, wrong: (fault: string) => CommandError): number {
  const earlier = local.toZonedDateTime(tz, { disambiguation: 'earlier' });
  const later = local.toZonedDateTime(tz, { disambiguation: 'later' });
  if (earlier.epochMilliseconds === later.epochMilliseconds) return earlier.epochMilliseconds;
  if (!earlier.toPlainDateTime().equals(local))
    throw wrong(`clocks in ${tz} never show that time: they are put forward then`);
  throw wrong(
    `clocks in ${tz} show that time twice: say ${earlier.offset} or ${later.offset} after it for the one that is meant`,
  );
}
