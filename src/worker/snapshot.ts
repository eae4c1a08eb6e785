/** The worker at one moment, for health and metrics. */
import type { Failure } from '../message/failure.ts';
import type { GateState } from '../ota/gate.ts';
import type { WorkerState } from './events.ts';
import type { Holdings } from './holdings.ts';
import type { Stages } from './stages.ts';

export interface WorkerSnapshot {
  readonly state: WorkerState;
  readonly gate: GateState;
  /** Why the gate is closed. */
  readonly gateReason: Failure | undefined;
  readonly queuesFound: boolean;
  /** False while receives fail. */
  readonly receiving: boolean;
  readonly deadLetterQueueReachable: boolean;
  /** Letters that SQS finds fault with whatever is left off; kept and tried again. */
  readonly refusedLetters: number;
  /** True also where no outcomes are published. */
  readonly outcomeQueueReachable: boolean;
  /** Outcomes that SQS finds fault with; kept and tried again. */
  readonly refusedOutcomes: number;
  /** How long a poll has been wanted and none has ended, in milliseconds. */
  readonly pollStalledMs: number;
  readonly held: number;
  readonly inFlight: number;
  readonly onTrial: number;
  readonly settling: number;
  /** Since the oldest message in hand was received, in milliseconds. */
  readonly oldestHeldMs: number;
  /** Calls per second let through now; `Infinity` when unpaced. */
  readonly rate: number;
}

export interface SnapshotSources extends Pick<WorkerSnapshot, 'state' | 'queuesFound' | 'rate'> {
  readonly stages: Stages;
  readonly holdings: Holdings;
  /** Epoch milliseconds. */
  readonly now: number;
}

export function snapshotOf({
  state,
  queuesFound,
  stages,
  holdings,
  now,
  rate,
}: SnapshotSources): WorkerSnapshot {
  const { gate, receiver, outbox, outcomes, permits, trials, settler } = stages;
  return {
    state,
    gate: gate.state,
    gateReason: gate.reason,
    queuesFound,
    receiving: !receiver.failing,
    deadLetterQueueReachable: outbox.reachable,
    refusedLetters: outbox.refused().length,
    outcomeQueueReachable: outcomes?.reachable ?? true,
    refusedOutcomes: outcomes?.refused().length ?? 0,
    pollStalledMs: receiver.stalledMs,
    held: holdings.size,
    inFlight: permits.inFlight,
    onTrial: trials.size,
    settling: settler.open,
    oldestHeldMs: holdings.oldest === undefined ? 0 : now - holdings.oldest.message.receivedAt,
    rate,
  };
}
