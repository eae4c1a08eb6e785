/**
 * Requests of one kind about messages, ten messages to a request.
 *
 *   gathering ── a request is not carried out ─► failing ── one is carried out ─► gathering
 *
 *   gathering   items wait for others to share their request: until it is full, for a while, or until they are flushed
 *   failing     one request at a time is tried, with backoff; all other items wait
 *
 * Single items that are not carried out are tried again with backoff, in parallel with the others.
 */
import { BATCH_SIZE, partitionBatch } from '../../queue/batch.ts';
import type { BatchFailure } from '../../queue/types.ts';
import { fullJitter } from '../../time/backoff.ts';
import { sleep } from '../../time/clock.ts';
import type { Delivery } from '../delivery.ts';
import type { SettleRequest, WorkerListener } from '../events.ts';
import type { ActionHealth } from './action-health.ts';

/** How a settlement request ended. */
export type Settlement =
  | { readonly kind: 'confirmed' }
  /** SQS says that the message is no longer ours. */
  | { readonly kind: 'refused'; readonly reason: string }
  | { readonly kind: 'withdrawn' };

export interface LaneItem {
  readonly delivery: Delivery;
  /** For a visibility change: seconds from now. */
  readonly seconds: number;
}

export interface LaneOptions<Item extends LaneItem> {
  readonly name: Extract<SettleRequest, 'delete' | 'change visibility'>;
  /** How long the first item waits for others to share its request, in milliseconds. */
  readonly lingerMs: number;
  readonly request: (items: readonly Item[]) => Promise<BatchFailure[]>;
  /** False once an item was withdrawn. */
  readonly isOpen: (item: Item) => boolean;
  readonly onEnd: (item: Item, settlement: Settlement) => void;
  /** A bug in this program ends the item. */
  readonly onBug: (item: Item, error: unknown) => void;
  readonly health: Pick<ActionHealth, 'carriedOut' | 'failed'>;
  readonly random: () => number;
  /** Aborted when the worker has stopped: nothing is tried again. */
  readonly ended: AbortSignal;
  readonly emit: WorkerListener;
}

const retryBackoff = { baseMs: 200, maxMs: 5_000 };
const confirmed: Settlement = { kind: 'confirmed' };

export class Lane<Item extends LaneItem> {
  readonly #options: LaneOptions<Item>;
  #items: Item[] = [];
  #linger: NodeJS.Timeout | undefined;
  /** Requests in a row that were not carried out. */
  #failures = 0;
  #underWay = 0;
  #resting = false;

  constructor(options: LaneOptions<Item>) {
    this.#options = options;
  }

  add(item: Item): void {
    this.#items.push(item);
    if (this.#items.length >= BATCH_SIZE) this.flush();
    else this.#linger ??= setTimeout(() => this.flush(), this.#options.lingerMs);
  }

  /** Sends what is gathered, at once. */
  flush(): void {
    clearTimeout(this.#linger);
    this.#linger = undefined;
    while (this.#items.length > 0 && this.#mayAsk) void this.#carryOut(this.#items.splice(0, BATCH_SIZE));
  }

  get #mayAsk(): boolean {
    return this.#failures === 0 || (this.#underWay === 0 && !this.#resting);
  }

  /** Never rejects: no caller waits for it. */
  async #carryOut(batch: readonly Item[]): Promise<void> {
    this.#underWay++;
    const carriedOut = await this.#untilCarriedOut(batch).catch((bug: unknown) => {
      for (const item of batch) this.#options.onBug(item, bug);
      return true;
    });
    this.#underWay--;
    if (!carriedOut && !this.#resting) await this.#rest();
  }

  /** @returns false when a request was not carried out: its items wait with the others again. */
  async #untilCarriedOut(batch: readonly Item[]): Promise<boolean> {
    const { random, ended, isOpen } = this.#options;
    let items = batch.filter(isOpen);
    for (let tries = 1; items.length > 0 && !ended.aborted; tries++) {
      for (const { delivery } of items) {
        if (delivery.state === 'settling') delivery.enter('settlement-sent');
      }
      const again = await this.#try(items);
      if (again === undefined) {
        this.#items.unshift(...items);
        return false;
      }
      if (again.length > 0) await sleep(fullJitter(retryBackoff, tries, random), ended);
      items = again.filter(isOpen);
    }
    return true;
  }

  async #rest(): Promise<void> {
    const { random, ended } = this.#options;
    this.#resting = true;
    await sleep(fullJitter(retryBackoff, this.#failures, random), ended);
    this.#resting = false;
    if (!ended.aborted) this.flush();
  }

  /** Makes one request. @returns the items to try again, or undefined when none was carried out. */
  async #try(items: readonly Item[]): Promise<Item[] | undefined> {
    const { request, onEnd, name } = this.#options;
    let failures: BatchFailure[];
    try {
      failures = await request(items);
    } catch (error) {
      return this.#failed(items, error);
    }
    if (failures.length === 0) {
      for (const item of items) onEnd(item, confirmed);
      this.#carriedOut();
      return [];
    }
    const { taken, atFault, again } = partitionBatch(items, failures, ({ delivery }) => handleOf(delivery));
    for (const item of taken) onEnd(item, confirmed);
    for (const { item, failure } of atFault) {
      onEnd(item, { kind: 'refused', reason: `${name}: ${failure.code}: ${failure.message}` });
    }
    const [first] = again;
    if (again.length === items.length) return this.#failed(items, first?.failure);
    this.#carriedOut();
    if (first !== undefined) this.#report(again.length, first.failure);
    return again.map(({ item }) => item);
  }

  #carriedOut(): void {
    if (this.#failures === 0) return;
    this.#failures = 0;
    this.#options.health.carriedOut();
    this.flush();
  }

  #failed(items: readonly Item[], error: unknown): undefined {
    this.#failures++;
    // A single entry may itself be the cause, and one such message must not stop receiving.
    if (items.length > 1 || error instanceof Error) this.#options.health.failed(error);
    this.#report(items.length, error);
  }

  #report(count: number, error: unknown): void {
    this.#options.emit({ type: 'settle-failed', request: this.#options.name, count, error });
  }
}

function handleOf({ message }: Delivery): string {
  return message.receiptHandle;
}
