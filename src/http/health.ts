/** Health as pure functions of a snapshot. */
import type { WorkerSnapshot } from '../worker/snapshot.ts';

/** A receive loop that wants to poll and ends no poll for this long is dead, in milliseconds. */
export const STALLED_MS = 60_000;

export interface Health {
  readonly ok: boolean;
  /** Why not; empty when ok. */
  readonly reasons: readonly string[];
}

/** Alive unless the receive loop has died: paused, full and cut off from SQS are alive. */
export function liveness(now: WorkerSnapshot): Health {
  if (now.pollStalledMs <= STALLED_MS) return { ok: true, reasons: [] };
  return {
    ok: false,
    reasons: [`no poll has ended for ${Math.round(now.pollStalledMs / 1_000)} s though one is wanted`],
  };
}

const gateReasons = {
  outage: 'the API is failing for all',
  denied: 'the API denies everything: a policy may have been revoked',
  misconfigured: 'our credentials, clock or set-up are refused',
} as const;

/** Ready when updates go through: running, queues found and reachable, calls not paused. */
export function readiness(now: WorkerSnapshot): Health {
  const reasons: string[] = [];
  if (now.state !== 'running') reasons.push(`the worker is ${now.state}`);
  if (!now.queuesFound) reasons.push('the queues have not been found yet');
  if (!now.receiving) reasons.push('receiving from the queue fails');
  if (!now.deadLetterQueueReachable) reasons.push('the dead-letter queue does not take letters');
  if (now.refusedLetters > 0) reasons.push(`the dead-letter queue refuses ${now.refusedLetters} letters`);
  if (!now.outcomeQueueReachable) reasons.push('the outcome queue does not take outcomes');
  if (now.refusedOutcomes > 0) reasons.push(`the outcome queue refuses ${now.refusedOutcomes} outcomes`);
  if (now.gate !== 'open') {
    const failure = now.gateReason;
    reasons.push(
      `calls are paused: ${gateReasons[now.gate]}${failure === undefined ? '' : ` (${failure.name})`}`,
    );
  }
  return { ok: reasons.length === 0, reasons };
}
