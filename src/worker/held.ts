/** The deliveries held, in the order of their receipt, and the memory of their messages. */
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
  readonly #maxBytes: number;
  #bytes = 0;
  #checkPlanned = false;
  #noneToCome = false;
  #nextDeletion: PromiseWithResolvers<void> | undefined;

  /** @param maxBytes what the messages held may take in memory. */
  constructor(maxBytes = Number.POSITIVE_INFINITY) {
    this.#maxBytes = maxBytes;
  }

  get size(): number {
    return this.#held.size;
  }

  /** What more messages may take in memory; 0 or less: nothing. */
  get freeBytes(): number {
    return this.#maxBytes - this.#bytes;
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
    if (this.#held.has(delivery)) return;
    this.#held.add(delivery);
    this.#bytes += delivery.bytes;
  }

  /** Its settlement begins, or comes to its next request. */
  settle(delivery: Delivery): void {
    if (this.#held.has(delivery)) this.#settling.add(delivery);
    this.#planCheck();
  }

  /** It is settled or lost: returns false when it was not held. */
  delete(delivery: Delivery): boolean {
    if (!this.#held.delete(delivery)) return false;
    this.#bytes -= delivery.bytes;
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
   * Flushes `gathering` each time that everything held is being settled, so that no others will come to share its requests,
   * and while memory is short.
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
      const crowded = this.#bytes > this.#maxBytes / 2;
      if (!this.#noneToCome && !crowded && this.#settling.size < this.#held.size) return;
      for (const gathering of this.#gathering) gathering.flush();
    });
  }
}
