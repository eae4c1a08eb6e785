/** CSV of text of unknown origin that is opened with safety in a spreadsheet or a terminal. PURE. */
import { stringify } from 'csv-stringify/sync';
import { printable } from './printable.ts';

export type Cell = string | number | boolean | undefined;

/**
 * Rows as CSV: no cell begins a formula, none holds a control character.
 * @param quoted whether all text is quoted, and not only where it must be.
 */
export function safeCsv(rows: readonly (readonly Cell[])[], quoted = false): string {
  const safe = rows.map((cells) => cells.map((cell) => (typeof cell === 'string' ? safeText(cell) : cell)));
  return stringify(safe, { escape_formulas: true, quoted_string: quoted, cast: { boolean: String } });
}

/** A spreadsheet set to semicolons takes text after one for a cell of its own. */
function safeText(text: string): string {
  return printable(text).replace(/;(?=\s*[=+\-@])/g, ";'");
}
