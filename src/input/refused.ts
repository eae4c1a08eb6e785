/** The file of refused rows: written complete or not at all. */
import { OutputFile, type OutputFileOptions, type OutputKind } from '../files/output-file.ts';
import { updateFields } from '../message/update.ts';
import { safeCsv } from '../text/safe-csv.ts';
import { refusedColumns } from './own-columns.ts';
import type { RefusedRow } from './row.ts';

const HEADER = `${[...refusedColumns, ...updateFields].join(',')}\n`;

const kind: OutputKind = {
  title: 'The file of refused rows',
  flag: '--refused',
};

const BUFFERED_ROWS = 200;

/**
 * A line per refused row: where it was, why it is refused, its text, and its values by field, so that the file can be corrected
 * and read as it is. Safe to open in a spreadsheet or a terminal: no cell begins a formula, none holds a
 * control character. Writes are synchronous: they are few, and several lanes may add rows at once.
 * Every method throws CommandError when the file cannot be written.
 */
export class RefusedFile {
  readonly #file: OutputFile;
  readonly #buffered: RefusedRow[] = [];

  /**
   * @param given the name that the user gave: it must be free. What is there may have been corrected, and its beginning does
   *   not tell: nothing replaces it.
   * @param byDefault the name without that; the next free number is added to it where it is taken.
   * @throws CommandError when something is there.
   */
  constructor(
    given: string | undefined,
    byDefault: string,
    options: Pick<OutputFileOptions, 'cwd' | 'inputs'>,
  ) {
    const numbered = given === undefined ? 'always' : 'meanwhile';
    this.#file = new OutputFile(kind, given ?? byDefault, { ...options, numbered });
  }

  add(row: RefusedRow): void {
    this.#buffered.push(row);
    if (this.#buffered.length >= BUFFERED_ROWS) this.flush();
  }

  /**
   * Puts the file in its place, if there are refused rows.
   * @returns what the user calls it; undefined when no row was refused.
   */
  finish(): string | undefined {
    this.flush();
    return this.#file.begun ? this.#file.place() : undefined;
  }

  /** Drops the rows. */
  discard(): void {
    this.#buffered.length = 0;
    this.#file.discard();
  }

  /** Writes what was added, so that a file that cannot be written shows before anything is sent. */
  flush(): void {
    if (this.#buffered.length === 0) return;
    const rows = this.#buffered
      .splice(0)
      .map(({ line, reason, raw, values }) => [
        line,
        reason,
        raw,
        ...updateFields.map((field) => values?.[field]),
      ]);
    this.#file.write((this.#file.begun ? '' : HEADER) + safeCsv(rows, true));
  }
}
