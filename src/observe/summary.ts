/** The log's summary line, made from a worker's counts. */
import type { Counts } from '../worker/activity.ts';
import type { WorkerSnapshot } from '../worker/snapshot.ts';
import { writeLine } from './log-events.ts';
import { logLines } from './log-lines.ts';
import type { Logger } from './logger.ts';

/** Time between summary lines, in milliseconds. */
export const SUMMARY_EVERY_MS = 10_000;

const summedUp = [
  'applied',
  'superseded',
  'deadLettered',
  'deferred',
  'released',
  'calls',
  'throttled',
  'failed',
] as const satisfies readonly (keyof Counts)[];

/**
 * Logs a summary of each interval in which something happened or a message was held.
 * @returns stops it, after a last line.
 */
export function logSummaries(log: Logger, counts: Counts, snapshot: () => WorkerSnapshot): () => void {
  let last = { ...counts };
  const write = (): void => {
    const { held, inFlight, rate, rateCeiling, rateBudget, gate } = snapshot();
    const differences = summedUp.map((name) => [name, counts[name] - last[name]] as const);
    last = { ...counts };
    if (held === 0 && differences.every(([, difference]) => difference === 0)) return;
    writeLine(log, logLines.summary, () => ({
      ...(Object.fromEntries(differences) as Record<(typeof summedUp)[number], number>),
      held,
      inFlight,
      gate,
      rate: perSecond(rate),
      rateCeiling: perSecond(rateCeiling),
      rateBudget,
    }));
  };
  const timer = setInterval(write, SUMMARY_EVERY_MS);
  return () => {
    clearInterval(timer);
    write();
  };
}

/** JSON has no Infinity. */
function perSecond(rate: number): number | 'unlimited' {
  return Number.isFinite(rate) ? rate : 'unlimited';
}
