/**
 * The settler: asks SQS to delete messages and to change their visibility, in batches, until each request is confirmed.
 *
 * What fails, in part or as a whole, is tried again with backoff under the message's lease, until it is confirmed,
 * refused because the message is not ours any more, or withdrawn.
 */
import { BATCH_SIZE, partitionBatch } from '../../queue/batch.ts';
import type { Queue } from '../../queue/queue.ts';
import type { BatchFailure } from '../../queue/types.ts';
import { fullJitter } from '../../time/backoff.ts';
import { sleep } from '../../time/clock.ts';
import type { Delivery } from '../delivery.ts';
import type { WorkerListener } from '../events.ts';

/** How a request of ours ended. */
export type Settlement =
  | { readonly kind: 'confirmed' }
  /** SQS says that the message is not ours any more. */
  | { readonly kind: 'refused'; readonly reason: string }
  | { readonly kind: 'withdrawn' };

export interface SettlerOptions {
  readonly queue: Pick<Queue, 'delete' | 'changeVisibility'>;
  readonly random: () => number;
  /** Aborted when the worker has stopped: nothing is tried again. */
  readonly ended: AbortSignal;
  readonly emit: WorkerListener;
  /** How long a delete waits for others to share its request, in milliseconds. */
  readonly deleteLingerMs?: number;
}

/** A delete waits this long for others to share its request, unless it is flushed earlier. */
const DELETE_LINGER_MS = 1_000;
const VISIBILITY_LINGER_MS = 50;
const retryBackoff = { baseMs: 200, maxMs: 5_000 };

const confirmed: Settlement = { kind: 'confirmed' };

interface Item {
  readonly delivery: Delivery;
  /** For a visibility change: seconds from now. */
  readonly seconds: number;
  readonly end: (settlement: Settlement) => void;
  /** A bug of ours ended the request. */
  readonly fail: (error: unknown) => void;
}

type Request = (items: readonly Item[]) => Promise<BatchFailure[]>;

export class Settler {
  readonly #options: SettlerOptions;
  readonly #deletes: Batch<Item>;
  readonly #changes: Batch<Item>;
  readonly #open = new Map<Delivery, Item>();

  constructor(options: SettlerOptions) {
    this.#options = options;
    const { queue, deleteLingerMs = DELETE_LINGER_MS } = options;
    this.#deletes = this.#batch('delete', deleteLingerMs, (items) =>
      queue.delete(items.map(receiptHandleOf)),
    );
    this.#changes = this.#batch('change visibility', VISIBILITY_LINGER_MS, (items) =>
      queue.changeVisibility(
        items.map((item) => ({ receiptHandle: receiptHandleOf(item), seconds: item.seconds })),
      ),
    );
  }

  /** Deletes the message. The promise of a request rejects only for a bug of ours. */
  delete(delivery: Delivery): Promise<Settlement> {
    return this.#request(this.#deletes, delivery, 0);
  }

  /** Makes the message visible again in `seconds`; 0: now. */
  changeVisibility(delivery: Delivery, seconds: number): Promise<Settlement> {
    return this.#request(this.#changes, delivery, seconds);
  }

  /** Ends the request of `delivery` without effect, as far as it has had none yet. */
  withdraw(delivery: Delivery): void {
    const item = this.#open.get(delivery);
    if (item !== undefined) this.#end(item, { kind: 'withdrawn' });
  }

  /** Sends what is gathered, now. */
  flush(): void {
    this.#deletes.flush();
    this.#changes.flush();
  }

  #batch(name: string, lingerMs: number, request: Request): Batch<Item> {
    return new Batch(lingerMs, (items) => {
      this.#carryOut(name, items, request).catch((error: unknown) => {
        for (const item of items) this.#fail(item, error);
      });
    });
  }

  #request(batch: Batch<Item>, delivery: Delivery, seconds: number): Promise<Settlement> {
    const { promise, resolve, reject } = Promise.withResolvers<Settlement>();
    const item = { delivery, seconds, end: resolve, fail: reject };
    this.#open.set(delivery, item);
    batch.add(item);
    return promise;
  }

  async #carryOut(name: string, batch: readonly Item[], request: Request): Promise<void> {
    const { random, ended } = this.#options;
    let items = batch;
    for (let failures = 1; ; failures++) {
      items = items.filter((item) => this.#open.get(item.delivery) === item);
      if (items.length === 0) return;
      for (const { delivery } of items) {
        if (delivery.state === 'settling') delivery.enter('settlement-sent');
      }
      items = await this.#try(name, items, request);
      if (items.length === 0) return;
      await sleep(fullJitter(retryBackoff, failures, random), ended);
      if (ended.aborted) return;
    }
  }

  /** One request; the answer is what has to be tried again. */
  async #try(name: string, items: readonly Item[], request: Request): Promise<Item[]> {
    let failures: BatchFailure[];
    try {
      failures = await request(items);
    } catch (error) {
      this.#options.emit({ type: 'settle-failed', request: name, count: items.length, error });
      return [...items];
    }
    if (failures.length === 0) {
      for (const item of items) this.#end(item, confirmed);
      return [];
    }
    const { taken, atFault, again } = partitionBatch(items, failures, receiptHandleOf);
    for (const item of taken) this.#end(item, confirmed);
    for (const { item, failure } of atFault) {
      this.#end(item, { kind: 'refused', reason: `${name}: ${failure.code}: ${failure.message}` });
    }
    const [first] = again;
    if (first !== undefined) {
      const error = first.failure;
      this.#options.emit({ type: 'settle-failed', request: name, count: again.length, error });
    }
    return again.map(({ item }) => item);
  }

  #end(item: Item, settlement: Settlement): void {
    if (this.#open.get(item.delivery) !== item) return;
    this.#open.delete(item.delivery);
    item.end(settlement);
  }

  #fail(item: Item, error: unknown): void {
    if (this.#open.get(item.delivery) !== item) return;
    this.#open.delete(item.delivery);
    item.fail(error);
  }
}

function receiptHandleOf({ delivery }: Item): string {
  return delivery.message.receiptHandle;
}

/** Items that wait for others to share their request: until it is full, for a while, or until it is flushed. */
class Batch<T> {
  readonly #lingerMs: number;
  readonly #onBatch: (items: readonly T[]) => void;
  #items: T[] = [];
  #timer: NodeJS.Timeout | undefined;

  /** @param lingerMs how long the first item waits for others, in milliseconds. */
  constructor(lingerMs: number, onBatch: (items: readonly T[]) => void) {
    this.#lingerMs = lingerMs;
    this.#onBatch = onBatch;
  }

  add(item: T): void {
    this.#items.push(item);
    if (this.#items.length >= BATCH_SIZE) this.flush();
    else this.#timer ??= setTimeout(() => this.flush(), this.#lingerMs);
  }

  flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const items = this.#items;
    this.#items = [];
    if (items.length > 0) this.#onBatch(items);
  }
}
