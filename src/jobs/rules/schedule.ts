/**
 * When a job may send: from a time on, in a window of the day, until a deadline. PURE: the time is passed in.
 *
 * A window is open whenever a clock on the wall of its time zone shows a time in it. Hence, where clocks are changed: in an hour that
 * is skipped nothing is sent, and in one that comes twice it may be open twice. Changes of the clock are as the IANA database has them.
 */
import { Temporal } from 'temporal-polyfill';
import { instant } from '../../text/times.ts';

/** All of it is kept with the job, as JSON. */
export interface Schedule {
  /** Epoch milliseconds. */
  readonly startAt?: number;
  readonly between?: DailyWindow;
  /** Nothing is sent from then on; epoch milliseconds. */
  readonly deadline?: number;
}

export interface DailyWindow {
  /** `01:00`; the window begins with this minute. */
  readonly from: string;
  /** `05:00`; it ends before this minute. Earlier than `from`: on the next day. */
  readonly to: string;
  /** Of the IANA database: `Europe/Berlin`. */
  readonly tz: string;
}

/** A window that falls into the hour that is skipped opens on the day after; a date may be skipped, too. */
const DAYS_AHEAD = 4;

/** Whether its time has come, its window is open, and its deadline has not passed. */
export function isOpen({ startAt, between, deadline }: Schedule, now: number): boolean {
  if (startAt !== undefined && now < startAt) return false;
  if (deadline !== undefined && now >= deadline) return false;
  return between === undefined || isIn(between, now);
}

/** Whether nothing may be sent any more, ever. */
export function isOver({ deadline }: Schedule, now: number): boolean {
  return deadline !== undefined && now >= deadline;
}

/**
 * When sending may begin, in epoch milliseconds: `now` when that is already so.
 * @returns undefined: never, because of the deadline.
 */
export function nextOpening(schedule: Schedule, now: number): number | undefined {
  const { startAt = now, between, deadline } = schedule;
  let opening: number | undefined = Math.max(now, startAt);
  if (between !== undefined && !isIn(between, opening))
    opening = edgesAfter(between, opening).find((edge) => isIn(between, edge));
  return opening === undefined || (deadline !== undefined && opening >= deadline) ? undefined : opening;
}

/** Why a job is not sent before then, as a sentence without its full stop. @param until epoch milliseconds. */
export function opensText(until: number): string {
  return `It sends from ${instant(until)} UTC on`;
}

/**
 * When sending must end next, in epoch milliseconds, of a schedule that is open now.
 * @returns undefined: never.
 */
export function closesAt({ between, deadline }: Schedule, now: number): number | undefined {
  const closing =
    between === undefined ? undefined : edgesAfter(between, now).find((edge) => !isIn(between, edge));
  if (closing === undefined || deadline === undefined) return closing ?? deadline;
  return Math.min(closing, deadline);
}

/** A job that takes longer is not reckoned with. */
const MAX_OPENINGS = 1_000;

/**
 * When a job ends that needs so many seconds of sending from `now` on, in epoch milliseconds.
 * @returns undefined: not before the deadline, or not within a few years.
 */
export function expectedEnd(schedule: Schedule, now: number, seconds: number): number | undefined {
  let left = seconds * 1_000;
  let opening = nextOpening(schedule, now);
  for (let i = 0; opening !== undefined && i < MAX_OPENINGS; i++) {
    const closing = closesAt(schedule, opening);
    if (closing === undefined || opening + left <= closing) return Math.round(opening + left);
    left -= closing - opening;
    opening = nextOpening(schedule, closing);
  }
  return undefined;
}

function isIn({ from, to, tz }: DailyWindow, now: number): boolean {
  const { hour, minute } = Temporal.Instant.fromEpochMilliseconds(now).toZonedDateTimeISO(tz);
  const [at, begin, end] = [hour * 60 + minute, minuteOf(from), minuteOf(to)];
  return begin < end ? at >= begin && at < end : at >= begin || at < end;
}

/** The instants after `now`, in order, between which {@link isIn} does not change: the window's ends, and changes of the clock. */
function edgesAfter({ from, to, tz }: DailyWindow, now: number): number[] {
  const start = Temporal.Instant.fromEpochMilliseconds(now).toZonedDateTimeISO(tz);
  const edges: number[] = [];
  for (let day = -1; day <= DAYS_AHEAD; day++) {
    const date = start.toPlainDate().add({ days: day });
    for (const minute of [minuteOf(from), minuteOf(to)]) {
      const time = date.toPlainDateTime({ hour: Math.floor(minute / 60), minute: minute % 60 });
      for (const disambiguation of ['earlier', 'later'] as const)
        edges.push(time.toZonedDateTime(tz, { disambiguation }).epochMilliseconds);
    }
  }
  const last = start.add({ days: DAYS_AHEAD }).epochMilliseconds;
  let change = start.getTimeZoneTransition('next');
  while (change !== null && change.epochMilliseconds <= last) {
    edges.push(change.epochMilliseconds);
    change = change.getTimeZoneTransition('next');
  }
  return edges.filter((edge) => edge > now).sort((a, b) => a - b);
}

/** Minutes since midnight. */
function minuteOf(time: string): number {
  const [hours = 0, minutes = 0] = time.split(':').map(Number);
  return (hours * 60 + minutes) % (24 * 60);
}
