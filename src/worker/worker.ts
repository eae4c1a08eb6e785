/**
 * The worker: starts the stages, hands each received message to its delivery, and stops the stages in order.
 *
 *   starting ── queues found ─► running ── stop ─► draining ── nothing held, or time is up ─► stopped
 *
 * Draining: no new receives; messages not yet started are released at once; calls in flight end; settlements are confirmed.
 */
import type { BoundChange } from '../limits/bounds.ts';
import { secondsToExpiring } from '../message/disposition.ts';
import type { Message } from '../message/message.ts';
import type { GateChange } from '../ota/gate.ts';
import type { HoldChange } from '../ota/hold.ts';
import type { QueueNotice } from '../queue/types.ts';
import { Activity, type Counts } from './activity.ts';
import { lose } from './conclude.ts';
import { deliver } from './deliver.ts';
import { Delivery } from './delivery.ts';
import { drain, drainTimes } from './drain.ts';
import { createEmitter, type WorkerListener, type WorkerState } from './events.ts';
import { defaultTimings, type WorkerOptions } from './options.ts';
import { QueueWatch } from './receive/queue-watch.ts';
import { sweepExpiring } from './receive/sweep.ts';
import { snapshotOf, type WorkerSnapshot } from './snapshot.ts';
import { createStages, type Stages } from './stages.ts';

/** The most expiring messages held: their leases are extended ten to a request. */
const MOST_SWEPT = 10_000;
/** A message that was left in the queue counts as gone if it does not come again within this many leases. */
const LEASES_UNTIL_GONE = 2;

export class Worker {
  readonly #options: WorkerOptions;
  readonly #activity: Activity;
  readonly #emit: WorkerListener;
  readonly #stages: Stages;
  readonly #queues: QueueWatch;
  /** Aborts calls in flight shortly before the shutdown grace ends. */
  readonly #deadline = new AbortController();
  readonly #stopping = new AbortController();
  readonly #ended = new AbortController();
  #state: WorkerState = 'stopped';
  /** When the current state began, monotonic milliseconds. */
  #stateAt: number;
  #expiryTimer: NodeJS.Timeout | undefined;
  #readingTimer: NodeJS.Timeout | undefined;
  #sweeping = false;
  #started: Promise<void> | undefined;
  #stopped: Promise<void> | undefined;

  constructor(options: WorkerOptions) {
    this.#options = options;
    this.#activity = new Activity(options.clock);
    this.#stateAt = options.clock.monotonic();
    this.#emit = createEmitter([this.#activity.observe, ...options.listeners]);
    this.#stages = createStages(options, {
      emit: this.#emit,
      deadline: this.#deadline.signal,
      ended: this.#ended.signal,
      facts: () => this.#queues.facts,
      receive: (messages, pollMs) => this.#receive(messages, pollMs),
      onGate: (change) => this.#onGate(change),
      onHold: (change) => this.#onHold(change),
      onLost: (delivery, reason) => lose(delivery, reason, this.#stages),
    });
    this.#queues = this.#createQueueWatch();
    options.bounds.onChange((change) => this.#onBound(change));
    const { source, deadLetterQueue, outcomeQueue } = options;
    for (const queue of [source, deadLetterQueue, outcomeQueue])
      queue?.onNotice((notice) => this.#note(notice));
  }

  /** Starts work, unless stopped before. Resolves once all queues are found and the first receive is under way. Idempotent. */
  start(): Promise<void> {
    this.#started ??= this.#stopped ?? this.#start();
    return this.#started;
  }

  /** Drains and stops within the configured grace. Idempotent. */
  stop(): Promise<void> {
    this.#stopped ??= this.#stop();
    return this.#stopped;
  }

  snapshot(): WorkerSnapshot {
    const { clock, bounds } = this.#options;
    return snapshotOf(this.#stages, {
      activity: this.#activity.now(),
      state: this.#state,
      stateMs: clock.monotonic() - this.#stateAt,
      queuesFound: this.#queues.facts !== undefined,
      queues: {
        source: this.#queues.depth('QUEUE_URL'),
        deadLetter: this.#queues.depth('DEAD_LETTER_QUEUE_URL'),
        outcome: this.#queues.depth('OUTCOME_QUEUE_URL'),
      },
      bounds: { rate: bounds.rate, concurrency: bounds.concurrency },
      clock,
    });
  }

  /** What the worker has done since its start, always up to date. */
  get counts(): Counts {
    return this.#activity.counts;
  }

  async #start(): Promise<void> {
    this.#setState('starting');
    await this.#queues.find();
    if (this.#stopping.signal.aborted) return;
    this.#queues.watch();
    this.#setState('running');
    this.#stages.receiver.start();
  }

  #createQueueWatch(): QueueWatch {
    const { source, deadLetterQueue, outcomeQueue, conditions, clock, random } = this.#options;
    const { findQueuesBackoff, readQueuesEveryMs } = this.#options.timings ?? defaultTimings;
    return new QueueWatch({
      queues: [
        { setting: 'QUEUE_URL', queue: source },
        { setting: 'DEAD_LETTER_QUEUE_URL', queue: deadLetterQueue },
        ...(outcomeQueue === undefined
          ? []
          : [{ setting: 'OUTCOME_QUEUE_URL' as const, queue: outcomeQueue }]),
      ],
      conditions,
      retention: this.#stages.retention,
      onRetention: () => this.#onRetention(),
      backoff: findQueuesBackoff,
      everyMs: readQueuesEveryMs,
      random,
      now: clock.wall,
      stopping: this.#stopping.signal,
      emit: this.#emit,
    });
  }

  /** Looks for expiring messages at intervals that follow from the retention, beginning now. */
  #onRetention(): void {
    clearInterval(this.#expiryTimer);
    // A message is expiring in the last tenth of the retention: time for ten looks.
    const everyMs = Math.min(Math.max(this.#stages.retention.seconds * 10, 500), 3_600_000);
    this.#expiryTimer = setInterval(() => this.#expire(), everyMs);
    this.#expire();
  }

  async #stop(): Promise<void> {
    this.#stopping.abort();
    const { cutMs, endMs } = drainTimes(this.#options.config.shutdownGraceSeconds * 1_000);
    const hard = setTimeout(() => this.#cutCalls(), cutMs);
    const timeUp = Promise.withResolvers<void>();
    const end = setTimeout(timeUp.resolve, endMs);
    await Promise.race([this.#started?.catch(() => undefined), timeUp.promise]);
    this.#setState('draining');
    clearInterval(this.#expiryTimer);
    await Promise.race([drain(this.#stages), timeUp.promise]);
    clearTimeout(hard);
    clearTimeout(end);
    clearTimeout(this.#readingTimer);
    this.#ended.abort();
    this.#stages.calls.permits.close();
    this.#stages.calls.hold.close();
    this.#stages.leases.stop();
    await this.#options.limiter.close();
    this.#options.newest.close();
    this.#options.api.destroy();
    this.#setState('stopped');
  }

  /** The time to drain is nearly over: aborts calls, and releases messages whose letter or outcome is not sent. */
  #cutCalls(): void {
    this.#deadline.abort();
    for (const delivery of this.#stages.held) delivery.interrupt('call');
  }

  #receive(messages: readonly Message[], pollMs: number): void {
    this.#emit({ type: 'received', count: messages.length, durationMs: pollMs });
    this.#options.conditions.clear('reading');
    const { calls, prefetch } = this.#stages;
    prefetch.observe(messages);
    this.#options.tracing?.received(messages, pollMs);
    for (const message of messages) this.#takeAlone(message, pollMs);
    // Polls that were open when the gate closed may bring more than may be held now.
    if (calls.gate.closed) prefetch.releaseSurplus();
  }

  /** A bug in this program in handling one message must not cost the others of its receive. */
  #takeAlone(message: Message, pollMs: number): void {
    try {
      this.#take(message, pollMs);
    } catch (error) {
      this.#emit({ type: 'settle-failed', request: 'take', count: 1, error });
    }
  }

  #take(message: Message, pollMs: number): void {
    // Answered after the end: its lease is no longer extended, and SQS makes the message visible again when it ends.
    if (this.#ended.signal.aborted) return;
    this.#options.queueTime.stamped(message.firstReceivedAt);
    const cut = this.#options.source.fifo ? new AbortController() : undefined;
    const delivery = Delivery.read(message, cut, this.#options.tracing?.begin(message));
    this.#stages.held.add(delivery);
    this.#stages.leases.hold(delivery, pollMs);
    // Brought by a poll that was still open: released at once, whatever it contains.
    if (this.#state === 'draining') delivery.interrupt('waiting');
    void deliver(delivery, this.#stages);
  }

  #note(notice: QueueNotice): void {
    this.#emit(notice);
    if (notice.type !== 'message-left' || !notice.alone) return;
    this.#stages.receiver.noteSpoiled();
    const { conditions, config } = this.#options;
    conditions.raise('reading', { name: 'UnreadableMessage', message: notice.reason });
    // The message comes again when its lease is over. If it does not, it is gone, and other messages may be long in coming.
    clearTimeout(this.#readingTimer);
    const goneMs = config.visibilityTimeoutSeconds * 1_000 * LEASES_UNTIL_GONE;
    this.#readingTimer = setTimeout(() => conditions.clear('reading'), goneMs);
  }

  #onGate(change: GateChange): void {
    this.#emit({ type: 'gate', change });
    const { prefetch, calls, receiver } = this.#stages;
    if (change.to === 'denied') prefetch.releaseAll();
    else if (change.to !== 'open') prefetch.releaseSurplus();
    calls.permits.pump();
    receiver.wake();
  }

  /** Waiting deliveries keep their places and leases: a hold is short. */
  #onHold(change: HoldChange): void {
    this.#emit({ type: 'hold', change });
    const { calls, rate } = this.#stages;
    if (!change.held) rate.held(change.from, change.to);
    calls.permits.pump();
  }

  #onBound(change: BoundChange): void {
    this.#emit({ type: 'bound', change });
    const { prefetch, calls, receiver } = this.#stages;
    prefetch.releaseSurplus();
    calls.permits.pump();
    receiver.wake();
  }

  /** Looks for messages that must not stay in the queue any longer: among those held and, while paused, those queued. */
  #expire(): void {
    const { prefetch, calls, conditions, held, retention } = this.#stages;
    prefetch.releaseExpiring();
    const receiving = !calls.gate.closed && !prefetch.suspended;
    if (receiving || conditions.has('dead-lettering') || this.#state !== 'running' || this.#sweeping) return;
    this.#sweeping = true;
    const { source, config, queueTime } = this.#options;
    void sweepExpiring({
      queue: source,
      visibilitySeconds: config.visibilityTimeoutSeconds,
      isExpiring: (message) => secondsToExpiring(message, retention.seconds, queueTime.now()) <= 0,
      take: (message) => this.#takeAlone(message, 0),
      onError: (error) => this.#emit({ type: 'settle-failed', request: 'sweep', count: 0, error }),
      // While outcomes cannot be published, each message stays held after its letter is sent.
      full: () => held.size >= MOST_SWEPT || held.freeBytes <= 0 || this.#state !== 'running',
    }).finally(() => {
      this.#sweeping = false;
    });
  }

  #setState(state: WorkerState): void {
    this.#state = state;
    this.#stateAt = this.#options.clock.monotonic();
    this.#emit({ type: 'state', state });
  }
}
