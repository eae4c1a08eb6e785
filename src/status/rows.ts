/** The figures of a status in words, for every view. PURE. */
import type { ShownLimit } from '../observe/health.ts';
import { counted, number, percent } from '../text/numbers.ts';
import { instant, roughDuration } from '../text/times.ts';
import { epochMs } from '../time/instant.ts';
import { type AskedWorker, type Depth, type Problem, type Status, sumOf } from './status.ts';

/** A name and its text. */
export type Row = readonly [name: string, value: string];

/** Less noise than this is not shown. */
const LEAST_NOISE = 0.001;
/** The most different limits shown. */
const MAX_LIMITS = 4;

export function statusRows(status: Status): Row[] {
  const { totals, queues, drain, workers } = status;
  const answered = workers.some(({ ok }) => ok);
  const rows: Row[] = [];
  if (answered) rows.push(['calls', callsText(status)]);
  const { apiLimit } = totals.rate;
  if (apiLimit !== null) rows.push(['API limit', apiLimitText(apiLimit, status.now)]);
  const limits = limitsText(status);
  if (limits !== undefined) rows.push(['limits', limits]);
  rows.push(['backlog', backlogText(status)]);
  rows.push(['to drain', 'seconds' in drain ? drainText(drain.seconds) : `not known: ${drain.unknown}`]);
  if (answered) {
    const { held, inFlight, deferred } = totals;
    rows.push([
      'at work',
      `${number(held)} held, of these ${number(inFlight)} in calls; ${number(deferred)} deferred`,
    ]);
  }
  rows.push(['dead letters', deadText(status, answered)]);
  if (queues.outcome !== undefined) rows.push(['outcomes', `${about(queues.outcome)} wait on their queue`]);
  if (answered) rows.push(['Redis', redisText(status)]);
  return rows;
}

function callsText({ totals, now }: Status): string {
  const { rate, calls, callsPerSecond } = totals;
  const parts = [`${perSecond(callsPerSecond)} of ${rateText(rate.inForce)} in force`];
  if (rate.foundSince !== null && rate.apiLimit === null)
    parts.push(`the API takes ${rateText(rate.found)} ${since(rate.foundSince, now)}`);
  parts.push(`ceiling ${rateText(rate.ceiling)}`);
  if (calls.made > 0) parts.push(`${percent(calls.throttled / calls.made, 1)} throttled since the start`);
  return parts.join('; ');
}

/** `about 198/s (±2%) since 09:12:07, 3m 20s; noise 1%`, or `about 600 in 60 s since …`. */
function apiLimitText(
  { perSecond, within, since: from, periodSeconds, noise }: ShownLimit,
  now: number,
): string {
  const about =
    periodSeconds === null
      ? rateText(perSecond)
      : `${number(Math.round(perSecond * periodSeconds))} in ${number(Math.round(periodSeconds))} s`;
  const sure = within === null ? '' : ` (±${Math.max(1, Math.round(100 * within))}%)`;
  const noisy = noise < LEAST_NOISE ? '' : `; noise ${percent(noise, 1)}`;
  return `about ${about}${sure} ${since(from, now)}${noisy}`;
}

const settings = { rate: 'RATE_LIMIT', concurrency: 'MAX_CONCURRENCY' } as const;

/** What lowers the limits of workers below those of their environments, and its source; undefined if nothing does. */
function limitsText({ workers }: Status): string | undefined {
  const said = workers.flatMap((worker) => {
    const limits = worker.ok ? worker.status.limits : undefined;
    if (limits === undefined) return [];
    return (['rate', 'concurrency'] as const).flatMap((bound) => {
      const { value, source, by, reason } = limits[bound];
      if (source === 'environment' || value === null) return [];
      const why = [by, reason].filter((part) => part !== undefined).join(': ');
      return [
        `${settings[bound]} ${number(value)} by ${source === 'file' ? 'LIMITS_FILE' : 'Redis'}${why && ` (${why})`}`,
      ];
    });
  });
  return said.length === 0 ? undefined : [...new Set(said)].slice(0, MAX_LIMITS).join('; ');
}

function backlogText({ backlog, queues, totals, now }: Status): string {
  if (backlog === undefined) return 'not known: the update queue was not read';
  const { visible, inFlight, delayed, readAt } = queues.source ?? {};
  const parts = [
    `${number(visible ?? 0)} waiting`,
    `${number(inFlight ?? 0)} received or deferred`,
    ...(delayed ? [`${number(delayed)} delayed`] : []),
  ];
  const age = totals.oldestAgeSeconds === 0 ? '' : `; oldest held ${roughDuration(totals.oldestAgeSeconds)}`;
  const read = readAt === undefined ? '' : `; read ${roughDuration((now - epochMs(readAt)) / 1_000)} ago`;
  return `about ${number(backlog)}: ${parts.join(', ')}${age}${read}`;
}

function drainText(seconds: number): string {
  return seconds === 0 ? 'nothing' : `about ${roughDuration(seconds)}, if nothing more arrives`;
}

function deadText({ queues, totals }: Status, answered: boolean): string {
  const depth = queues.deadLetter === undefined ? 'an unknown number' : about(queues.deadLetter);
  const reasons = Object.entries(totals.deadLetteredByReason).map(
    ([reason, count]) => `${reason} ${number(count)}`,
  );
  if (!answered) return `${depth} on their queue`;
  return `${depth} on their queue; since the start ${reasons.join(', ') || 'none'}`;
}

function redisText({ totals: { redis }, now }: Status): string {
  if (redis.state === 'none') return 'not used: each worker uses the whole of its own RATE_LIMIT';
  const from = since(redis.since, now);
  if (redis.state === 'shared') return `one rate shared by ${counted(redis.of, 'worker')}, ${from}`;
  return `${number(redis.alone)} of ${counted(redis.of, 'worker')} without it ${from}, each with a part of the rate`;
}

function about(depth: Depth): string {
  const sum = sumOf(depth);
  return sum === undefined ? 'an unknown number' : number(sum);
}

/** A worker on one line: where, state, calls and messages, since when, version. */
export function workerCells(worker: AskedWorker, now: number): readonly string[] {
  const { where } = worker;
  if (!worker.ok) return [where, 'no answer', '', '', '', ''];
  const { state, version, calls, messages, conditions } = worker.status;
  const blocked = conditions.some(({ effect }) => effect !== 'noted');
  const shown = state === 'running' && blocked ? 'blocked' : state;
  return [
    where,
    shown,
    perSecond(calls.perSecond),
    number(messages.held),
    when(worker.status.since, now),
    version,
  ];
}

export const workerHead = ['WORKER', 'STATE', 'CALLS', 'HELD', 'SINCE (UTC)', 'VERSION'] as const;

export function problemText({ where, why, since: from, until, error }: Problem, now: number): string {
  const known = [
    error,
    from === undefined ? undefined : since(from, now),
    until === undefined ? undefined : `until ${when(until, now)}`,
  ].filter((part) => part !== undefined);
  const [first = '', ...others] = where;
  const also = others.length === 0 ? '' : ` and ${counted(others.length, 'other')}`;
  return `${first}${also}: ${why}${known.length === 0 ? '' : ` (${known.join(', ')})`}`;
}

/** `since 00:12:07, 3m 20s`. */
function since(iso: string, now: number): string {
  return `since ${when(iso, now)}, ${roughDuration((now - epochMs(iso)) / 1_000)}`;
}

/** In UTC, with its date unless that is the date of `now`. */
function when(iso: string, now: number): string {
  const [at, today] = [instant(epochMs(iso)), instant(now)];
  return at.slice(0, 10) === today.slice(0, 10) ? at.slice(11) : at.slice(0, 16);
}

function perSecond(rate: number): string {
  return `${rate > 0 && rate < 100 ? rate.toFixed(1) : number(Math.round(rate))}/s`;
}

function rateText(rate: number | null): string {
  return rate === null ? 'no limit' : `${number(Math.round(rate * 10) / 10)}/s`;
}
