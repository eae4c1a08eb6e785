/** What a worker has done since its start, for the summary in its log and for the sandbox. */
import type { Disposition } from '../message/disposition.ts';

/** Counts of a worker since its start. */
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

/** The counts of a worker that starts. */
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

/** Adds a message that was settled. */
export function countSettled(counts: Counts, disposition: Disposition): void {
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
