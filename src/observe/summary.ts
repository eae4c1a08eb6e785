/** The log's summary line, made from a worker's counts. */
import type { Counts } from '../worker/activity.ts';
import type { WorkerSnapshot } from '../worker/snapshot.ts';
import { shownConditions, shownLimit } from './health.ts';
import { limitNews } from './limit-news.ts';
import { writeLine } from './log-events.ts';
import { logLines } from './log-lines.ts';
import type { Logger } from './logger.ts';

/** Time between summary lines, in milliseconds. */
export const SUMMARY_EVERY_MS = 10_000;

/** Looks between two lines about the API's limit: a minute. */
const LOOKS_APART = 6;

/** The names of the numeric properties. */
type NumberOf<T> = { [Key in keyof T]: T[Key] extends number ? Key : never }[keyof T];

const summedUp = [
  'applied',
  'superseded',
  'deadLettered',
  'deferred',
  'released',
  'calls',
  'throttled',
  'failed',
] as const satisfies readonly NumberOf<Counts>[];

/**
 * Logs a summary of each interval in which something happened, a message was held, or updates could not go through; and the
 * API's limit when it is found.
 * @returns a function that stops it, after a last line.
 */
export function logSummaries(log: Logger, counts: Counts, snapshot: () => WorkerSnapshot): () => void {
  let last = copyOf(counts);
  const tellLimit = limitNews(log, LOOKS_APART);
  const write = (): void => {
    const now = snapshot();
    tellLimit(now);
    const before = last;
    last = copyOf(counts);
    const differences = summedUp.map((name) => [name, last[name] - before[name]] as const);
    const conditions = shownConditions(now);
    const nothingHappened = now.held === 0 && differences.every(([, difference]) => difference === 0);
    if (nothingHappened && conditions.every(({ effect }) => effect === 'noted')) return;
    writeLine(log, logLines.summary, () => ({
      ...(Object.fromEntries(differences) as Record<(typeof summedUp)[number], number>),
      callErrors: increase(before.callErrors, last.callErrors),
      queueErrors: increase(before.queueErrors, last.queueErrors),
      held: now.held,
      inFlight: now.inFlight,
      gate: now.gate,
      rate: perSecond(now.rate),
      rateFound: perSecond(now.rateFound),
      apiLimit: shownLimit(now)?.perSecond,
      rateCeiling: perSecond(now.rateCeiling),
      rateBudget: now.rateBudget,
      rateFleet: now.rateFleet,
      conditions: conditions.length === 0 ? undefined : conditions,
    }));
  };
  const timer = setInterval(write, SUMMARY_EVERY_MS);
  return () => {
    clearInterval(timer);
    write();
  };
}

/** A copy, since the counts continue to change. */
function copyOf(counts: Counts): Counts {
  return { ...counts, callErrors: new Map(counts.callErrors), queueErrors: new Map(counts.queueErrors) };
}

/** The increase of each count since then, by name; undefined if there was none. */
function increase(
  before: ReadonlyMap<string, number>,
  now: ReadonlyMap<string, number>,
): Readonly<Record<string, number>> | undefined {
  const more = [...now].flatMap(([name, count]) => {
    const difference = count - (before.get(name) ?? 0);
    return difference === 0 ? [] : [[name, difference] as const];
  });
  return more.length === 0 ? undefined : Object.fromEntries(more);
}

/** JSON has no Infinity. */
function perSecond(rate: number): number | 'unlimited' {
  return Number.isFinite(rate) ? rate : 'unlimited';
}
