/** Running counts of a worker, for the summary line and for the sandbox's report. */
import type { WorkerEvent, WorkerListener } from '../worker/events.ts';
import type { WorkerSnapshot } from '../worker/snapshot.ts';
import type { Logger } from './logger.ts';

/** Counts since the start. */
export interface Counts {
  received: number;
  applied: number;
  superseded: number;
  deadLettered: number;
  deferred: number;
  released: number;
  calls: number;
  throttled: number;
  /** Calls that failed otherwise. */
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

/** How often the summary line is written, in milliseconds. */
export const SUMMARY_EVERY_MS = 10_000;

/**
 * Writes a summary of the last interval at `info`, unless there is nothing to say.
 * @returns stops it, after a last line.
 */
export function logSummaries(log: Logger, counts: Counts, snapshot: () => WorkerSnapshot): () => void {
  let last = { ...counts };
  const write = (): void => {
    const { held, inFlight, rate, gate } = snapshot();
    const line = {
      event: 'summary',
      applied: counts.applied - last.applied,
      superseded: counts.superseded - last.superseded,
      deadLettered: counts.deadLettered - last.deadLettered,
      deferred: counts.deferred - last.deferred,
      released: counts.released - last.released,
      calls: counts.calls - last.calls,
      throttled: counts.throttled - last.throttled,
      failed: counts.failed - last.failed,
    };
    last = { ...counts };
    const quiet = Object.values(line).every((value) => value === 0 || value === 'summary') && held === 0;
    // JSON has no Infinity.
    if (!quiet)
      log.info(
        { ...line, held, inFlight, gate, rate: Number.isFinite(rate) ? rate : 'unlimited' },
        'the last 10 s',
      );
  };
  const timer = setInterval(write, SUMMARY_EVERY_MS);
  return () => {
    clearInterval(timer);
    write();
  };
}
