/** Counts what occurs more than once among millions, at 8 bytes each. */
import { hash } from 'node:crypto';

export interface Duplicates {
  /** Identifiers that occur more than once. */
  readonly identifiers: number;
  /** Rows beyond the first of each such Identifier. */
  readonly rows: number;
}

/**
 * Remembers 52 bits of a hash of each text. Two of a million different texts look alike
 * with a chance of about one in nine thousand: good for a count, not for a decision.
 */
export class DuplicateCounter {
  #hashes = new Float64Array(1_024);
  #size = 0;

  add(text: string): void {
    if (this.#size === this.#hashes.length) {
      const larger = new Float64Array(this.#size * 2);
      larger.set(this.#hashes);
      this.#hashes = larger;
    }
    this.#hashes[this.#size++] = Number.parseInt(hash('sha1', text, 'hex').slice(0, 13), 16);
  }

  count(): Duplicates {
    const sorted = this.#hashes.slice(0, this.#size).sort();
    let identifiers = 0;
    let rows = 0;
    for (let i = 1; i < sorted.length; i++) {
      if (sorted[i] !== sorted[i - 1]) continue;
      rows++;
      if (i === 1 || sorted[i - 2] !== sorted[i]) identifiers++;
    }
    return { identifiers, rows };
  }
}
