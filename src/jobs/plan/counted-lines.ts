/** Counts rows by a key, with the first lines of each key as examples; in bounded memory. PURE. */
import { shortPrintable } from '../../text/printable.ts';

export interface LineCount {
  /** Safe to print. */
  readonly key: string;
  readonly count: number;
  /** The first few lines. */
  readonly lines: readonly number[];
}

/** Keys may quote the row, so every row could have a different key. */
const MAX_KEYS = 200;
const MAX_KEY_LENGTH = 160;
const EXAMPLES = 3;

export class CountedLines {
  readonly #others: string;
  readonly #byKey = new Map<string, { count: number; readonly lines: number[] }>();

  /** @param others the key for everything beyond the first 200 keys. */
  constructor(others: string) {
    this.#others = others;
  }

  add(text: string, line: number): void {
    const short = shortPrintable(text, MAX_KEY_LENGTH);
    const key = this.#byKey.has(short) || this.#byKey.size < MAX_KEYS ? short : this.#others;
    const known = this.#byKey.get(key) ?? { count: 0, lines: [] };
    known.count++;
    if (known.lines.length < EXAMPLES) known.lines.push(line);
    this.#byKey.set(key, known);
  }

  /** Most frequent first. */
  all(): LineCount[] {
    return [...this.#byKey]
      .map(([key, { count, lines }]) => ({ key, count, lines }))
      .toSorted((a, b) => b.count - a.count);
  }
}
