/**
 * The worker: joins receiver, lanes, processor, settler and leases.
 *
 *   starting ── queues found ─► running ── stop ─► draining ── nothing held, or time is up ─► stopped
 *
 * Draining: no new receives, what was not started is released at once, calls in flight end, settlements are confirmed.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Clock } from '../clock.ts';
import type { Config } from '../config.ts';
import { fullJitter } from '../message/backoff.ts';
import { deadLetterRecord } from '../message/dead-letter.ts';
import { type Disposition, deferralSeconds } from '../message/disposition.ts';
import type { Message } from '../message/message.ts';
import { parseBody } from '../message/parse.ts';
import { type Attempt, Caller } from '../ota/call.ts';
import type { OtaApi } from '../ota/client.ts';
import { Gate, type GateChange } from '../ota/gate.ts';
import type { GiveUp } from '../ota/interruption.ts';
import type { RateLimiter } from '../ota/limiter.ts';
import { Permits } from '../ota/permits.ts';
import type { RateControl } from '../ota/rate.ts';
import type { Queue } from '../queue/queue.ts';
import { DeadLetterOutbox } from './dead-letter-outbox.ts';
import { Delivery } from './delivery.ts';
import type { WorkerEvent, WorkerListener, WorkerState } from './events.ts';
import { Holdings } from './holdings.ts';
import { Lanes } from './lanes.ts';
import { LeaseKeeper } from './leases.ts';
import { Processor } from './processor.ts';
import { type QueueFacts, readQueueFacts } from './queue-facts.ts';
import { Receiver } from './receiver.ts';
import { type Settlement, Settler } from './settler.ts';
import { closedSlots, RECEIVE_SIZE, type Slots, slotsFor } from './slots.ts';
import type { WorkerSnapshot } from './snapshot.ts';
import { sweepExpiring } from './sweep.ts';
import { defaultTimings, type WorkerTimings } from './timings.ts';
import { Trials } from './trials.ts';

export interface WorkerOptions {
  readonly config: Config;
  readonly source: Queue;
  readonly deadLetterQueue: Queue;
  readonly api: OtaApi;
  readonly limiter: RateLimiter;
  readonly rate: RateControl;
  readonly clock: Clock;
  readonly random: () => number;
  readonly listeners: readonly WorkerListener[];
  readonly timings?: WorkerTimings;
}

export class Worker {
  readonly #options: WorkerOptions;
  readonly #timings: WorkerTimings;
  readonly #holdings = new Holdings();
  readonly #gate: Gate;
  readonly #permits: Permits;
  readonly #trials: Trials;
  readonly #processor: Processor;
  readonly #lanes: Lanes<Delivery>;
  readonly #outbox: DeadLetterOutbox;
  readonly #settler: Settler;
  readonly #leases: LeaseKeeper<Delivery>;
  readonly #receiver: Receiver;
  /** Aborts calls in flight when the time to shut down is nearly over. */
  readonly #deadline = new AbortController();
  readonly #stopping = new AbortController();
  #state: WorkerState = 'stopped';
  #facts: QueueFacts | undefined;
  #expiryTimer: NodeJS.Timeout | undefined;
  #started: Promise<void> | undefined;
  #stopped: Promise<void> | undefined;
  #idle: (() => void) | undefined;

  constructor(options: WorkerOptions) {
    this.#options = options;
    const { config, source, deadLetterQueue, api, limiter, clock, random } = options;
    const timings = options.timings ?? defaultTimings;
    this.#timings = timings;
    const now = clock.monotonic;
    this.#gate = new Gate({
      runLimit: config.failureRunLimit,
      schedules: timings.probes,
      now,
      onChange: (change) => this.#onGate(change),
    });
    this.#permits = new Permits({ limiter, gate: this.#gate, maxConcurrency: config.maxConcurrency, now });
    this.#trials = new Trials(now, timings.trialMs);
    const caller = new Caller<Delivery>({
      api,
      permits: this.#permits,
      gate: this.#gate,
      retry: { baseMs: config.retryBaseMs, maxMs: config.retryMaxMs, maxAttempts: config.maxAttempts },
      clock,
      random,
      deadline: this.#deadline.signal,
      onStart: () => this.#receiver.wake(),
      onAttempt: (delivery, attempt) => this.#onAttempt(delivery, attempt),
    });
    this.#processor = new Processor({
      caller,
      trials: this.#trials,
      gate: this.#gate,
      clock,
      random,
      maxDeliveries: config.maxDeliveries,
      retentionSeconds: () => this.#facts?.retentionSeconds ?? Number.POSITIVE_INFINITY,
    });
    this.#lanes = new Lanes((delivery) => this.#work(delivery));
    this.#outbox = new DeadLetterOutbox({
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
      target: () => this.#facts?.deadLetter ?? { maximumMessageBytes: 0, fifo: false },
      random,
      onSent: (delivery, letter) => {
        delivery.letter = letter;
      },
      onReachable: (reachable, error) => this.#onDeadLetterQueue(reachable, error),
      ...(timings.deadLetterBackoff !== undefined && { backoff: timings.deadLetterBackoff }),
    });
    this.#settler = new Settler({
      deleteMessages: (handles) => source.delete(handles),
      changeVisibility: (changes) => source.changeVisibility(changes),
      outbox: this.#outbox,
      random,
      held: () => this.#holdings.size,
      onSettled: (delivery, disposition, settlement) => this.#onSettled(delivery, disposition, settlement),
      onLost: (delivery, reason) => this.#onLost(delivery, reason),
      onError: (request, count, error) => this.#emit({ type: 'settle-failed', request, count, error }),
    });
    this.#leases = new LeaseKeeper<Delivery>({
      seconds: config.visibilityTimeoutSeconds,
      now,
      extend: (changes) => source.changeVisibility(changes),
      onLost: (delivery, reason) => this.#onLost(delivery, reason),
      onWall: (delivery) => this.#onWall(delivery),
      onError: (error, count) => this.#emit({ type: 'settle-failed', request: 'extend', count, error }),
    });
    this.#receiver = new Receiver({
      queue: source,
      visibilitySeconds: config.visibilityTimeoutSeconds,
      clock,
      random,
      free: () => this.#free(),
      batch: () => Math.min(RECEIVE_SIZE, this.#slots().waiting),
      onMessages: (messages, durationMs) => this.#onMessages(messages, durationMs),
      onFailed: (error, retryInMs) => this.#emit({ type: 'receive-failed', error, retryInMs }),
      onRecovered: () => this.#emit({ type: 'receive-recovered' }),
    });
  }

  /** Begins to work; resolves once both queues are found and the first receive is on its way. Idempotent. */
  start(): Promise<void> {
    this.#started ??= this.#start();
    return this.#started;
  }

  /** Drains and stops within the configured grace. Idempotent. */
  stop(): Promise<void> {
    this.#stopped ??= this.#stop();
    return this.#stopped;
  }

  snapshot(): WorkerSnapshot {
    const oldest = this.#holdings.oldest;
    return {
      state: this.#state,
      gate: this.#gate.state,
      gateReason: this.#gate.reason,
      queuesFound: this.#facts !== undefined,
      receiving: !this.#receiver.failing,
      deadLetterQueueReachable: this.#outbox.reachable,
      pollStalledMs: this.#receiver.stalledMs,
      held: this.#holdings.size,
      inFlight: this.#permits.inFlight,
      onTrial: this.#trials.size,
      settling: this.#settler.open,
      oldestHeldMs: oldest === undefined ? 0 : this.#options.clock.wall() - oldest.message.receivedAt,
      rate: this.#options.rate.rate,
    };
  }

  async #start(): Promise<void> {
    this.#setState('starting');
    this.#facts = await this.#findQueues();
    if (this.#stopping.signal.aborted || this.#facts === undefined) return;
    // The last tenth of the retention leaves ten such looks.
    const everyMs = Math.min(Math.max(this.#facts.retentionSeconds * 10, 500), 3_600_000);
    this.#expiryTimer = setInterval(() => this.#expire(), everyMs);
    this.#setState('running');
    this.#receiver.start();
  }

  async #findQueues(): Promise<QueueFacts | undefined> {
    const { source, deadLetterQueue, random } = this.#options;
    for (let failures = 1; !this.#stopping.signal.aborted; failures++) {
      const result = await readQueueFacts(source, deadLetterQueue);
      const looks = [
        { url: source.url, look: result.source },
        { url: deadLetterQueue.url, look: result.deadLetter },
      ];
      const retryInMs = Math.max(250, fullJitter(this.#timings.findQueuesBackoff, failures, random));
      for (const { url, look } of looks) {
        if (!look.ok) this.#emit({ type: 'queues-unresolved', queueUrl: url, error: look.error, retryInMs });
        else if ('assumed' in look) this.#emit({ type: 'queue-assumed', queueUrl: url, error: look.error });
      }
      if (looks.every(({ look }) => look.ok)) return result.facts;
      await sleep(retryInMs, undefined, { signal: this.#stopping.signal }).catch(() => undefined);
    }
    return undefined;
  }

  async #stop(): Promise<void> {
    this.#stopping.abort();
    await this.#started;
    this.#setState('draining');
    clearInterval(this.#expiryTimer);
    const graceMs = this.#options.config.shutdownGraceSeconds * 1_000;
    const hard = setTimeout(() => this.#cutShort(), graceMs * 0.8);
    const timeUp = Promise.withResolvers<void>();
    const end = setTimeout(timeUp.resolve, graceMs * 0.95);
    for (const delivery of this.#holdings) this.#giveUp(delivery, {});
    if (!this.#outbox.reachable) this.#settler.releaseUnsent();
    await Promise.race([this.#drained(), timeUp.promise]);
    clearTimeout(hard);
    clearTimeout(end);
    this.#permits.close();
    this.#leases.stop();
    await this.#options.limiter.close();
    this.#options.api.destroy();
    this.#setState('stopped');
  }

  async #drained(): Promise<void> {
    await this.#receiver.stop();
    while (this.#holdings.size > 0) {
      this.#settler.flush();
      await new Promise<void>((resolve) => {
        this.#idle = resolve;
      });
    }
  }

  /** Time is nearly up: calls are aborted and their messages released, unsent dead letters too. */
  #cutShort(): void {
    this.#deadline.abort();
    this.#settler.releaseUnsent();
  }

  #onMessages(messages: Message[], durationMs: number): void {
    this.#emit({ type: 'received', count: messages.length, durationMs });
    for (const message of messages) this.#take(message);
  }

  #take(message: Message): void {
    const delivery = new Delivery(message, parseBody(message.body, message.sentAt));
    this.#holdings.add(delivery);
    this.#leases.hold(delivery);
    // What is not valid needs no lane: it is never called for.
    if (delivery.check.ok) this.#lanes.add(delivery.check.update.Identifier, delivery);
    else void this.#work(delivery);
    if (this.#state === 'draining') this.#giveUp(delivery, {});
  }

  async #work(delivery: Delivery): Promise<void> {
    const disposition = await this.#processor.process(delivery);
    this.#settle(delivery, disposition);
  }

  #settle(delivery: Delivery, disposition: Disposition): void {
    if (delivery.lost) return;
    delivery.settling = true;
    this.#settler.settle(delivery, disposition);
    if (this.#state === 'draining') this.#settler.flush();
    else this.#settler.flushIfLast();
  }

  /** Gives back a delivery that is waiting for anything but an answer. */
  #giveUp(delivery: Delivery, giveUp: GiveUp): void {
    if (delivery.settling) return;
    delivery.interruption.request(giveUp);
    if (!delivery.check.ok || !this.#lanes.withdraw(delivery.check.update.Identifier, delivery)) return;
    this.#settle(delivery, this.#processor.giveUp(delivery));
  }

  #onAttempt(delivery: Delivery, attempt: Attempt): void {
    this.#options.rate.observe(attempt);
    const { failure, requestId } = attempt;
    if (failure === undefined) this.#trials.observeApplied(delivery.ids.identifier ?? '', attempt.startedAt);
    this.#emit({
      type: 'attempt',
      subject: delivery,
      attempt: attempt.number,
      durationMs: attempt.endedAt - attempt.startedAt,
      ...(failure !== undefined && { failure }),
      ...(requestId !== undefined && { requestId }),
    });
    if (this.#gate.closed) this.#giveUpSurplus();
    this.#receiver.wake();
  }

  #onGate(change: GateChange): void {
    this.#emit({ type: 'gate', change });
    if (change.to === 'denied') for (const delivery of this.#holdings) this.#giveUp(delivery, {});
    else if (change.to !== 'open') this.#giveUpSurplus();
    this.#permits.pump();
    this.#receiver.wake();
  }

  #giveUpSurplus(): void {
    const { release, defer } = this.#holdings.surplus(closedSlots);
    for (const delivery of release) this.#giveUp(delivery, {});
    for (const delivery of defer) {
      this.#giveUp(delivery, {
        deferSeconds: deferralSeconds(delivery.message.receiveCount, this.#options.random),
      });
    }
  }

  #onDeadLetterQueue(reachable: boolean, error?: unknown): void {
    this.#emit({ type: 'dead-letter-queue', reachable, error });
    if (reachable) this.#receiver.wake();
    else if (this.#state === 'draining') this.#settler.releaseUnsent();
  }

  #onSettled(delivery: Delivery, disposition: Disposition, settlement: Settlement): void {
    if (settlement === 'confirmed') {
      this.#leases.drop(delivery);
      const { letter, failure } = delivery;
      this.#emit({
        type: 'settled',
        subject: delivery,
        disposition,
        attempts: delivery.tally.attempts,
        dwellMs: this.#options.clock.wall() - delivery.message.sentAt,
        ...(letter !== undefined && { deadLetter: letter }),
        ...(failure !== undefined && { failure }),
      });
    }
    this.#letGo(delivery);
  }

  #onLost(delivery: Delivery, reason: string): void {
    if (delivery.lost) return;
    delivery.lost = true;
    this.#leases.drop(delivery);
    this.#emit({ type: 'lease-lost', subject: delivery, reason });
    this.#giveUp(delivery, {});
    this.#settler.forget(delivery);
    this.#letGo(delivery);
  }

  #onWall(delivery: Delivery): void {
    this.#settler.releaseUnsent(delivery);
    this.#giveUp(delivery, {});
  }

  #letGo(delivery: Delivery): void {
    if (!this.#holdings.delete(delivery)) return;
    this.#receiver.wake();
    this.#settler.flushIfLast();
    this.#idle?.();
  }

  /** Looks for messages that must not be left to the queue any longer: in hand, and while paused in the queue. */
  #expire(): void {
    for (const delivery of this.#holdings) {
      if (!delivery.calling && this.#processor.secondsToExpiring(delivery.message) <= 0)
        this.#giveUp(delivery, {});
    }
    if (!this.#gate.closed || this.#state !== 'running') return;
    const { source, config } = this.#options;
    void sweepExpiring({
      queue: source,
      visibilitySeconds: config.visibilityTimeoutSeconds,
      isExpiring: (message) => this.#processor.secondsToExpiring(message) <= 0,
      take: (message) => this.#take(message),
      onError: (error) => this.#emit({ type: 'settle-failed', request: 'sweep', count: 0, error }),
    });
  }

  #slots(): Slots {
    return slotsFor(this.#options.rate.rate, this.#gate.closed, {
      maxConcurrency: this.#options.config.maxConcurrency,
      visibilitySeconds: this.#options.config.visibilityTimeoutSeconds,
    });
  }

  #free(): number {
    if (!this.#outbox.reachable || this.#state !== 'running') return 0;
    const slots = this.#slots();
    const waiting = this.#gate.closed
      ? this.#holdings.untried()
      : this.#permits.waiting + this.#lanes.waiting;
    return Math.min(slots.waiting - waiting, slots.held - this.#holdings.size);
  }

  #setState(state: WorkerState): void {
    this.#state = state;
    this.#emit({ type: 'state', state });
  }

  #emit(event: WorkerEvent): void {
    for (const listener of this.#options.listeners) {
      try {
        listener(event);
      } catch (error) {
        // A fault of an observer must never become a fault of the work.
        process.emitWarning(error instanceof Error ? error : String(error));
      }
    }
  }
}
