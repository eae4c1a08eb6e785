/** Gathers items into batches: full, or after a while, or when told that no more will come soon. */

export interface BatcherOptions<T> {
  /** Items in one batch at most. */
  readonly size: number;
  /** How long the first item of a batch waits for others, in milliseconds. */
  readonly lingerMs: number;
  /** Called with 1 to `size` items, in order of arrival. */
  readonly onBatch: (items: T[]) => void;
}

export class Batcher<T> {
  readonly #options: BatcherOptions<T>;
  #items: T[] = [];
  #timer: NodeJS.Timeout | undefined;

  constructor(options: BatcherOptions<T>) {
    this.#options = options;
  }

  get size(): number {
    return this.#items.length;
  }

  add(item: T): void {
    this.#items.push(item);
    if (this.#items.length >= this.#options.size) this.flush();
    else if (this.#timer === undefined) this.#timer = setTimeout(() => this.flush(), this.#options.lingerMs);
  }

  /** Hands on what is gathered, now. */
  flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#items.length === 0) return;
    const items = this.#items;
    this.#items = [];
    this.#options.onBatch(items);
  }
}
