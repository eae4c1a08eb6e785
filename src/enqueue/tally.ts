/** The first reading of an enqueue: counts the rows, and Identifiers that occur more than once, at 8 bytes a row. */
import { hash } from 'node:crypto';
import type { InputRow, RefusedRow } from '../input/rows.ts';

export interface Tally {
  readonly rows: number;
  readonly refused: number;
  /** Good rows before the line to begin with. */
  readonly skipped: number;
  /** Good rows from that line on. */
  readonly toSend: number;
  /** The line of the last row. */
  readonly lastLine: number;
  readonly duplicates: Duplicates;
}

export interface Duplicates {
  /** Identifiers that occur more than once. */
  readonly identifiers: number;
  /** Rows beyond the first of each such Identifier. */
  readonly rows: number;
}

export interface TallyOptions {
  readonly fromLine: number;
  readonly onRefused: (row: RefusedRow) => void;
  readonly signal: AbortSignal;
}

/** Reads all rows once and counts them. Ends early, with what it has, when `signal` aborts. */
export async function tallyRows(
  rows: AsyncIterable<InputRow>,
  { fromLine, onRefused, signal }: TallyOptions,
): Promise<Tally> {
  const identifiers = new DuplicateCounter();
  let refused = 0;
  let skipped = 0;
  let toSend = 0;
  let lastLine = 0;
  for await (const row of rows) {
    if (signal.aborted) break;
    lastLine = row.line;
    if ('reason' in row) {
      refused++;
      onRefused(row);
      continue;
    }
    identifiers.add(row.update.Identifier);
    if (row.line < fromLine) skipped++;
    else toSend++;
  }
  const duplicates = identifiers.count();
  return { rows: refused + skipped + toSend, refused, skipped, toSend, lastLine, duplicates };
}

/**
 * Remembers 52 bits of a hash of each text. Two of a million different texts have the same with a chance of about one in
 * nine thousand: good for a count, not for a decision.
 */
class DuplicateCounter {
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
