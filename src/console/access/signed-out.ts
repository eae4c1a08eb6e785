/** Sessions that were signed out before their time: until then they are remembered, the latest of them. */

const MOST = 10_000;

export class SignedOut {
  readonly #now: () => number;
  /** Id to the end of the session, in epoch milliseconds. */
  readonly #ends = new Map<string, number>();

  constructor(now: () => number) {
    this.#now = now;
  }

  add(id: string, until: number): void {
    for (const [old, end] of this.#ends) if (end <= this.#now()) this.#ends.delete(old);
    const [oldest] = this.#ends.keys();
    if (this.#ends.size >= MOST && oldest !== undefined) this.#ends.delete(oldest);
    this.#ends.set(id, until);
  }

  has(id: string): boolean {
    return this.#ends.has(id);
  }
}
