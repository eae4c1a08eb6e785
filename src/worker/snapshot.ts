/** The worker at one moment, for health and metrics. */
import type { Failure } from '../message/failure.ts';
import type { GateState } from '../ota/gate.ts';
import type { RateLimiter } from '../ota/rate/limiter.ts';
import type { Condition } from './conditions.ts';
import type { WorkerState } from './events.ts';
import type { Stages } from './stages.ts';

export interface WorkerSnapshot {
  readonly state: WorkerState;
  readonly gate: GateState;
  /** Why the gate is closed. */
  readonly gateReason: Failure | undefined;
  /** Since when, epoch milliseconds; undefined while it is open. */
  readonly gateSince: number | undefined;
  readonly queuesFound: boolean;
  /** All of them, raised or not. */
  readonly conditions: readonly Condition[];
  /** Letters that SQS refuses even without their record; kept and retried. */
  readonly refusedLetters: number;
  /** Outcomes that SQS refuses; kept and retried. */
  readonly refusedOutcomes: number;
  /** How long a poll has been wanted and none has ended, in milliseconds. */
  readonly pollStalledMs: number;
  readonly held: number;
  readonly inFlight: number;
  readonly onTrial: number;
  /** Messages that wait for the claim of another worker. */
  readonly awaitingClaim: number;
  readonly settling: number;
  /** Time since the oldest held message was received, in milliseconds. */
  readonly oldestHeldMs: number;
  /** Calls per second let through now; `Infinity` when unpaced. */
  readonly rate: number;
  /** What `rate` may rise to; `Infinity` for no limit. */
  readonly rateCeiling: number;
  readonly rateBudget: RateLimiter['budget'];
}

/** @param worker what the stages do not know; `now` in epoch milliseconds. */
export function snapshotOf(
  { calls, conditions, limiter, receiver, deadLetters, outcomes, trials, held, leases }: Stages,
  { state, queuesFound, now }: Pick<WorkerSnapshot, 'state' | 'queuesFound'> & { readonly now: number },
): WorkerSnapshot {
  const { gate, permits } = calls;
  return {
    state,
    gate: gate.state,
    gateReason: gate.reason,
    gateSince: gate.closed ? now - gate.closedMs : undefined,
    queuesFound,
    conditions: conditions.list(),
    refusedLetters: deadLetters.refused,
    refusedOutcomes: outcomes?.refused ?? 0,
    pollStalledMs: receiver.stalledMs,
    held: held.size,
    inFlight: permits.inFlight,
    onTrial: trials.open.size,
    awaitingClaim: calls.claimWaits.waiting,
    settling: held.settling,
    oldestHeldMs: held.oldest === undefined ? 0 : leases.heldMs(held.oldest),
    rate: limiter.rate,
    rateCeiling: limiter.ceiling,
    rateBudget: limiter.budget,
  };
}
