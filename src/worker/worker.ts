/**
 * The worker: joins receiver, turns, processor, settler and leases.
 *
 *   starting ── queues found ─► running ── stop ─► draining ── nothing held, or time is up ─► stopped
 *
 * Draining: no new receives, what was not started is released at once, calls in flight end, settlements are confirmed.
 */
import type { Disposition } from '../message/disposition.ts';
import type { Message } from '../message/message.ts';
import { parseBody } from '../message/parse.ts';
import type { Attempt } from '../ota/call.ts';
import type { GateChange } from '../ota/gate.ts';
import { Delivery } from './delivery.ts';
import { Drain, drainTimes } from './drain.ts';
import { createEmitter, type WorkerEvent, type WorkerListener, type WorkerState } from './events.ts';
import { GiveBacks } from './give-backs.ts';
import { Holdings } from './holdings.ts';
import type { WorkerOptions } from './options.ts';
import { findQueues, type QueueFacts } from './queue-facts.ts';
import { Room } from './room.ts';
import type { Settlement } from './settler.ts';
import { snapshotOf, type WorkerSnapshot } from './snapshot.ts';
import { createStages, type Stages } from './stages.ts';
import { sweepExpiring } from './sweep.ts';
import { defaultTimings } from './timings.ts';

/** Expiring messages in hand at most: their leases are extended ten to a request. */
const MOST_SWEPT = 10_000;

export class Worker {
  readonly #options: WorkerOptions;
  readonly #emit: WorkerListener;
  readonly #stages: Stages;
  readonly #holdings = new Holdings();
  readonly #room: Room;
  readonly #giveBacks: GiveBacks;
  readonly #drain: Drain;
  /** Aborts calls in flight when the time to shut down is nearly over. */
  readonly #deadline = new AbortController();
  readonly #stopping = new AbortController();
  readonly #ended = new AbortController();
  #state: WorkerState = 'stopped';
  #facts: QueueFacts | undefined;
  #expiryTimer: NodeJS.Timeout | undefined;
  #started: Promise<void> | undefined;
  #stopped: Promise<void> | undefined;

  constructor(options: WorkerOptions) {
    this.#options = options;
    this.#emit = createEmitter(options.listeners);
    this.#stages = createStages(options, {
      emit: this.#emit,
      deadline: this.#deadline.signal,
      ended: this.#ended.signal,
      facts: () => this.#facts,
      held: () => this.#holdings.size,
      free: () => (this.#stages.settler.canSend && this.#state === 'running' ? this.#room.free : 0),
      batch: () => this.#room.batch,
      onMessages: (messages, durationMs) => this.#onMessages(messages, durationMs),
      work: (delivery) => this.#work(delivery),
      holds: (delivery) => this.#stages.leases.holds(delivery),
      onStart: () => this.#stages.receiver.wake(),
      onAttempt: (delivery, attempt) => this.#onAttempt(delivery, attempt),
      onGate: (change) => this.#onGate(change),
      onSettled: (delivery, disposition, settlement) => this.#onSettled(delivery, disposition, settlement),
      onGiveBack: (delivery) => this.#giveBacks.behind(delivery),
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
    this.#room = new Room({
      stages: this.#stages,
      holdings: this.#holdings,
      rate: options.rate,
      maxConcurrency: options.config.maxConcurrency,
      visibilitySeconds: options.config.visibilityTimeoutSeconds,
    });
    this.#giveBacks = new GiveBacks({
      holdings: this.#holdings,
      turns: this.#stages.turns,
      processor: this.#stages.processor,
      random: options.random,
      settle: (delivery, disposition) => this.#settle(delivery, disposition),
    });
    this.#drain = new Drain({ stages: this.#stages, holdings: this.#holdings, giveBacks: this.#giveBacks });
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
    return snapshotOf({
      state: this.#state,
      queuesFound: this.#facts !== undefined,
      stages: this.#stages,
      holdings: this.#holdings,
      now: this.#options.clock.wall(),
      rate: this.#options.rate.rate,
    });
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
    const { cutMs, endMs } = drainTimes(this.#options.config.shutdownGraceSeconds * 1_000);
    const hard = setTimeout(() => this.#drain.cutShort(this.#deadline), cutMs);
    const timeUp = Promise.withResolvers<void>();
    const end = setTimeout(timeUp.resolve, endMs);
    await Promise.race([this.#started, timeUp.promise]);
    this.#setState('draining');
    clearInterval(this.#expiryTimer);
    await Promise.race([this.#drain.run(), timeUp.promise]);
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

  #onMessages(messages: Message[], durationMs: number): void {
    this.#emit({ type: 'received', count: messages.length, durationMs });
    for (const message of messages) this.#take(message, durationMs);
    // Polls that were open when calls were paused may bring more than is to be held now.
    if (this.#stages.gate.closed) this.#giveBacks.surplus();
  }

  #take(message: Message, pollMs: number): void {
    // Answered after the end: nothing is kept under lease any more, and SQS shows it to others when its time is up.
    if (this.#state === 'stopped') return;
    const delivery = new Delivery(message, parseBody(message.body, message.sentAt));
    if (this.#options.source.fifo) delivery.cut = new AbortController();
    this.#holdings.add(delivery);
    this.#stages.leases.hold(delivery, pollMs);
    // From a poll that was still open: back at once, whatever it is.
    if (this.#state === 'draining') this.#settle(delivery, { action: 'release' });
    else this.#stages.turns.add(delivery);
  }

  async #work(delivery: Delivery): Promise<void> {
    delivery.working = true;
    const disposition = await this.#stages.processor.process(delivery);
    delivery.working = false;
    this.#settle(delivery, disposition);
    if (!this.#holdings.has(delivery)) this.#stages.turns.leave(delivery);
  }

  #settle(delivery: Delivery, disposition: Disposition): void {
    if (delivery.lost) return;
    delivery.settling = true;
    const { settler } = this.#stages;
    if (this.#state === 'draining') {
      settler.settleWithoutWaiting(delivery, disposition);
      // What is given back in one turn shares requests.
      queueMicrotask(() => settler.flush());
    } else {
      settler.settle(delivery, disposition);
      settler.flushIfLast();
    }
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
    if (this.#stages.gate.closed) this.#giveBacks.surplus();
    else this.#giveBacks.late(this.#room.waiting, this.#room.slots.waiting);
    this.#stages.receiver.wake();
  }

  #onGate(change: GateChange): void {
    this.#emit({ type: 'gate', change });
    if (change.to === 'denied') this.#giveBacks.all();
    else if (change.to !== 'open') this.#giveBacks.surplus();
    this.#stages.permits.pump();
    this.#stages.receiver.wake();
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
      // Confirmed too late, it may have been without effect: somebody else may have it, and those behind it are theirs.
      if (!this.#stages.leases.holds(delivery)) this.#giveBacks.behind(delivery);
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
    delivery.cut?.abort();
    this.#giveBacks.giveUp(delivery);
    this.#giveBacks.behind(delivery);
    this.#stages.settler.forget(delivery);
    this.#letGo(delivery);
  }

  #onWall(delivery: Delivery): void {
    this.#stages.settler.releaseUnsent(delivery);
    this.#giveBacks.giveUp(delivery);
  }

  #letGo(delivery: Delivery): void {
    if (!this.#holdings.delete(delivery)) return;
    if (!delivery.working) this.#stages.turns.leave(delivery);
    this.#stages.receiver.wake();
    this.#stages.settler.flushIfLast();
    this.#drain.letGo();
  }

  /** Looks for messages that must not be left to the queue any longer: in hand, and while paused in the queue. */
  #expire(): void {
    this.#giveBacks.expiring();
    const { gate, settler, outbox } = this.#stages;
    const receiving = !gate.closed && settler.canSend;
    if (receiving || !outbox.reachable || this.#state !== 'running') return;
    const { source, config } = this.#options;
    void sweepExpiring({
      queue: source,
      visibilitySeconds: config.visibilityTimeoutSeconds,
      isExpiring: (message) => this.#stages.processor.secondsToExpiring(message) <= 0,
      take: (message) => this.#take(message, 0),
      onError: (error) => this.#emit({ type: 'settle-failed', request: 'sweep', count: 0, error }),
      // Without the outcome queue each is held once its letter is sent.
      full: () => this.#holdings.size >= MOST_SWEPT,
    });
  }

  #setState(state: WorkerState): void {
    this.#state = state;
    this.#emit({ type: 'state', state });
  }
}
