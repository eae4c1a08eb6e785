/** The report of refused rows: written beside the file, complete or not at all. */
import { appendFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { printable } from '../text/printable.ts';
import { safeCsv } from '../text/safe-csv.ts';
import { EnqueueFailure, errorCode } from './faults.ts';
import type { RefusedRow } from './validate.ts';

const BUFFERED_ROWS = 200;

/**
 * `line,reason,row` per refused row. Opened with safety in a spreadsheet or a terminal: no cell begins a formula,
 * none holds a control character. Writes are synchronous: they are few, and several senders may add rows at once.
 * Every method throws EnqueueFailure when the file cannot be written.
 */
export class RefusedFile {
  readonly path: string;
  readonly #part: string;
  readonly #buffered: RefusedRow[] = [];
  #written = false;

  /** @param path where the report will be after `finish()`; until then a former one stays as it is. */
  constructor(path: string) {
    this.path = path;
    this.#part = `${path}.part`;
  }

  add(row: RefusedRow): void {
    this.#buffered.push(row);
    if (this.#buffered.length >= BUFFERED_ROWS) this.#flush();
  }

  /**
   * Puts the report in its place, or removes a former run's when no row was refused.
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

  /** Forgets the rows; a former report stays as it is. */
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
      throw new EnqueueFailure(
        `The refused rows cannot be written to ${printable(this.path)} (${errorCode(error) ?? String(error)}).`,
      );
    }
  }
}
