/**
 * The first reading of an enqueue: counts the rows, and ids that occur more than once, using 8 bytes for each id of a row.
 */
import { hash } from 'node:crypto';
import type { InputRow, RefusedRow } from '../input/row.ts';

export interface Tally {
  readonly rows: number;
  readonly refused: number;
  /** Good rows before the starting line. */
  readonly skipped: number;
  /** Good rows from that line on. */
  readonly toSend: number;
  /** The line of the last row. */
  readonly lastLine: number;
  /** Of Identifiers. */
  readonly duplicates: Duplicates;
  /** Of the RequestIds in the file. */
  readonly duplicateRequestIds: Duplicates;
}

export interface Duplicates {
  /** Values that occur more than once. */
  readonly values: number;
  /** Rows beyond the first of each such value. */
  readonly rows: number;
}

export interface TallyOptions {
  readonly fromLine: number;
  readonly onRefused: (row: RefusedRow) => void;
  readonly signal: AbortSignal;
}

/** Reads all rows once and counts them. When `signal` aborts, ends early with the counts so far. */
export async function tallyRows(
  rows: AsyncIterable<InputRow>,
  { fromLine, onRefused, signal }: TallyOptions,
): Promise<Tally> {
  const identifiers = new DuplicateCounter();
  const requestIds = new DuplicateCounter();
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
    const { Identifier, RequestId } = row.update;
    identifiers.add(Identifier);
    if (RequestId !== undefined) requestIds.add(RequestId);
    if (row.line < fromLine) skipped++;
    else toSend++;
  }
  const duplicates = identifiers.count();
  const duplicateRequestIds = requestIds.count();
  return {
    rows: refused + skipped + toSend,
    refused,
    skipped,
    toSend,
    lastLine,
    duplicates,
    duplicateRequestIds,
  };
}

/**
 * Remembers 52 bits of a hash of each text. Among a million different texts, two have the same 52 bits with a chance of
 * about one in nine thousand: good for a count, not for a decision.
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
    let values = 0;
    let rows = 0;
    for (let i = 1; i < sorted.length; i++) {
      if (sorted[i] !== sorted[i - 1]) continue;
      rows++;
      if (i === 1 || sorted[i - 2] !== sorted[i]) values++;
    }
    return { values, rows };
  }
}
