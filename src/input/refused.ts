/** The file of refused rows: written complete or not at all. */
import { rmSync } from 'node:fs';
import { CommandError, causeOf, misuse } from '../errors.ts';
import { NotAFileError, Replacement } from '../files/replacement.ts';
import { printable } from '../text/printable.ts';
import { safeCsv } from '../text/safe-csv.ts';
import type { RefusedRow } from './rows.ts';

const BUFFERED_ROWS = 200;

/**
 * `line,reason,row` per refused row. Safe to open in a spreadsheet or a terminal: no cell begins a formula, none holds a
 * control character. Writes are synchronous: they are few, and several lanes may add rows at once.
 * Every method throws CommandError when the file cannot be written.
 */
export class RefusedFile {
  readonly path: string;
  readonly #file: Replacement;
  readonly #buffered: RefusedRow[] = [];

  /**
   * @param path where the file will be after `finish()`; until then an earlier one stays as it is.
   * @throws CommandError when there is something else than a regular file.
   */
  constructor(path: string) {
    this.path = path;
    this.#file = this.#attempt(() => new Replacement(path));
  }

  add(row: RefusedRow): void {
    this.#buffered.push(row);
    if (this.#buffered.length >= BUFFERED_ROWS) this.#flush();
  }

  /**
   * Puts the file in its place, or removes that of an earlier run when no row was refused.
   * @returns whether there is one.
   */
  finish(): boolean {
    this.#flush();
    const { begun } = this.#file;
    this.#attempt(() => {
      if (begun) this.#file.place();
      else rmSync(this.path, { force: true });
    });
    return begun;
  }

  /** Drops the rows; an earlier file stays as it is. */
  discard(): void {
    this.#buffered.length = 0;
    this.#file.discard();
  }

  #flush(): void {
    if (this.#buffered.length === 0) return;
    const rows = this.#buffered.splice(0).map((row) => [row.line, row.reason, row.raw]);
    this.#attempt(() => {
      const header = this.#file.begun ? '' : 'line,reason,row\n';
      this.#file.write(header + safeCsv(rows, true));
    });
  }

  #attempt<T>(write: () => T): T {
    const where = `The refused rows cannot be written to ${printable(this.path)}`;
    try {
      return write();
    } catch (error) {
      if (error instanceof NotAFileError)
        throw misuse(`${where}: it is not a regular file. Name another with --refused.`);
      throw new CommandError(`${where}: ${causeOf(error)}.`);
    }
  }
}
