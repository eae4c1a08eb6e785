/** Writes refused rows to their file, and counts them by reason. */
import { resolve } from 'node:path';
import { misuse } from '../../errors.ts';
import { RefusedFile } from '../../input/refused.ts';
import type { RefusedRow } from '../../input/row.ts';
import { shortPrintable } from '../../text/printable.ts';
import { CountedLines } from './counted-lines.ts';

export interface ReasonCount {
  /** Safe to print. */
  readonly reason: string;
  readonly count: number;
  /** The first few lines. */
  readonly lines: readonly number[];
}

/** @throws CommandError if --out and --refused name the same file: the file placed first would be in the way of the other. */
export function requireApart(out: string, refusedFile: string | undefined, cwd: string): void {
  if (refusedFile === undefined || resolve(cwd, out) !== resolve(cwd, refusedFile)) return;
  throw misuse(`--out and --refused both name ${shortPrintable(out, 300)}: name two files.`);
}

/** In bounded memory. */
export class Refused {
  readonly #file: RefusedFile;
  readonly #byReason = new CountedLines('other reasons');
  #total = 0;

  /** Takes the parameters of RefusedFile. */
  constructor(...file: ConstructorParameters<typeof RefusedFile>) {
    this.#file = new RefusedFile(...file);
  }

  get total(): number {
    return this.#total;
  }

  add(row: RefusedRow): void {
    this.#file.add(row);
    this.#total++;
    this.#byReason.add(row.reason, row.line);
  }

  /** Most frequent first. */
  counts(): ReasonCount[] {
    return this.#byReason.all().map(({ key, count, lines }) => ({ reason: key, count, lines }));
  }

  /** Puts the file in place. @returns the user's name for it; undefined if no row was refused. */
  finish(): string | undefined {
    return this.#file.finish();
  }

  discard(): void {
    this.#file.discard();
  }
}
