/**
 * The settler: carries out dispositions in batches and sees each one confirmed.
 *
 *   acknowledge ──────────────────────────┐
 *   dead-letter ─► dead letters ─► sent ──┴─► (outcomes ─► published) ─► deletes ─► confirmed
 *   defer, release ─► visibility changes ─────────────────────────────────────────► confirmed
 *
 * What fails in part or as a whole is tried again with backoff, under lease, until it is confirmed or the lease is lost.
 */

import type { Disposition } from '../message/disposition.ts';
import type { EndingDisposition } from '../message/outcome.ts';
import type { BatchFailure, VisibilityChange } from '../queue/types.ts';
import { fullJitter } from '../time/backoff.ts';
import { sleep } from '../time/clock.ts';
import { Batcher } from './batcher.ts';
import type { DeadLetterOutbox } from './dead-letter-outbox.ts';
import type { Delivery } from './delivery.ts';
import type { OutcomeOutbox } from './outcome-outbox.ts';

/** How a settlement ended: SQS confirmed it, or the lease was lost first and the message is forgotten. */
export type Settlement = 'confirmed' | 'lost';

export interface SettlerOptions {
  readonly deleteMessages: (receiptHandles: readonly string[]) => Promise<BatchFailure[]>;
  readonly changeVisibility: (changes: readonly VisibilityChange[]) => Promise<BatchFailure[]>;
  readonly outbox: DeadLetterOutbox;
  /** undefined: nobody wants outcomes. */
  readonly outcomes?: OutcomeOutbox | undefined;
  readonly random: () => number;
  /** Aborted when the worker has stopped: nothing is tried again. */
  readonly ended: AbortSignal;
  /** Messages in hand: when all of them are being settled, no more will come to share a request. */
  readonly held: () => number;
  /** The settlement is over: the slot is free. */
  readonly onSettled: (delivery: Delivery, disposition: Disposition, settlement: Settlement) => void;
  /** The message is deferred or released: told before SQS is asked. */
  readonly onGiveBack?: (delivery: Delivery) => void;
  /**
   * Called after that. What it answers is waited for before SQS is asked: what is under way for the message and could
   * undo the deferral or the release.
   */
  readonly endLease?: (delivery: Delivery) => Promise<void> | undefined;
  /** SQS says that the message is no longer ours. */
  readonly onLost: (delivery: Delivery, reason: string) => void;
  readonly onError: (request: string, count: number, error: unknown) => void;
  /** How long a delete waits for others to share its request, in milliseconds. */
  readonly deleteLingerMs?: number;
}

const BATCH = 10;
/** A delete waits this long for others to share its request; at once when nothing else is in hand. */
const DELETE_LINGER_MS = 1_000;
const VISIBILITY_LINGER_MS = 50;
const retryBackoff = { baseMs: 200, maxMs: 5_000 };

interface Item {
  readonly delivery: Delivery;
  readonly disposition: Disposition;
  /** For a visibility change: seconds from now. */
  readonly seconds: number;
}

type Request = (items: readonly Item[]) => Promise<BatchFailure[]>;

export class Settler {
  readonly #options: SettlerOptions;
  readonly #deletes: Batcher<Item>;
  readonly #changes: Batcher<Item>;
  readonly #open = new Map<Delivery, Disposition>();
  readonly #boxes: readonly (DeadLetterOutbox | OutcomeOutbox)[];
  #flushDue = false;

  constructor(options: SettlerOptions) {
    this.#options = options;
    const { deleteMessages, changeVisibility, outbox, outcomes } = options;
    this.#boxes = outcomes === undefined ? [outbox] : [outbox, outcomes];
    const handles = (items: readonly Item[]): string[] =>
      items.map((item) => item.delivery.message.receiptHandle);
    this.#deletes = new Batcher({
      size: BATCH,
      lingerMs: options.deleteLingerMs ?? DELETE_LINGER_MS,
      onBatch: (items) => void this.#carryOut('delete', items, (batch) => deleteMessages(handles(batch))),
    });
    this.#changes = new Batcher({
      size: BATCH,
      lingerMs: VISIBILITY_LINGER_MS,
      onBatch: (items) =>
        void this.#carryOut('change visibility', items, (batch) =>
          changeVisibility(
            batch.map(({ delivery, seconds }) => ({
              receiptHandle: delivery.message.receiptHandle,
              seconds,
            })),
          ),
        ),
    });
  }

  /** Settlements not confirmed yet. */
  get open(): number {
    return this.#open.size;
  }

  /** Begins to carry out `disposition`; `onSettled` tells the end. One settlement per delivery. */
  settle(delivery: Delivery, disposition: Disposition): void {
    this.#open.set(delivery, disposition);
    switch (disposition.action) {
      case 'acknowledge':
        this.#publish(delivery, disposition);
        break;
      case 'dead-letter':
        this.#options.outbox.add(delivery, disposition, () => {
          this.#publish(delivery, disposition);
          this.#flushSoon();
        });
        break;
      case 'defer':
        this.#giveBack(delivery, disposition, disposition.seconds);
        break;
      case 'release':
        this.#giveBack(delivery, disposition, 0);
        break;
    }
  }

  #giveBack(delivery: Delivery, disposition: Disposition, seconds: number): void {
    this.#options.onGiveBack?.(delivery);
    const item = { delivery, disposition, seconds };
    const underWay = this.#options.endLease?.(delivery);
    if (underWay === undefined) {
      this.#changes.add(item);
      return;
    }
    void underWay.then(() => {
      this.#changes.add(item);
      this.#flushSoon();
    });
  }

  /** The outcome, where one is wanted, and the delete only when it is confirmed. */
  #publish(delivery: Delivery, disposition: EndingDisposition): void {
    const item = { delivery, disposition, seconds: 0 };
    const { outcomes } = this.#options;
    if (outcomes === undefined) {
      this.#deletes.add(item);
      return;
    }
    outcomes.add(delivery, disposition, () => {
      this.#deletes.add(item);
      this.#flushSoon();
    });
  }

  /** What one answer has confirmed goes on together. */
  #flushSoon(): void {
    if (this.#flushDue) return;
    this.#flushDue = true;
    queueMicrotask(() => {
      this.#flushDue = false;
      this.flushIfLast();
    });
  }

  /** Sends what is gathered when nothing else in hand will fill the batch. */
  flushIfLast(): void {
    if (this.#open.size === this.#options.held()) this.flush();
  }

  /** The lease of `delivery` is lost: its settlement is over without effect. */
  forget(delivery: Delivery): void {
    const disposition = this.#open.get(delivery);
    for (const box of this.#boxes) box.withdraw(delivery);
    if (disposition !== undefined) this.#finish(delivery, disposition, 'lost');
  }

  /** False while what must be sent before a message is deleted cannot be. */
  get canSend(): boolean {
    return this.#boxes.every((box) => box.reachable);
  }

  /** Gives back messages whose letter or outcome is not sent: at the lease's wall and when the time is up. */
  releaseUnsent(delivery?: Delivery): void {
    for (const box of this.#boxes)
      this.#releaseAll(delivery === undefined ? box.withdrawAll() : box.withdraw(delivery));
  }

  /** At shutdown nothing waits for a queue that is away, nor for what it refuses: whoever comes next tries again. */
  releaseUnsendable(): void {
    for (const box of this.#boxes) {
      const unsendable = box.reachable ? box.refused() : undefined;
      if (unsendable === undefined) this.#releaseAll(box.withdrawAll());
      else for (const delivery of unsendable) this.#releaseAll(box.withdraw(delivery));
    }
  }

  /** Carries out `disposition`, or releases the message where that would have to wait for a queue that is away. */
  settleWithoutWaiting(delivery: Delivery, disposition: Disposition): void {
    const { outbox, outcomes } = this.#options;
    const lettered = disposition.action === 'dead-letter';
    const published = outcomes !== undefined && (lettered || disposition.action === 'acknowledge');
    const waits = (lettered && !outbox.reachable) || (published && !outcomes.reachable);
    this.settle(delivery, waits ? { action: 'release' } : disposition);
  }

  #releaseAll(deliveries: readonly Delivery[]): void {
    for (const delivery of deliveries) this.settle(delivery, { action: 'release' });
  }

  /** Sends what is gathered, now. */
  flush(): void {
    this.#options.outcomes?.flush();
    this.#deletes.flush();
    this.#changes.flush();
  }

  async #carryOut(name: string, batch: readonly Item[], request: Request): Promise<void> {
    let items = batch;
    for (let failures = 0; ; ) {
      items = items.filter((item) => this.#open.get(item.delivery) === item.disposition);
      if (items.length === 0) return;
      for (const { delivery } of items) delivery.settlementSent = true;
      items = await this.#try(name, items, request);
      if (items.length === 0) return;
      failures++;
      const waitMs = fullJitter(retryBackoff, failures, this.#options.random);
      await sleep(waitMs, this.#options.ended);
      if (this.#options.ended.aborted) return;
    }
  }

  /** One request; the answer is what has to be tried again. */
  async #try(name: string, items: readonly Item[], request: Request): Promise<Item[]> {
    let failures: BatchFailure[];
    try {
      failures = await request(items);
    } catch (error) {
      this.#options.onError(name, items.length, error);
      return [...items];
    }
    if (failures.length === 0) {
      for (const item of items) this.#finish(item.delivery, item.disposition, 'confirmed');
      return [];
    }
    const failed = new Map(failures.map((failure) => [failure.key, failure]));
    const again: Item[] = [];
    for (const item of items) {
      const failure = failed.get(item.delivery.message.receiptHandle);
      if (failure === undefined) this.#finish(item.delivery, item.disposition, 'confirmed');
      else if (failure.senderFault)
        this.#options.onLost(item.delivery, `${name}: ${failure.code}: ${failure.message}`);
      else again.push(item);
    }
    if (again.length > 0)
      this.#options.onError(
        name,
        again.length,
        failures.find((failure) => !failure.senderFault),
      );
    return again;
  }

  #finish(delivery: Delivery, disposition: Disposition, settlement: Settlement): void {
    if (!this.#open.delete(delivery)) return;
    this.#options.onSettled(delivery, disposition, settlement);
  }
}
