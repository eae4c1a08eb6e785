/**
 * Counts wrong tokens per address, both in requests and at sign-in; right tokens do not count. An address that has used up its guesses
 * learns nothing about any token until its minute is over. Otherwise it could still find the right token among wrong ones.
 */

/** Wrong tokens allowed per address and minute. */
const MOST_GUESSES = 10;
const WINDOW_MS = 60_000;
const MOST_ADDRESSES = 10_000;

export const TOO_MANY = 'too many wrong tokens came from this address: wait a minute';

export class Guesses {
  readonly #now: () => number;
  readonly #of = new Map<string, { count: number; readonly until: number }>();

  /** @param now epoch milliseconds. */
  constructor(now: () => number) {
    this.#now = now;
  }

  isUsedUp(address: string): boolean {
    return (this.#current(address)?.count ?? 0) >= MOST_GUESSES;
  }

  /** Counts a wrong token. */
  count(address: string): void {
    const current = this.#current(address);
    if (current !== undefined) current.count++;
    else {
      this.#of.delete(address);
      this.#of.set(address, { count: 1, until: this.#now() + WINDOW_MS });
      const [oldest] = this.#of.keys();
      if (this.#of.size > MOST_ADDRESSES && oldest !== undefined) this.#of.delete(oldest);
    }
  }

  /** Within a minute that has not ended. A clock that was set back does not make it longer. */
  #current(address: string) {
    const known = this.#of.get(address);
    const left = known === undefined ? 0 : known.until - this.#now();
    return left > 0 && left <= WINDOW_MS ? known : undefined;
  }
}
