/** The deliveries held, in the order of their receipt. */
import type { Delivery } from './delivery.ts';

/** What gathers items for a shared request. */
export interface Flushable {
  /** Sends what is gathered, now. */
  flush(): void;
}

export class Held {
  readonly #held = new Set<Delivery>();
  readonly #settling = new Set<Delivery>();
  readonly #gathering: Flushable[] = [];
  #checkPlanned = false;
  #noneToCome = false;
  #nextDeletion: PromiseWithResolvers<void> | undefined;

  get size(): number {
    return this.#held.size;
  }

  /** Of those, how many are being settled. */
  get settling(): number {
    return this.#settling.size;
  }

  [Symbol.iterator](): IterableIterator<Delivery> {
    return this.#held.values();
  }

  /** The one received first. */
  get oldest(): Delivery | undefined {
    return this.#held.values().next().value;
  }

  has(delivery: Delivery): boolean {
    return this.#held.has(delivery);
  }

  add(delivery: Delivery): void {
    this.#held.add(delivery);
  }

  /** Its settlement begins, or comes to its next request. */
  settle(delivery: Delivery): void {
    if (this.#held.has(delivery)) this.#settling.add(delivery);
    this.#planCheck();
  }

  /** It is settled or lost: returns false when it was not held. */
  delete(delivery: Delivery): boolean {
    if (!this.#held.delete(delivery)) return false;
    this.#settling.delete(delivery);
    this.#planCheck();
    this.#nextDeletion?.resolve();
    this.#nextDeletion = undefined;
    return true;
  }

  /** Resolves when the next delivery is settled or lost. */
  nextDeletion(): Promise<void> {
    this.#nextDeletion ??= Promise.withResolvers();
    return this.#nextDeletion.promise;
  }

  /**
   * Flushes `gathering` each time that everything held is being settled: no others
   * will come to share its requests.
   */
  flushWhenAllSettling(gathering: Flushable): void {
    this.#gathering.push(gathering);
  }

  /** From now on nothing waits for others to share its request. */
  hurry(): void {
    this.#noneToCome = true;
    this.#planCheck();
  }

  /** Once per turn of the event loop: what one answer has confirmed goes on together. */
  #planCheck(): void {
    if (this.#checkPlanned) return;
    this.#checkPlanned = true;
    setImmediate(() => {
      this.#checkPlanned = false;
      if (!this.#noneToCome && this.#settling.size < this.#held.size) return;
      for (const gathering of this.#gathering) gathering.flush();
    });
  }
}
