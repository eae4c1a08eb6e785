/** Makes the stages of a worker and joins each to the next; what happens between them is the worker's to say. */
import { deadLetterRecord } from '../message/dead-letter.ts';
import type { Disposition } from '../message/disposition.ts';
import type { Message } from '../message/message.ts';
import { type Attempt, Caller } from '../ota/call.ts';
import { Gate, type GateChange } from '../ota/gate.ts';
import { Permits } from '../ota/permits.ts';
import { REQUEST_TIMEOUT_MS } from '../queue/queue.ts';
import { DeadLetterOutbox } from './dead-letter-outbox.ts';
import type { Delivery } from './delivery.ts';
import type { WorkerListener } from './events.ts';
import { LeaseKeeper } from './leases.ts';
import type { WorkerOptions } from './options.ts';
import { OutcomeOutbox } from './outcome-outbox.ts';
import { Processor } from './processor.ts';
import type { QueueFacts } from './queue-facts.ts';
import { Receiver } from './receiver.ts';
import { type Settlement, Settler } from './settler.ts';
import { defaultTimings } from './timings.ts';
import { Trials } from './trials.ts';
import { Turns } from './turns.ts';

/** On a FIFO queue the group waits for outcome and delete: hardly any time to share a request. */
const FIFO_LINGER_MS = 20;

/** What the stages ask and tell. */
export interface StageHooks {
  readonly emit: WorkerListener;
  /** Aborts calls in flight. */
  readonly deadline: AbortSignal;
  /** Aborted when the worker has stopped. */
  readonly ended: AbortSignal;
  readonly facts: () => QueueFacts | undefined;
  /** Messages in hand. */
  readonly held: () => number;
  /** Messages that could be taken now, and the least worth asking for. */
  readonly free: () => number;
  readonly batch: () => number;
  readonly onMessages: (messages: Message[], durationMs: number) => void;
  /** Does the work of one delivery. Must not reject. */
  readonly work: (delivery: Delivery) => Promise<void>;
  /** Whether the lease of a delivery still holds. */
  readonly holds: (delivery: Delivery) => boolean;
  /** A call begins. */
  readonly onStart: () => void;
  readonly onAttempt: (delivery: Delivery, attempt: Attempt) => void;
  readonly onGate: (change: GateChange) => void;
  readonly onSettled: (delivery: Delivery, disposition: Disposition, settlement: Settlement) => void;
  /** A delivery is being deferred or released. */
  readonly onGiveBack: (delivery: Delivery) => void;
  readonly onLost: (delivery: Delivery, reason: string) => void;
  readonly onWall: (delivery: Delivery) => void;
  /** SQS finds fault with a letter itself, and nothing is left to leave off. */
  readonly onLetterRefused: (delivery: Delivery, error: unknown) => void;
  readonly onDeadLetterQueue: (reachable: boolean, error?: unknown) => void;
  readonly onOutcomeRefused: (delivery: Delivery, error: unknown) => void;
  readonly onOutcomeQueue: (reachable: boolean, error?: unknown) => void;
}

export interface Stages {
  readonly gate: Gate;
  readonly permits: Permits;
  readonly trials: Trials;
  readonly processor: Processor;
  readonly turns: Turns;
  readonly outbox: DeadLetterOutbox;
  /** undefined: nobody wants outcomes. */
  readonly outcomes: OutcomeOutbox | undefined;
  readonly settler: Settler;
  readonly leases: LeaseKeeper<Delivery>;
  readonly receiver: Receiver;
}

/** All stages, none of them started. */
export function createStages(options: WorkerOptions, hooks: StageHooks): Stages {
  return { ...createApiSide(options, hooks), ...createQueueSide(options, hooks) };
}

function createApiSide(
  options: WorkerOptions,
  hooks: StageHooks,
): Pick<Stages, 'gate' | 'permits' | 'trials' | 'processor' | 'turns'> {
  const { config, source, api, limiter, newest, clock, random, timings = defaultTimings } = options;
  const now = clock.monotonic;
  const gate = new Gate({
    runLimit: config.failureRunLimit,
    schedules: timings.probes,
    now,
    onChange: hooks.onGate,
  });
  const permits = new Permits({ limiter, gate, maxConcurrency: config.maxConcurrency, now });
  const trials = new Trials(now, timings.trialMs);
  const caller = new Caller<Delivery>({
    api,
    permits,
    newest,
    gate,
    retry: { baseMs: config.retryBaseMs, maxMs: config.retryMaxMs, maxAttempts: config.maxAttempts },
    clock,
    random,
    deadline: hooks.deadline,
    holds: hooks.holds,
    onStart: hooks.onStart,
    onAttempt: hooks.onAttempt,
  });
  const processor = new Processor({
    caller,
    trials,
    gate,
    clock,
    random,
    maxDeliveries: config.maxDeliveries,
    retentionSeconds: () => hooks.facts()?.retentionSeconds ?? Number.POSITIVE_INFINITY,
  });
  return { gate, permits, trials, processor, turns: new Turns(source.fifo, hooks.work) };
}

function createQueueSide(
  options: WorkerOptions,
  hooks: StageHooks,
): Pick<Stages, 'outbox' | 'outcomes' | 'settler' | 'leases' | 'receiver'> {
  const { config, source, deadLetterQueue, clock, random, timings = defaultTimings } = options;
  const extensionTimeoutMs = Math.min(REQUEST_TIMEOUT_MS, config.visibilityTimeoutSeconds * 125);
  const outbox = new DeadLetterOutbox({
    send: (messages) => deadLetterQueue.send(messages),
    record: (delivery, { reason, error }) =>
      deadLetterRecord(delivery.message, {
        reason,
        error,
        attempts: delivery.tally.attempts,
        ids: delivery.ids,
        sourceQueueUrl: source.url,
        now: clock.wall(),
      }),
    target: () => hooks.facts()?.deadLetter ?? { maximumMessageBytes: 0, fifo: false },
    random,
    ended: hooks.ended,
    onSent: (delivery, letter) => {
      delivery.letter = letter;
    },
    onRefused: hooks.onLetterRefused,
    onReachable: hooks.onDeadLetterQueue,
    ...(timings.deadLetterBackoff !== undefined && { backoff: timings.deadLetterBackoff }),
  });
  const outcomes = createOutcomes(options, hooks);
  const settler = new Settler({
    deleteMessages: (handles) => source.delete(handles),
    changeVisibility: (changes) => source.changeVisibility(changes),
    outbox,
    outcomes,
    random,
    ended: hooks.ended,
    held: hooks.held,
    onSettled: hooks.onSettled,
    onGiveBack: hooks.onGiveBack,
    endLease: (delivery) => leases.giveBack(delivery),
    onLost: hooks.onLost,
    onError: (request, count, error) => hooks.emit({ type: 'settle-failed', request, count, error }),
    ...(source.fifo && { deleteLingerMs: FIFO_LINGER_MS }),
  });
  const leases = new LeaseKeeper<Delivery>({
    seconds: config.visibilityTimeoutSeconds,
    now: clock.monotonic,
    // Half a lease is left when it is extended: an answer that does not come must leave time to ask again.
    extend: (changes) => source.changeVisibility(changes, extensionTimeoutMs),
    onLost: hooks.onLost,
    onWall: hooks.onWall,
    onError: (error, count) => hooks.emit({ type: 'settle-failed', request: 'extend', count, error }),
  });
  const receiver = new Receiver({
    queue: source,
    visibilitySeconds: config.visibilityTimeoutSeconds,
    clock,
    random,
    free: hooks.free,
    batch: hooks.batch,
    onMessages: hooks.onMessages,
    onFailed: (error, retryInMs) => hooks.emit({ type: 'receive-failed', error, retryInMs }),
    onRecovered: () => hooks.emit({ type: 'receive-recovered' }),
  });
  return { outbox, outcomes, settler, leases, receiver };
}

function createOutcomes(options: WorkerOptions, hooks: StageHooks): OutcomeOutbox | undefined {
  const { source, outcomeQueue, clock, random, timings = defaultTimings } = options;
  if (outcomeQueue === undefined) return undefined;
  return new OutcomeOutbox({
    send: (messages) => outcomeQueue.send(messages),
    now: clock.wall,
    fifo: () => hooks.facts()?.outcome?.fifo === true,
    random,
    ended: hooks.ended,
    onSent: (delivery, outcome) => {
      delivery.outcome = outcome;
    },
    onRefused: hooks.onOutcomeRefused,
    onReachable: hooks.onOutcomeQueue,
    onFailed: (count, error) =>
      hooks.emit({ type: 'settle-failed', request: 'publish outcomes', count, error }),
    ...(source.fifo && { lingerMs: FIFO_LINGER_MS }),
    ...(timings.outcomeBackoff !== undefined && { backoff: timings.outcomeBackoff }),
  });
}
