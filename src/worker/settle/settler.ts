/**
 * The settler: asks SQS to delete messages and to change their visibility, until each request is confirmed, withdrawn,
 * or refused because the message is no longer ours. It retries for as long as the message's lease lasts.
 */
import type { Queue } from '../../queue/queue.ts';
import type { Delivery } from '../delivery.ts';
import type { WorkerListener } from '../events.ts';
import type { ActionHealth } from './action-health.ts';
import { Lane, type LaneItem, type Settlement } from './lane.ts';

export interface SettlerOptions {
  readonly queue: Pick<Queue, 'delete' | 'changeVisibility'>;
  readonly random: () => number;
  /** Aborted when the worker has stopped: nothing is tried again. */
  readonly ended: AbortSignal;
  readonly emit: WorkerListener;
  readonly deleting: Pick<ActionHealth, 'carriedOut' | 'failed'>;
  /** For visibility changes, which are the same request as an extension. */
  readonly extending: Pick<ActionHealth, 'carriedOut' | 'failed'>;
  /** How long a delete waits for others to share its request, in milliseconds. */
  readonly deleteLingerMs?: number;
}

/** How long a delete waits for others to share its request, unless it is flushed earlier. */
const DELETE_LINGER_MS = 1_000;
const VISIBILITY_LINGER_MS = 50;

interface Item extends LaneItem {
  readonly end: (settlement: Settlement) => void;
  /** A bug in this program ended the request. */
  readonly fail: (error: unknown) => void;
}

export class Settler {
  readonly #deletes: Lane<Item>;
  readonly #changes: Lane<Item>;
  readonly #open = new Map<Delivery, Item>();

  constructor(options: SettlerOptions) {
    const { queue, deleting, extending, deleteLingerMs = DELETE_LINGER_MS } = options;
    const shared = {
      ...options,
      isOpen: (item: Item) => this.#open.get(item.delivery) === item,
      onEnd: (item: Item, settlement: Settlement) => this.#end(item, settlement),
      onBug: (item: Item, error: unknown) => {
        if (this.#forget(item)) item.fail(error);
      },
    };
    this.#deletes = new Lane<Item>({
      ...shared,
      name: 'delete',
      lingerMs: deleteLingerMs,
      health: deleting,
      request: (items) => queue.delete(items.map(({ delivery }) => delivery.message.receiptHandle)),
    });
    this.#changes = new Lane<Item>({
      ...shared,
      name: 'change visibility',
      lingerMs: VISIBILITY_LINGER_MS,
      health: extending,
      request: (items) =>
        queue.changeVisibility(
          items.map(({ delivery, seconds }) => ({ receiptHandle: delivery.message.receiptHandle, seconds })),
        ),
    });
  }

  /** The number of requests that have not ended. */
  get open(): number {
    return this.#open.size;
  }

  /** Deletes the message. The promise of a request rejects only for a bug in this program. */
  delete(delivery: Delivery): Promise<Settlement> {
    return this.#request(this.#deletes, delivery, 0);
  }

  /** Makes the message visible again in `seconds`; 0: now. */
  changeVisibility(delivery: Delivery, seconds: number): Promise<Settlement> {
    return this.#request(this.#changes, delivery, seconds);
  }

  /** Ends the request of `delivery` without effect, unless it already had an effect. */
  withdraw(delivery: Delivery): void {
    const item = this.#open.get(delivery);
    if (item !== undefined) this.#end(item, { kind: 'withdrawn' });
  }

  /** Sends what is gathered, at once. */
  flush(): void {
    this.#deletes.flush();
    this.#changes.flush();
  }

  #request(lane: Lane<Item>, delivery: Delivery, seconds: number): Promise<Settlement> {
    const { promise, resolve, reject } = Promise.withResolvers<Settlement>();
    const item = { delivery, seconds, end: resolve, fail: reject };
    this.#open.set(delivery, item);
    lane.add(item);
    return promise;
  }

  #end(item: Item, settlement: Settlement): void {
    if (this.#forget(item)) item.end(settlement);
  }

  /** @returns false for an item that has already ended. */
  #forget(item: Item): boolean {
    return this.#open.get(item.delivery) === item && this.#open.delete(item.delivery);
  }
}
