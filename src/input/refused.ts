/** The file of refused rows: written completely or not at all. */
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
 * One line per refused row: its place, the reason, its text, and its values by field, so that the file can be corrected
 * and used as input. Safe to open in a spreadsheet or a terminal: no cell begins a formula or contains a
 * control character. Writes are synchronous, since they are few and several lanes may add rows at once.
 * Every method throws CommandError if the file cannot be written.
 */
export class RefusedFile {
  readonly #file: OutputFile;
  readonly #buffered: RefusedRow[] = [];

  /**
   * @param given the name that the user gave. It must be free: an existing file may have been corrected, which its
   *   beginning does not show, so it is never replaced.
   * @param byDefault the name otherwise; the next free number is added if it is taken.
   * @throws CommandError if a file of the given name exists.
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
   * @returns the user's name for it; undefined if no row was refused.
   */
  finish(): string | undefined {
    this.flush();
    return this.#file.begun ? this.#file.place() : undefined;
  }

  /** Discards the rows. */
  discard(): void {
    this.#buffered.length = 0;
    this.#file.discard();
  }

  /** Writes the rows added so far, so that a file that cannot be written is noticed before anything is sent. */
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
