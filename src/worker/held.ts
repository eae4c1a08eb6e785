/** The deliveries held, in the order of receipt, and the memory that their messages take. */
import type { Delivery } from './delivery.ts';

/** Gathers items that share a request. */
export interface Flushable {
  /** Sends what is gathered, at once. */
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

  /** @param maxBytes the memory that the held messages may take. */
  constructor(maxBytes = Number.POSITIVE_INFINITY) {
    this.#maxBytes = maxBytes;
  }

  get size(): number {
    return this.#held.size;
  }

  /** The memory that further messages may take; 0 or less: none. */
  get freeBytes(): number {
    return this.#maxBytes - this.#bytes;
  }

  /** How many held deliveries are being settled. */
  get settling(): number {
    return this.#settling.size;
  }

  [Symbol.iterator](): IterableIterator<Delivery> {
    return this.#held.values();
  }

  /** The delivery received first. */
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

  /** The settlement of `delivery` begins, or reaches its next request. */
  settle(delivery: Delivery): void {
    if (this.#held.has(delivery)) this.#settling.add(delivery);
    this.#planCheck();
  }

  /** `delivery` is settled or lost. @returns false when it was not held. */
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
   * Flushes `gathering` whenever every held delivery is being settled, since no other then comes to share its requests, and
   * whenever memory is short.
   */
  flushWhenAllSettling(gathering: Flushable): void {
    this.#gathering.push(gathering);
  }

  /** From now on no item waits for others to share its request. */
  hurry(): void {
    this.#noneToCome = true;
    this.#planCheck();
  }

  /** At most once per turn of the event loop, so that everything confirmed by one answer goes on together. */
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
