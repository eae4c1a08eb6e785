/** Refused rows by reason: counted, with the first lines of each as examples, in bounded memory. */

import type { RefusedRow } from '../../input/validate.ts';
import { shortPrintable } from '../../text/printable.ts';

export interface ReasonCount {
  /** Fit to print. */
  readonly reason: string;
  readonly count: number;
  /** The first few. */
  readonly lines: readonly number[];
}

/** Reasons may quote what a row holds, so that every row could have its own. */
const MAX_REASONS = 200;
const EXAMPLES = 3;
const OTHERS = 'other reasons';

export class Reasons {
  readonly #byReason = new Map<string, { count: number; readonly lines: number[] }>();
  #total = 0;

  get total(): number {
    return this.#total;
  }

  add({ line, reason }: Pick<RefusedRow, 'line' | 'reason'>): void {
    this.#total++;
    const said = shortPrintable(reason, 160);
    const key = this.#byReason.has(said) || this.#byReason.size < MAX_REASONS ? said : OTHERS;
    const known = this.#byReason.get(key) ?? { count: 0, lines: [] };
    known.count++;
    if (known.lines.length < EXAMPLES) known.lines.push(line);
    this.#byReason.set(key, known);
  }

  /** The most frequent first. */
  counts(): ReasonCount[] {
    return [...this.#byReason]
      .map(([reason, { count, lines }]) => ({ reason, count, lines }))
      .toSorted((a, b) => b.count - a.count);
  }
}
