/** A worker's counts since its start, and the log's summary line made from them. */
import type { WorkerEvent, WorkerListener } from '../worker/events.ts';
import type { WorkerSnapshot } from '../worker/snapshot.ts';
import { logLines, writeLine } from './log-lines.ts';
import type { Logger } from './logger.ts';

export interface Counts {
  received: number;
  applied: number;
  superseded: number;
  deadLettered: number;
  deferred: number;
  released: number;
  calls: number;
  throttled: number;
  /** Calls that failed, other than by throttling. */
  failed: number;
  readonly deadLetteredByReason: Record<string, number>;
}

export function emptyCounts(): Counts {
  return {
    received: 0,
    applied: 0,
    superseded: 0,
    deadLettered: 0,
    deferred: 0,
    released: 0,
    calls: 0,
    throttled: 0,
    failed: 0,
    deadLetteredByReason: {},
  };
}

/** A listener that adds every event to `counts`. */
export function countEvents(counts: Counts): WorkerListener {
  return (event) => {
    if (event.type === 'received') counts.received += event.count;
    else if (event.type === 'attempt') countAttempt(counts, event);
    else if (event.type === 'settled') countSettled(counts, event);
  };
}

function countAttempt(counts: Counts, { failure }: Extract<WorkerEvent, { type: 'attempt' }>): void {
  counts.calls++;
  if (failure?.kind === 'throttled') counts.throttled++;
  else if (failure !== undefined) counts.failed++;
}

function countSettled(counts: Counts, { disposition }: Extract<WorkerEvent, { type: 'settled' }>): void {
  switch (disposition.action) {
    case 'acknowledge':
      counts[disposition.outcome]++;
      break;
    case 'dead-letter':
      counts.deadLettered++;
      counts.deadLetteredByReason[disposition.reason] =
        (counts.deadLetteredByReason[disposition.reason] ?? 0) + 1;
      break;
    case 'defer':
      counts.deferred++;
      break;
    case 'release':
      counts.released++;
      break;
  }
}

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
    const { held, inFlight, rate, gate } = snapshot();
    const differences = summedUp.map((name) => [name, counts[name] - last[name]] as const);
    last = { ...counts };
    if (held === 0 && differences.every(([, difference]) => difference === 0)) return;
    writeLine(log, logLines.summary, () => ({
      ...(Object.fromEntries(differences) as Record<(typeof summedUp)[number], number>),
      held,
      inFlight,
      gate,
      // JSON has no Infinity.
      rate: Number.isFinite(rate) ? rate : 'unlimited',
    }));
  };
  const timer = setInterval(write, SUMMARY_EVERY_MS);
  return () => {
    clearInterval(timer);
    write();
  };
}
