/**
 * The settler: carries out dispositions in batches and sees each one confirmed.
 *
 *   acknowledge  ─► deletes ─────────────────────────► confirmed
 *   dead-letter  ─► dead letters ─► sent ─► deletes ─► confirmed
 *   defer, release ─► visibility changes ────────────► confirmed
 *
 * What fails in part or as a whole is tried again with backoff, under lease, until it is confirmed or the lease is lost.
 */
import { sleep } from '../clock.ts';
import { fullJitter } from '../message/backoff.ts';
import type { Disposition } from '../message/disposition.ts';
import type { BatchFailure, VisibilityChange } from '../queue/types.ts';
import { Batcher } from './batcher.ts';
import type { DeadLetterOutbox } from './dead-letter-outbox.ts';
import type { Delivery } from './delivery.ts';

/** How a settlement ended: SQS confirmed it, or the lease was lost first and the message is forgotten. */
export type Settlement = 'confirmed' | 'lost';

export interface SettlerOptions {
  readonly deleteMessages: (receiptHandles: readonly string[]) => Promise<BatchFailure[]>;
  readonly changeVisibility: (changes: readonly VisibilityChange[]) => Promise<BatchFailure[]>;
  readonly outbox: DeadLetterOutbox;
  readonly random: () => number;
  /** Aborted when the worker has stopped: nothing is tried again. */
  readonly ended: AbortSignal;
  /** Messages in hand: when all of them are being settled, no more will come to share a request. */
  readonly held: () => number;
  /** The settlement is over: the slot is free. */
  readonly onSettled: (delivery: Delivery, disposition: Disposition, settlement: Settlement) => void;
  /** SQS says that the message is no longer ours. */
  readonly onLost: (delivery: Delivery, reason: string) => void;
  readonly onError: (request: string, count: number, error: unknown) => void;
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

  constructor(options: SettlerOptions) {
    this.#options = options;
    const { deleteMessages, changeVisibility } = options;
    const handles = (items: readonly Item[]): string[] =>
      items.map((item) => item.delivery.message.receiptHandle);
    this.#deletes = new Batcher({
      size: BATCH,
      lingerMs: DELETE_LINGER_MS,
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
        this.#deletes.add({ delivery, disposition, seconds: 0 });
        break;
      case 'dead-letter':
        this.#options.outbox.add(delivery, disposition, () => this.#delete(delivery, disposition));
        break;
      case 'defer':
        this.#changes.add({ delivery, disposition, seconds: disposition.seconds });
        break;
      case 'release':
        this.#changes.add({ delivery, disposition, seconds: 0 });
        break;
    }
  }

  #delete(delivery: Delivery, disposition: Disposition): void {
    this.#deletes.add({ delivery, disposition, seconds: 0 });
    this.flushIfLast();
  }

  /** Sends what is gathered when nothing else in hand will fill the batch. */
  flushIfLast(): void {
    if (this.#open.size === this.#options.held()) this.flush();
  }

  /** The lease of `delivery` is lost: its settlement is over without effect. */
  forget(delivery: Delivery): void {
    const disposition = this.#open.get(delivery);
    this.#options.outbox.withdraw(delivery);
    if (disposition !== undefined) this.#finish(delivery, disposition, 'lost');
  }

  /** Gives back messages whose dead letter could not be sent: at the lease's wall and at shutdown. */
  releaseUnsent(delivery?: Delivery): void {
    const unsent =
      delivery === undefined ? this.#options.outbox.withdrawAll() : this.#options.outbox.withdraw(delivery);
    for (const each of unsent) this.settle(each, { action: 'release' });
  }

  /** Sends what is gathered, now. */
  flush(): void {
    this.#deletes.flush();
    this.#changes.flush();
  }

  async #carryOut(name: string, batch: readonly Item[], request: Request): Promise<void> {
    let items = batch;
    for (let failures = 0; ; ) {
      items = items.filter((item) => this.#open.get(item.delivery) === item.disposition);
      if (items.length === 0) return;
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
