/** Creates the stages of a worker, all of them unstarted, and connects each to the stages it needs. */
import { deadLetterRecord } from '../message/dead-letter.ts';
import type { RetrySettings } from '../message/disposition.ts';
import type { Message } from '../message/message.ts';
import type { CallOptions } from '../ota/call.ts';
import type { RateLimiter } from '../ota/rate/limiter.ts';
import type { RateControl } from '../ota/rate/rate-control.ts';
import { REQUEST_TIMEOUT_MS } from '../queue/queue.ts';
import type { QueueTime } from '../time/queue-time.ts';
import type { Conditions } from './conditions.ts';
import { type CallChanges, createCalls } from './create-calls.ts';
import type { Delivery } from './delivery.ts';
import type { WorkerListener } from './events.ts';
import { Held } from './held.ts';
import { defaultTimings, type WorkerOptions } from './options.ts';
import { Admission } from './receive/admission.ts';
import { Prefetch, type Retention } from './receive/prefetch.ts';
import type { QueueFacts } from './receive/queue-facts.ts';
import { Receiver } from './receive/receiver.ts';
import { Returns } from './returns.ts';
import { ActionHealth, NO_RECEIPT_HANDLE } from './settle/action-health.ts';
import { DeadLetterOutbox } from './settle/dead-letter-outbox.ts';
import { LeaseKeeper, leastLeaseMs } from './settle/leases.ts';
import { OutcomeOutbox } from './settle/outcome-outbox.ts';
import { Settler } from './settle/settler.ts';
import { Trials } from './trials.ts';
import { Turns } from './turns.ts';

/** On a FIFO queue the whole group waits for outcome and delete, so these wait only briefly to share a request. */
const FIFO_LINGER_MS = 20;

/** The stages that a delivery passes. */
export interface Stages {
  readonly conditions: Conditions;
  readonly turns: Turns;
  readonly calls: CallOptions;
  readonly retry: RetrySettings;
  readonly rate: RateControl;
  readonly returns: Returns;
  readonly limiter: RateLimiter;
  readonly trials: Trials;
  readonly deadLetters: DeadLetterOutbox;
  /** undefined: no outcomes are published. */
  readonly outcomes: OutcomeOutbox | undefined;
  readonly settler: Settler;
  readonly leases: LeaseKeeper<Delivery>;
  readonly held: Held;
  readonly prefetch: Prefetch;
  readonly receiver: Receiver;
  readonly maxDeliveries: number;
  readonly retention: Retention;
  readonly queueTime: QueueTime;
  /** Aborts calls in flight: the hard end of a shutdown. */
  readonly deadline: AbortSignal;
  readonly emit: WorkerListener;
}

/** What the calls of a delivery need. */
export interface CallStages
  extends Pick<Stages, 'calls' | 'retry' | 'rate' | 'trials' | 'deadline' | 'emit'> {
  readonly leases: Pick<Stages['leases'], 'holdsForCall'>;
  readonly prefetch: Pick<Stages['prefetch'], 'releaseSurplus' | 'sleeps' | 'started'>;
  readonly receiver: Pick<Stages['receiver'], 'wake'>;
}

/** What the end of a delivery needs. */
export interface ConclusionStages
  extends Pick<
    Stages,
    | 'calls'
    | 'deadLetters'
    | 'outcomes'
    | 'settler'
    | 'held'
    | 'queueTime'
    | 'returns'
    | 'maxDeliveries'
    | 'emit'
  > {
  readonly leases: Pick<Stages['leases'], 'stopExtending' | 'drop' | 'holds'>;
  readonly prefetch: Pick<Stages['prefetch'], 'releaseBehind'>;
  readonly receiver: Pick<Stages['receiver'], 'wake'>;
}

/** What the stages need from the worker. */
export interface Surroundings extends CallChanges {
  readonly emit: WorkerListener;
  /** Aborts calls in flight. */
  readonly deadline: AbortSignal;
  /** Aborted when the worker has stopped. */
  readonly ended: AbortSignal;
  /** undefined until the queues are found. */
  readonly facts: () => QueueFacts | undefined;
  /** Takes over the received messages. */
  readonly receive: (messages: readonly Message[], pollMs: number) => void;
  /** The lease of a delivery is lost. */
  readonly onLost: (delivery: Delivery, reason: string) => void;
}

export function createStages(options: WorkerOptions, surroundings: Surroundings): Stages {
  const {
    config,
    source,
    rate,
    bounds,
    limiter,
    conditions,
    clock,
    queueTime,
    random,
    timings = defaultTimings,
  } = options;
  const { emit, deadline, ended } = surroundings;
  const visibilitySeconds = config.visibilityTimeoutSeconds;
  const calls = createCalls(options, surroundings);
  const { gate, permits } = calls;
  const maxHeldBytes = config.maxHeldMb * 1_000_000;
  const held = new Held(maxHeldBytes);
  const turns: Turns = new Turns(source.fifo, (delivery) => prefetch.sendBack(delivery));
  const retention: Retention = { seconds: Number.POSITIVE_INFINITY };
  const prefetch: Prefetch = new Prefetch({
    held,
    turns,
    gate,
    permits,
    rate: limiter,
    get maxConcurrency() {
      return bounds.concurrency.value;
    },
    maxHeldBytes,
    visibilitySeconds,
    retention,
    now: () => queueTime.now(),
    monotonic: clock.monotonic,
    random,
  });
  const callsFitLeases = config.callTimeoutMs < leastLeaseMs(visibilitySeconds);
  conditions.watch(() => {
    leases.extendable = !conditions.has('extending');
    prefetch.suspended = conditions.stopReceiving || !(leases.extendable || callsFitLeases);
    receiver.wake();
  });
  const deadLetters = createDeadLetters(options, surroundings);
  const outcomes = createOutcomes(options, surroundings);
  const deleting = new ActionHealth({
    conditions,
    condition: 'deleting',
    busy: () => settler.open > 0,
    probe: () => source.delete([NO_RECEIPT_HANDLE]),
    random,
    ended,
  });
  const extending = new ActionHealth({
    conditions,
    condition: 'extending',
    busy: () => leases.size > 0,
    probe: () => source.changeVisibility([{ receiptHandle: NO_RECEIPT_HANDLE, seconds: 0 }]),
    random,
    ended,
  });
  const settler = new Settler({
    queue: source,
    random,
    ended,
    emit,
    deleting,
    extending,
    ...(source.fifo && { deleteLingerMs: FIFO_LINGER_MS }),
  });
  held.flushWhenAllSettling(settler);
  if (outcomes !== undefined) held.flushWhenAllSettling(outcomes);
  const extensionTimeoutMs = Math.min(REQUEST_TIMEOUT_MS, visibilitySeconds * 125);
  const leases = new LeaseKeeper<Delivery>({
    seconds: visibilitySeconds,
    now: () => queueTime.elapsed(),
    doubtful: () => queueTime.doubtful,
    // Half a lease is left when it is extended. If no answer comes, there must be time to ask again.
    extend: (changes) => source.changeVisibility(changes, extensionTimeoutMs),
    callTimeoutMs: config.callTimeoutMs,
    health: extending,
    onLost: surroundings.onLost,
    onWall: (delivery) => delivery.interrupt('publishing'),
    onError: (error, count) => emit({ type: 'settle-failed', request: 'extend', count, error }),
  });
  const receiver = new Receiver({
    queue: source,
    visibilitySeconds,
    clock,
    random,
    admission: new Admission({ held, visibilitySeconds, now: clock.monotonic }),
    prefetch,
    conditions,
    onMessages: surroundings.receive,
    emit,
  });
  return {
    conditions,
    turns,
    calls,
    retry: { baseMs: config.retryBaseMs, maxMs: config.retryMaxMs, maxAttempts: config.maxAttempts },
    rate,
    returns: new Returns(),
    limiter,
    trials: new Trials(clock.monotonic, timings.trialMs),
    deadLetters,
    outcomes,
    settler,
    leases,
    held,
    prefetch,
    receiver,
    maxDeliveries: config.maxDeliveries,
    retention,
    queueTime,
    deadline,
    emit,
  };
}

function createDeadLetters(
  { source, deadLetterQueue, conditions, clock, queueTime, random, timings = defaultTimings }: WorkerOptions,
  { emit, ended, facts }: Surroundings,
): DeadLetterOutbox {
  return new DeadLetterOutbox({
    send: (messages) => deadLetterQueue.send(messages),
    record: (delivery, { reason, error }) =>
      deadLetterRecord(delivery.message, {
        reason,
        error,
        attempts: delivery.tally.attempts,
        ids: delivery.ids,
        sourceQueueUrl: source.url,
        now: queueTime.now(),
        traceparent: delivery.trace?.traceparent,
      }),
    target: () => facts()?.deadLetter ?? { maximumMessageBytes: 0, fifo: false },
    random,
    monotonic: clock.monotonic,
    ended,
    onRefused: (delivery, error) => emit({ type: 'letter-refused', subject: delivery, error }),
    onReachable: (reachable, error) => {
      if (reachable) conditions.clear('dead-lettering');
      else conditions.raise('dead-lettering', error);
    },
    ...(timings.deadLetterBackoff !== undefined && { backoff: timings.deadLetterBackoff }),
  });
}

function createOutcomes(
  {
    config,
    source,
    outcomeQueue,
    conditions,
    clock,
    queueTime,
    random,
    timings = defaultTimings,
  }: WorkerOptions,
  { emit, ended, facts }: Surroundings,
): OutcomeOutbox | undefined {
  if (outcomeQueue === undefined) return undefined;
  return new OutcomeOutbox({
    send: (messages) => outcomeQueue.send(messages),
    now: () => queueTime.now(),
    fifo: () => facts()?.outcome?.fifo === true,
    ...(config.outcomeFormat === 'cloudevents' && { eventSource: source.url }),
    random,
    monotonic: clock.monotonic,
    ended,
    onRefused: (delivery, error) => emit({ type: 'outcome-refused', subject: delivery, error }),
    onReachable: (reachable, error) => {
      if (reachable) conditions.clear('publishing');
      else conditions.raise('publishing', error);
    },
    onFailed: (count, error) => emit({ type: 'settle-failed', request: 'publish outcomes', count, error }),
    ...(source.fifo && { lingerMs: FIFO_LINGER_MS }),
    ...(timings.outcomeBackoff !== undefined && { backoff: timings.outcomeBackoff }),
  });
}
