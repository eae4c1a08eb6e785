/**
 * Wrong tokens of each address, whether they came with a request or to sign in; right ones do not count. One that has used up its guesses is told nothing of any token until its minute is over: otherwise
 * the right one would still be found among the wrong ones.
 */

/** Wrong tokens of one address in a minute. */
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

  /** A wrong one has come. */
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

  /** Of a minute that goes on. A clock that was set back makes none longer. */
  #current(address: string) {
    const known = this.#of.get(address);
    const left = known === undefined ? 0 : known.until - this.#now();
    return left > 0 && left <= WINDOW_MS ? known : undefined;
  }
}
