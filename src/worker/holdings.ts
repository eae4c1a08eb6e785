/** What is in hand, in the order it was received. */
import type { Delivery } from './delivery.ts';
import type { Slots } from './slots.ts';

/** Deliveries to give up when fewer may be held, and whether they come back at once. */
export interface Surplus {
  /** Never called: visible to others at once. */
  readonly release: readonly Delivery[];
  /** Called and failed: back after a while, so that others come to hand. */
  readonly defer: readonly Delivery[];
}

export class Holdings {
  readonly #held = new Set<Delivery>();

  get size(): number {
    return this.#held.size;
  }

  [Symbol.iterator](): IterableIterator<Delivery> {
    return this.#held.values();
  }

  add(delivery: Delivery): void {
    this.#held.add(delivery);
  }

  has(delivery: Delivery): boolean {
    return this.#held.has(delivery);
  }

  delete(delivery: Delivery): boolean {
    return this.#held.delete(delivery);
  }

  /** The one received first. */
  get oldest(): Delivery | undefined {
    return this.#held.values().next().value;
  }

  /** Those not called yet and not about to be settled; counts one by one, so only for small holdings. */
  untried(): number {
    let count = 0;
    for (const delivery of this.#held) if (isUntried(delivery)) count++;
    return count;
  }

  /**
   * The newest of those not called yet, `count` at most: the ones to give back when the rate has fallen.
   * @param among counts only those for which it holds.
   */
  newestUntried(count: number, among: (delivery: Delivery) => boolean = () => true): Delivery[] {
    return [...this.#held].filter((delivery) => isUntried(delivery) && among(delivery)).slice(-count);
  }

  /**
   * What exceeds the slots while calls are paused: the newest of the untried, the oldest of the tried. When all that
   * may be held has been tried, a receive's worth of the tried goes too, to make room for other Identifiers.
   */
  surplus(slots: Slots): Surplus {
    const free = [...this.#held].filter((delivery) => !delivery.settling && !delivery.calling);
    const untried = free.filter((delivery) => delivery.tally.attempts === 0);
    const tried = free.filter((delivery) => delivery.tally.attempts > 0);
    const triedLimit = slots.held - slots.waiting;
    const full = tried.length >= triedLimit && untried.length === 0;
    const tooMany = tried.length - triedLimit + (full ? slots.waiting : 0);
    return { release: untried.slice(slots.waiting), defer: tried.slice(0, Math.max(0, tooMany)) };
  }
}

function isUntried({ tally, calling, settling }: Delivery): boolean {
  return tally.attempts === 0 && !calling && !settling;
}
