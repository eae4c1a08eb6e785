/** The worker at one moment, for health and metrics. */
import type { Bound, BoundName } from '../limits/bounds.ts';
import type { Failure } from '../message/failure.ts';
import type { GateState } from '../ota/gate.ts';
import type { FoundLimit } from '../ota/rate/adaptive/limit-estimate.ts';
import type { RateLimiter } from '../ota/rate/limiter.ts';
import type { FleetRole } from '../ota/rate/rate-control.ts';
import type { Clock } from '../time/clock.ts';
import type { ActivityNow } from './activity.ts';
import { type Condition, errorName } from './conditions.ts';
import type { WorkerState } from './events.ts';
import type { QueueDepth } from './receive/queue-facts.ts';
import type { Refusal } from './settle/outbox.ts';
import type { Stages } from './stages.ts';

/** The parcels that a queue refuses: kept, and tried again. */
interface Refused {
  readonly count: number;
  /** Epoch milliseconds. */
  readonly since: number;
  /** The name of one of their errors. */
  readonly error: string;
}

/** Times are epoch milliseconds. */
export interface WorkerSnapshot extends ActivityNow {
  /** When this snapshot was taken. */
  readonly at: number;
  readonly state: WorkerState;
  readonly stateSince: number;
  readonly gate: GateState;
  /** Why the gate is closed. */
  readonly gateReason: Failure | undefined;
  /** Since when the gate is closed; undefined while it is open. */
  readonly gateSince: number | undefined;
  /** Since when and until when all calls are held because the API has named a time; undefined while they are not. */
  readonly callsHeld: { readonly since: number; readonly until: number } | undefined;
  readonly queuesFound: boolean;
  /** All conditions, raised or not. */
  readonly conditions: readonly Condition[];
  /** Letters that SQS refuses even without their record. */
  readonly refusedLetters: Refused | undefined;
  /** Outcomes that SQS refuses. */
  readonly refusedOutcomes: Refused | undefined;
  /** How long a poll has been wanted and none has ended, in milliseconds. */
  readonly pollStalledMs: number;
  readonly held: number;
  readonly inFlight: number;
  readonly onTrial: number;
  /** Messages that wait for a claim that another worker holds. */
  readonly awaitingClaim: number;
  readonly settling: number;
  /** Time since the oldest held message was received, in milliseconds. */
  readonly oldestHeldMs: number;
  /**
   * Age of the oldest message that this worker holds or has deferred, in milliseconds; 0 for none. SQS shows the age of the
   * queue's oldest message only in CloudWatch (`ApproximateAgeOfOldestMessage`), not among the queue's attributes.
   */
  readonly oldestAgeMs: number;
  /** Of the source queue, in seconds; undefined while unknown. */
  readonly retentionSeconds: number | undefined;
  /** `RATE_LIMIT` and `MAX_CONCURRENCY` in force, and the source of each. */
  readonly bounds: Readonly<Record<BoundName, Bound>>;
  /** Calls per second allowed now; `Infinity` when unpaced. */
  readonly rate: number;
  /** What `rate` may rise to: `RATE_LIMIT`, with Redis the lowest of all workers; `Infinity` for no limit. */
  readonly rateCeiling: number;
  /**
   * What the API was found to accept, of the whole fleet if this worker leads or follows; `RATE_LIMIT` while it has accepted
   * everything.
   */
  readonly rateFound: number;
  /** Since when `rateFound` has been below `RATE_LIMIT`; undefined while it is not. */
  readonly rateFoundSince: number | undefined;
  /** The API's limit as found, of the whole fleet if this worker leads or follows; undefined while unknown. */
  readonly apiLimit: FoundLimit | undefined;
  /** `shared` through Redis, `alone` while Redis is lost or not reached yet, `none` without Redis. */
  readonly rateBudget: RateLimiter['budget'];
  readonly rateBudgetSince: number;
  /** Who finds the rate: this worker for all, another one for all, or each alone while Redis is lost; `none` without Redis. */
  readonly rateFleet: FleetRole | 'none';
  /** As last read, about every 30 s; undefined if never read. */
  readonly queues: {
    readonly source: QueueDepth | undefined;
    readonly deadLetter: QueueDepth | undefined;
    /** Also undefined without an outcome queue. */
    readonly outcome: QueueDepth | undefined;
  };
}

/** Facts that the stages do not have. */
interface Surroundings extends Pick<WorkerSnapshot, 'state' | 'queuesFound' | 'queues' | 'bounds'> {
  readonly activity: ActivityNow;
  /** How long the worker has been in this state, in milliseconds. */
  readonly stateMs: number;
  readonly clock: Clock;
}

export function snapshotOf(
  {
    calls,
    conditions,
    limiter,
    rate,
    receiver,
    deadLetters,
    outcomes,
    trials,
    held,
    leases,
    queueTime,
    retention,
  }: Stages,
  { activity, stateMs, clock, ...known }: Surroundings,
): WorkerSnapshot {
  const { gate, hold, permits } = calls;
  const now = clock.wall();
  const monotonic = clock.monotonic();
  let oldest = activity.oldestDeferred;
  for (const { message } of held) oldest = Math.min(oldest ?? message.sentAt, message.sentAt);
  return {
    ...activity,
    ...known,
    at: now,
    stateSince: now - stateMs,
    gate: gate.state,
    gateReason: gate.reason,
    gateSince: gate.closed ? now - gate.closedMs : undefined,
    callsHeld: hold.span && {
      since: now - (monotonic - hold.span.since),
      until: now + (hold.span.until - monotonic),
    },
    conditions: conditions.list(),
    refusedLetters: refused(deadLetters.refusal, now),
    refusedOutcomes: refused(outcomes?.refusal, now),
    pollStalledMs: receiver.stalledMs,
    held: held.size,
    inFlight: permits.inFlight,
    onTrial: trials.open.size,
    awaitingClaim: calls.claimWaits.waiting,
    settling: held.settling,
    oldestHeldMs: held.oldest === undefined ? 0 : leases.heldMs(held.oldest),
    oldestAgeMs: oldest === undefined ? 0 : Math.max(0, queueTime.now() - oldest),
    retentionSeconds: Number.isFinite(retention.seconds) ? retention.seconds : undefined,
    rate: limiter.rate,
    rateCeiling: limiter.ceiling,
    rateFound: rate.rate,
    rateFoundSince: rate.foundAt === undefined ? undefined : now - (monotonic - rate.foundAt),
    apiLimit: rate.limit && { ...rate.limit, since: now - (monotonic - rate.limit.since) },
    rateBudget: limiter.budget,
    rateBudgetSince: now - limiter.budgetMs,
    rateFleet: rate.fleet ?? 'none',
  };
}

function refused(refusal: Refusal | undefined, now: number): Refused | undefined {
  if (refusal === undefined) return undefined;
  const { count, forMs, error } = refusal;
  return { count, since: now - forMs, error: errorName(error) };
}
