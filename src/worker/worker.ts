/**
 * The worker: joins receiver, lanes, processor, settler and leases.
 *
 *   starting ── queues found ─► running ── stop ─► draining ── nothing held, or time is up ─► stopped
 *
 * Draining: no new receives, what was not started is released at once, calls in flight end, settlements are confirmed.
 */
import { type Disposition, deferralSeconds } from '../message/disposition.ts';
import type { Message } from '../message/message.ts';
import { parseBody } from '../message/parse.ts';
import type { Attempt } from '../ota/call.ts';
import type { GateChange } from '../ota/gate.ts';
import type { GiveUp } from '../ota/interruption.ts';
import { Delivery } from './delivery.ts';
import { createEmitter, type WorkerEvent, type WorkerListener, type WorkerState } from './events.ts';
import { Holdings } from './holdings.ts';
import type { WorkerOptions } from './options.ts';
import { findQueues, type QueueFacts } from './queue-facts.ts';
import type { Settlement } from './settler.ts';
import { closedSlots, RECEIVE_SIZE, type Slots, slotsFor } from './slots.ts';
import type { WorkerSnapshot } from './snapshot.ts';
import { createStages, type Stages } from './stages.ts';
import { sweepExpiring } from './sweep.ts';
import { defaultTimings } from './timings.ts';

/** Room for the rate to waver before messages are given back, as a factor on what may wait. */
const LATE_FACTOR = 1.5;

export class Worker {
  readonly #options: WorkerOptions;
  readonly #emit: WorkerListener;
  readonly #stages: Stages;
  readonly #holdings = new Holdings();
  /** Aborts calls in flight when the time to shut down is nearly over. */
  readonly #deadline = new AbortController();
  readonly #stopping = new AbortController();
  readonly #ended = new AbortController();
  #state: WorkerState = 'stopped';
  #facts: QueueFacts | undefined;
  #expiryTimer: NodeJS.Timeout | undefined;
  #started: Promise<void> | undefined;
  #stopped: Promise<void> | undefined;
  #letGoNext = Promise.withResolvers<void>();

  constructor(options: WorkerOptions) {
    this.#options = options;
    this.#emit = createEmitter(options.listeners);
    this.#stages = createStages(options, {
      emit: this.#emit,
      deadline: this.#deadline.signal,
      ended: this.#ended.signal,
      facts: () => this.#facts,
      held: () => this.#holdings.size,
      free: () => this.#free(),
      batch: () => Math.min(RECEIVE_SIZE, this.#slots().waiting),
      onMessages: (messages, durationMs) => this.#onMessages(messages, durationMs),
      work: (delivery) => this.#work(delivery),
      onStart: () => this.#stages.receiver.wake(),
      onAttempt: (delivery, attempt) => this.#onAttempt(delivery, attempt),
      onGate: (change) => this.#onGate(change),
      onSettled: (delivery, disposition, settlement) => this.#onSettled(delivery, disposition, settlement),
      onLost: (delivery, reason) => this.#onLost(delivery, reason),
      onWall: (delivery) => this.#onWall(delivery),
      onDeadLetterQueue: (reachable, error) =>
        this.#onOutbox({ type: 'dead-letter-queue', reachable, error }),
      onLetterRefused: (delivery, error) =>
        this.#onRefused({ type: 'letter-refused', subject: delivery, error }),
      onOutcomeQueue: (reachable, error) => this.#onOutbox({ type: 'outcome-queue', reachable, error }),
      onOutcomeRefused: (delivery, error) =>
        this.#onRefused({ type: 'outcome-refused', subject: delivery, error }),
    });
  }

  /** Begins to work; resolves once all queues are found and the first receive is on its way. Idempotent. */
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
      gate: this.#stages.gate.state,
      gateReason: this.#stages.gate.reason,
      queuesFound: this.#facts !== undefined,
      receiving: !this.#stages.receiver.failing,
      deadLetterQueueReachable: this.#stages.outbox.reachable,
      refusedLetters: this.#stages.outbox.refused().length,
      outcomeQueueReachable: this.#stages.outcomes?.reachable ?? true,
      refusedOutcomes: this.#stages.outcomes?.refused().length ?? 0,
      pollStalledMs: this.#stages.receiver.stalledMs,
      held: this.#holdings.size,
      inFlight: this.#stages.permits.inFlight,
      onTrial: this.#stages.trials.size,
      settling: this.#stages.settler.open,
      oldestHeldMs: oldest === undefined ? 0 : this.#options.clock.wall() - oldest.message.receivedAt,
      rate: this.#options.rate.rate,
    };
  }

  async #start(): Promise<void> {
    this.#setState('starting');
    const { source, deadLetterQueue, outcomeQueue, random, timings = defaultTimings } = this.#options;
    this.#facts = await findQueues({
      source,
      deadLetter: deadLetterQueue,
      ...(outcomeQueue !== undefined && { outcome: outcomeQueue }),
      backoff: timings.findQueuesBackoff,
      random,
      signal: this.#stopping.signal,
      emit: this.#emit,
    });
    if (this.#stopping.signal.aborted || this.#facts === undefined) return;
    // The last tenth of the retention leaves ten such looks.
    const everyMs = Math.min(Math.max(this.#facts.retentionSeconds * 10, 500), 3_600_000);
    this.#expiryTimer = setInterval(() => this.#expire(), everyMs);
    this.#setState('running');
    this.#stages.receiver.start();
  }

  async #stop(): Promise<void> {
    this.#stopping.abort();
    const graceMs = this.#options.config.shutdownGraceSeconds * 1_000;
    const hard = setTimeout(() => this.#cutShort(), graceMs * 0.8);
    const timeUp = Promise.withResolvers<void>();
    const end = setTimeout(timeUp.resolve, graceMs * 0.95);
    await Promise.race([this.#started, timeUp.promise]);
    this.#setState('draining');
    clearInterval(this.#expiryTimer);
    await Promise.race([this.#drained(), timeUp.promise]);
    clearTimeout(hard);
    clearTimeout(end);
    this.#ended.abort();
    this.#stages.permits.close();
    this.#stages.leases.stop();
    await this.#options.limiter.close();
    this.#options.newest.close();
    this.#options.api.destroy();
    this.#setState('stopped');
  }

  async #drained(): Promise<void> {
    const { receiver, settler } = this.#stages;
    receiver.close();
    const held = [...this.#holdings];
    for (const delivery of held) this.#giveUp(delivery, {});
    settler.releaseUnsendable();
    settler.flush();
    // A poll of ours that is still open would take what is released here, and hide it when it is cut.
    await this.#until(() => held.every((delivery) => delivery.calling || !this.#holdings.has(delivery)));
    await receiver.stop(held.length > 0);
    await this.#until(() => this.#holdings.size === 0);
  }

  /** Resolves when `done` holds; asks again whenever a message has been let go. */
  async #until(done: () => boolean): Promise<void> {
    while (!done()) {
      this.#stages.settler.flush();
      await this.#letGoNext.promise;
    }
  }

  /** Time is nearly up: calls are aborted and their messages released, unsent dead letters and outcomes too. */
  #cutShort(): void {
    this.#deadline.abort();
    this.#stages.settler.releaseUnsent();
  }

  #onMessages(messages: Message[], durationMs: number): void {
    this.#emit({ type: 'received', count: messages.length, durationMs });
    for (const message of messages) this.#take(message);
    // Polls that were open when calls were paused may bring more than is to be held now.
    if (this.#stages.gate.closed) this.#giveUpSurplus();
  }

  #take(message: Message): void {
    const delivery = new Delivery(message, parseBody(message.body, message.sentAt));
    this.#holdings.add(delivery);
    this.#stages.leases.hold(delivery);
    // From a poll that was still open: back at once, whatever it is.
    if (this.#state === 'draining') this.#settle(delivery, { action: 'release' });
    // What is not valid needs no lane: it is never called for.
    else if (delivery.check.ok) this.#stages.lanes.add(delivery.check.update.Identifier, delivery);
    else void this.#work(delivery);
  }

  async #work(delivery: Delivery): Promise<void> {
    const disposition = await this.#stages.processor.process(delivery);
    this.#settle(delivery, disposition);
  }

  #settle(delivery: Delivery, disposition: Disposition): void {
    if (delivery.lost) return;
    delivery.settling = true;
    const { settler } = this.#stages;
    if (this.#state === 'draining') {
      settler.settleWithoutWaiting(delivery, disposition);
      settler.flush();
    } else {
      settler.settle(delivery, disposition);
      settler.flushIfLast();
    }
  }

  /** Gives back a delivery that is waiting for anything but an answer. */
  #giveUp(delivery: Delivery, giveUp: GiveUp): void {
    if (delivery.settling) return;
    delivery.interruption.request(giveUp);
    if (!delivery.check.ok || !this.#stages.lanes.withdraw(delivery.check.update.Identifier, delivery))
      return;
    this.#settle(delivery, this.#stages.processor.giveUp(delivery));
  }

  #onAttempt(delivery: Delivery, attempt: Attempt): void {
    this.#options.rate.observe(attempt);
    const { failure, requestId } = attempt;
    if (failure === undefined)
      this.#stages.trials.observeApplied(delivery.ids.identifier ?? '', attempt.startedAt);
    this.#emit({
      type: 'attempt',
      subject: delivery,
      attempt: attempt.number,
      durationMs: attempt.endedAt - attempt.startedAt,
      ...(failure !== undefined && { failure }),
      ...(requestId !== undefined && { requestId }),
    });
    if (this.#stages.gate.closed) this.#giveUpSurplus();
    else this.#releaseLate();
    this.#stages.receiver.wake();
  }

  #onGate(change: GateChange): void {
    this.#emit({ type: 'gate', change });
    if (change.to === 'denied') for (const delivery of this.#holdings) this.#giveUp(delivery, {});
    else if (change.to !== 'open') this.#giveUpSurplus();
    this.#stages.permits.pump();
    this.#stages.receiver.wake();
  }

  /** The rate has fallen: what cannot be started soon any more is for others to take. */
  #releaseLate(): void {
    const { waiting } = this.#slots();
    const late = this.#waiting() - (waiting * LATE_FACTOR + RECEIVE_SIZE);
    if (late <= 0) return;
    for (const delivery of this.#holdings.newestUntried(Math.ceil(late))) this.#giveUp(delivery, {});
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

  /** A queue that is sent to has gone away or come back. */
  #onOutbox(event: Extract<WorkerEvent, { readonly reachable: boolean }>): void {
    this.#emit(event);
    if (event.reachable) this.#stages.receiver.wake();
    else if (this.#state === 'draining') this.#stages.settler.releaseUnsendable();
  }

  /** A letter or an outcome cannot be sent for its own sake. */
  #onRefused(event: Extract<WorkerEvent, { type: 'letter-refused' | 'outcome-refused' }>): void {
    this.#emit(event);
    if (this.#state === 'draining') this.#stages.settler.releaseUnsendable();
  }

  #onSettled(delivery: Delivery, disposition: Disposition, settlement: Settlement): void {
    if (settlement === 'confirmed') {
      this.#stages.leases.drop(delivery);
      const { letter, outcome, failure, superseded, decidedAt } = delivery;
      this.#emit({
        type: 'settled',
        subject: delivery,
        disposition,
        attempts: delivery.tally.attempts,
        dwellMs: this.#options.clock.wall() - delivery.message.sentAt,
        ...(disposition.action === 'acknowledge' &&
          superseded.length > 0 && { superseded: { fields: superseded, decidedAt } }),
        ...(letter !== undefined && { deadLetter: letter }),
        ...(outcome !== undefined && { outcome }),
        ...(failure !== undefined && { failure }),
      });
    }
    this.#letGo(delivery);
  }

  #onLost(delivery: Delivery, reason: string): void {
    if (delivery.lost) return;
    delivery.lost = true;
    this.#stages.leases.drop(delivery);
    this.#emit({ type: 'lease-lost', subject: delivery, reason });
    this.#giveUp(delivery, {});
    this.#stages.settler.forget(delivery);
    this.#letGo(delivery);
  }

  #onWall(delivery: Delivery): void {
    this.#stages.settler.releaseUnsent(delivery);
    this.#giveUp(delivery, {});
  }

  #letGo(delivery: Delivery): void {
    if (!this.#holdings.delete(delivery)) return;
    this.#stages.receiver.wake();
    this.#stages.settler.flushIfLast();
    this.#letGoNext.resolve();
    this.#letGoNext = Promise.withResolvers();
  }

  /** Looks for messages that must not be left to the queue any longer: in hand, and while paused in the queue. */
  #expire(): void {
    for (const delivery of this.#holdings) {
      if (!delivery.calling && this.#stages.processor.secondsToExpiring(delivery.message) <= 0)
        this.#giveUp(delivery, {});
    }
    if (!this.#stages.gate.closed || !this.#stages.settler.canSend || this.#state !== 'running') return;
    const { source, config } = this.#options;
    void sweepExpiring({
      queue: source,
      visibilitySeconds: config.visibilityTimeoutSeconds,
      isExpiring: (message) => this.#stages.processor.secondsToExpiring(message) <= 0,
      take: (message) => this.#take(message),
      onError: (error) => this.#emit({ type: 'settle-failed', request: 'sweep', count: 0, error }),
    });
  }

  #slots(): Slots {
    return slotsFor(this.#options.rate.rate, this.#stages.gate.closed, {
      maxConcurrency: this.#options.config.maxConcurrency,
      visibilitySeconds: this.#options.config.visibilityTimeoutSeconds,
    });
  }

  /** Messages waiting to be called for, first or again. */
  #waiting(): number {
    return this.#stages.permits.waiting + this.#stages.lanes.waiting;
  }

  #free(): number {
    if (!this.#stages.settler.canSend || this.#state !== 'running') return 0;
    const slots = this.#slots();
    const waiting = this.#stages.gate.closed ? this.#holdings.untried() : this.#waiting();
    return Math.min(slots.waiting - waiting, slots.held - this.#holdings.size);
  }

  #setState(state: WorkerState): void {
    this.#state = state;
    this.#emit({ type: 'state', state });
  }
}
