/** What was detected about a file while it was read, for the user who gave it. */
import { number } from '../text/numbers.ts';
import { printable, shortPrintable } from '../text/printable.ts';
import type { ColumnFlags } from './columns.ts';
import type { Encoding } from './text.ts';

/** Maximum number of a column's values that are remembered and shown. */
const MAX_VALUES = 10;

const separators: Readonly<Record<string, string>> = {
  ';': 'semicolons',
  '\t': 'tabs',
  '|': 'vertical bars',
};

/** Belongs to one reading of one file. */
export class Findings {
  /** The file has the columns of a job's report. */
  report = false;
  encoding: Encoding = 'UTF-8';
  separator = ',';
  /** Rows left out by `--where`. */
  leftOut = 0;
  /** For each column that `--where` names: how many rows have each value. */
  readonly #values = new Map<string, Map<string, number>>();

  saw(column: string, value: string): void {
    const counts = this.#values.get(column) ?? new Map<string, number>();
    this.#values.set(column, counts);
    if (counts.has(value) || counts.size < MAX_VALUES) counts.set(value, (counts.get(value) ?? 0) + 1);
  }

  /** The file's separator and encoding, unless they are comma and UTF-8: `separated by semicolons, UTF-16`. */
  get form(): string | undefined {
    const separated = separators[this.separator] ?? `"${shortPrintable(this.separator)}"`;
    const said = [
      ...(this.separator === ',' ? [] : [`separated by ${separated}`]),
      ...(this.encoding === 'UTF-8' ? [] : [this.encoding]),
    ];
    return said.length === 0 ? undefined : said.join(', ');
  }

  /**
   * Notes for the user who gave the file, one sentence each without its full stop.
   * @param name the user's name for the file.
   */
  notes(name: string, { where }: ColumnFlags): string[] {
    if (!this.report || where.length > 0) return [];
    const some = '--where State=dead-lettered uses only rows that ended so';
    return [
      `${printable(name)} is the report of a job, and all of its rows are used, including those that ended well; ${some}`,
    ];
  }

  /** The values in the columns named by `--where`, in words. */
  get values(): string {
    return [...this.#values]
      .map(([column, counts]) => {
        const shown = [...counts].map(
          ([value, count]) => `${shortPrintable(value) || 'empty'} (${number(count)})`,
        );
        return `${printable(column)}: ${shown.join(', ')}${counts.size === MAX_VALUES ? ', …' : ''}`;
      })
      .join('; ');
  }
}
