/** Refused rows: into their file, and counted by reason, with the first lines of each as examples. */
import { resolve } from 'node:path';
import { misuse } from '../../errors.ts';
import { RefusedFile } from '../../input/refused.ts';
import type { RefusedRow } from '../../input/row.ts';
import { shortPrintable } from '../../text/printable.ts';

export interface ReasonCount {
  /** Fit to print. */
  readonly reason: string;
  readonly count: number;
  /** The first few. */
  readonly lines: readonly number[];
}

/** Reasons may quote the row, so that every row could have its own. */
const MAX_REASONS = 200;
const EXAMPLES = 3;
const OTHERS = 'other reasons';

/** @throws CommandError where --out and --refused name one file: whichever is placed first would be in the way of the other. */
export function requireApart(out: string, refusedFile: string | undefined, cwd: string): void {
  if (refusedFile === undefined || resolve(cwd, out) !== resolve(cwd, refusedFile)) return;
  throw misuse(`--out and --refused both name ${shortPrintable(out, 300)}: name two files.`);
}

/** In bounded memory. */
export class Refused {
  readonly #file: RefusedFile;
  readonly #byReason = new Map<string, { count: number; readonly lines: number[] }>();
  #total = 0;

  /** As of RefusedFile. */
  constructor(...file: ConstructorParameters<typeof RefusedFile>) {
    this.#file = new RefusedFile(...file);
  }

  get total(): number {
    return this.#total;
  }

  add(row: RefusedRow): void {
    this.#file.add(row);
    this.#total++;
    const reason = shortPrintable(row.reason, 160);
    const key = this.#byReason.has(reason) || this.#byReason.size < MAX_REASONS ? reason : OTHERS;
    const known = this.#byReason.get(key) ?? { count: 0, lines: [] };
    known.count++;
    if (known.lines.length < EXAMPLES) known.lines.push(row.line);
    this.#byReason.set(key, known);
  }

  /** The most frequent first. */
  counts(): ReasonCount[] {
    return [...this.#byReason]
      .map(([reason, { count, lines }]) => ({ reason, count, lines }))
      .toSorted((a, b) => b.count - a.count);
  }

  /** Puts the file in its place. @returns what the user calls it; undefined when no row was refused. */
  finish(): string | undefined {
    return this.#file.finish();
  }

  discard(): void {
    this.#file.discard();
  }
}
