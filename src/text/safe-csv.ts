/** CSV from text of unknown origin that is safe to open in a spreadsheet or a terminal. PURE. */
import { stringify } from 'csv-stringify/sync';
import { printable } from './printable.ts';

export type Cell = string | number | boolean | undefined;

/**
 * Rows as CSV: no cell begins a formula, and none contains a control character.
 * @param quoted whether all text is quoted, rather than only where necessary.
 */
export function safeCsv(rows: readonly (readonly Cell[])[], quoted = false): string {
  const safe = rows.map((cells) => cells.map((cell) => (typeof cell === 'string' ? safeText(cell) : cell)));
  return stringify(safe, { escape_formulas: true, quoted_string: quoted, cast: { boolean: String } });
}

/** A spreadsheet that uses semicolons would put the text after a semicolon into a separate cell. */
function safeText(text: string): string {
  return printable(text).replace(/;(?=\s*[=+\-@])/g, ";'");
}
