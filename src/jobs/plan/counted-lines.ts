/** Rows counted by what they have in common, with the first lines of each as examples; in bounded memory. PURE. */
import { shortPrintable } from '../../text/printable.ts';

export interface LineCount {
  /** Fit to print. */
  readonly key: string;
  readonly count: number;
  /** The first few. */
  readonly lines: readonly number[];
}

/** Keys may quote the row, so that every row could have its own. */
const MAX_KEYS = 200;
const MAX_KEY_LENGTH = 160;
const EXAMPLES = 3;

export class CountedLines {
  readonly #others: string;
  readonly #byKey = new Map<string, { count: number; readonly lines: number[] }>();

  /** @param others what those beyond the first 200 keys are counted as. */
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

  /** The most frequent first. */
  all(): LineCount[] {
    return [...this.#byKey]
      .map(([key, { count, lines }]) => ({ key, count, lines }))
      .toSorted((a, b) => b.count - a.count);
  }
}
