/** Lanes: one piece of work at a time per key, in order of arrival; different keys side by side. */

/** Runs at most one item per key at a time. Memory is that of the items held. */
export class Lanes<T> {
  readonly #run: (item: T) => Promise<void>;
  readonly #lanes = new Map<string, T[]>();
  #waiting = 0;

  /** @param run does the work of one item; its lane is busy until the promise settles. Must not reject. */
  constructor(run: (item: T) => Promise<void>) {
    this.#run = run;
  }

  /** Items behind another of their key. */
  get waiting(): number {
    return this.#waiting;
  }

  /** Starts the item now when its lane is free, else after those before it. */
  add(key: string, item: T): void {
    const queued = this.#lanes.get(key);
    if (queued === undefined) {
      this.#lanes.set(key, []);
      void this.#drive(key, item);
    } else {
      queued.push(item);
      this.#waiting++;
    }
  }

  /** Takes an item that has not started out of its lane; false when it is not waiting there. */
  withdraw(key: string, item: T): boolean {
    const queued = this.#lanes.get(key);
    const index = queued?.indexOf(item) ?? -1;
    if (index < 0) return false;
    queued?.splice(index, 1);
    this.#waiting--;
    return true;
  }

  async #drive(key: string, first: T): Promise<void> {
    for (let item: T | undefined = first; item !== undefined; item = this.#next(key)) await this.#run(item);
  }

  #next(key: string): T | undefined {
    const item = this.#lanes.get(key)?.shift();
    if (item === undefined) this.#lanes.delete(key);
    else this.#waiting--;
    return item;
  }
}
