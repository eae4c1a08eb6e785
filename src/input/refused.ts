/** The file of refused rows: written complete or not at all. */
import { appendFileSync, lstatSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { CommandError, causeOf, misuse } from '../errors.ts';
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
  readonly #part: string;
  readonly #buffered: RefusedRow[] = [];
  #written = false;

  /**
   * @param path where the file will be after `finish()`; until then an earlier one stays as it is.
   * @throws CommandError when there is something else than a regular file: `finish()` would replace a device, such as
   * /dev/null, or a link for everybody.
   */
  constructor(path: string) {
    this.path = path;
    this.#part = `${path}.part`;
    this.#attempt(() => {
      if (lstatSync(path, { throwIfNoEntry: false })?.isFile() === false) {
        throw misuse(
          `The refused rows cannot be written to ${printable(path)}: it is not a regular file. Name another with --refused.`,
        );
      }
    });
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
    this.#attempt(() => {
      if (this.#written) renameSync(this.#part, this.path);
      else rmSync(this.path, { force: true });
    });
    return this.#written;
  }

  /** Drops the rows; an earlier file stays as it is. */
  discard(): void {
    this.#buffered.length = 0;
    if (this.#written) rmSync(this.#part, { force: true });
  }

  #flush(): void {
    if (this.#buffered.length === 0) return;
    const rows = this.#buffered.splice(0).map((row) => [row.line, row.reason, row.raw]);
    this.#attempt(() => {
      if (!this.#written) writeFileSync(this.#part, 'line,reason,row\n');
      this.#written = true;
      appendFileSync(this.#part, safeCsv(rows, true));
    });
  }

  #attempt(write: () => void): void {
    try {
      write();
    } catch (error) {
      if (error instanceof CommandError) throw error;
      throw new CommandError(
        `The refused rows cannot be written to ${printable(this.path)} (${causeOf(error)}).`,
      );
    }
  }
}
