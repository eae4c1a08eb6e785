/**
 * When a job may send: from a given time, in a daily window, until a deadline. PURE: the time is passed in.
 *
 * A window is open whenever the local time of its time zone is in it. When clocks change, nothing is therefore sent in an hour that
 * is skipped, and the window may be open twice in an hour that occurs twice. Clock changes follow the IANA database.
 */
import { Temporal } from 'temporal-polyfill';
import { instant } from '../../text/times.ts';

/** Stored with the job as a whole, as JSON. */
export interface Schedule {
  /** Epoch milliseconds. */
  readonly startAt?: number;
  readonly between?: DailyWindow;
  /** From then on nothing is sent; epoch milliseconds. */
  readonly deadline?: number;
}

export interface DailyWindow {
  /** `01:00`: the window begins with this minute. */
  readonly from: string;
  /** `05:00`: the window ends before this minute. If earlier than `from`, on the next day. */
  readonly to: string;
  /** Name in the IANA database: `Europe/Berlin`. */
  readonly tz: string;
}

/** A window in a skipped hour opens on the next day; a date may be skipped, too. */
const DAYS_AHEAD = 4;

/** Whether the start time has come, the window is open, and the deadline has not passed. */
export function isOpen({ startAt, between, deadline }: Schedule, now: number): boolean {
  if (startAt !== undefined && now < startAt) return false;
  if (deadline !== undefined && now >= deadline) return false;
  return between === undefined || isIn(between, now);
}

/** Whether nothing may ever be sent again. */
export function isOver({ deadline }: Schedule, now: number): boolean {
  return deadline !== undefined && now >= deadline;
}

/**
 * When sending may begin, in epoch milliseconds: `now` if it already may.
 * @returns undefined: never, because of the deadline.
 */
export function nextOpening(schedule: Schedule, now: number): number | undefined {
  const { startAt = now, between, deadline } = schedule;
  let opening: number | undefined = Math.max(now, startAt);
  if (between !== undefined && !isIn(between, opening))
    opening = edgesAfter(between, opening).find((edge) => isIn(between, edge));
  return opening === undefined || (deadline !== undefined && opening >= deadline) ? undefined : opening;
}

/** Why a job is not sent before `until`, as a sentence without its full stop. @param until epoch milliseconds. */
export function opensText(until: number): string {
  return `It sends from ${instant(until)} UTC on`;
}

/**
 * When a schedule that is open now closes next, in epoch milliseconds.
 * @returns undefined: never.
 */
export function closesAt({ between, deadline }: Schedule, now: number): number | undefined {
  const closing =
    between === undefined ? undefined : edgesAfter(between, now).find((edge) => !isIn(between, edge));
  if (closing === undefined || deadline === undefined) return closing ?? deadline;
  return Math.min(closing, deadline);
}

/** Longer jobs get no estimate. */
const MAX_OPENINGS = 1_000;

/**
 * When a job ends that needs `seconds` of sending from `now` on, in epoch milliseconds.
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

/** The times after `now`, in order, at which {@link isIn} may change: the window's ends, and clock changes. */
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
