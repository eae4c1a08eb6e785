/** Rows of CSV: finds the separator by the header, and turns cells into fields. */
import { misuse } from '../errors.ts';
import { counted } from '../text/numbers.ts';
import { printable, shortPrintable } from '../text/printable.ts';
import { shellLine } from '../text/shell.ts';
import { type Column, Columns, type Field, headerFault, noColumnFlags } from './columns.ts';
import { type CsvRecord, parseRecord, readCsvRecords } from './csv.ts';
import type { Findings } from './findings.ts';
import { type Line, readLines } from './lines.ts';
import { isReport } from './own-columns.ts';
import type { RefusedRow, RowFields, RowsInput } from './row.ts';

/** Spreadsheets use semicolons where the comma is the decimal separator, and tabs for "Text" and the clipboard. */
const SEPARATORS = [',', ';', '\t', '|'] as const;

/** A first line that tells Excel the separator. */
const SEPARATOR_LINE = /^\W?sep=([^\w"])\W?$/i;

/** @throws CommandError for an unusable header. */
export async function* readCsvRows(
  { name, chunks, flags = noColumnFlags }: RowsInput,
  set: ReadonlySet<string>,
  findings: Findings,
): AsyncGenerator<RowFields | RefusedRow, undefined> {
  const lines = readLines(chunks, (encoding) => {
    findings.encoding = encoding;
  });
  const rules = new Columns(flags);
  let first = await nextLine(lines);
  const told = first === undefined ? undefined : SEPARATOR_LINE.exec(first.text)?.[1];
  if (told !== undefined) first = await nextLine(lines);
  if (first === undefined) throw misuse(`${printable(name)} is empty: there is nothing to do.`);
  const separator = told ?? findSeparator(first.text, rules);
  findings.separator = separator;

  const records = readCsvRecords(lines, separator, [first]);
  const header = (await records.next()).value;
  if (header === undefined) return;
  const place = { name, line: header.line };
  if ('fault' in header) throw headerFault(place, `the header cannot be read (${header.fault})`);
  const columns = rules.ofHeader(header.cells, place, set);
  findings.report = isReport(columns.map((column) => column.name));
  const conditions = columns.flatMap(({ name: column, wanted }, at) =>
    wanted === undefined ? [] : [{ at, column, wanted }],
  );

  const most = columns.length;
  const least = 1 + columns.findLastIndex(({ kind }) => kind === 'field');
  for await (const record of records) {
    if (!('cells' in record)) {
      yield { line: record.line, raw: record.raw, reason: record.fault };
      continue;
    }
    const { line, raw, cells } = record;
    if (cells.every(isBlank)) continue;
    const { length } = cells;
    const fits =
      length === most || (length >= least && cells.every((cell, at) => at < most || isBlank(cell)));
    if (!fits) {
      const reason = `has ${counted(length, 'cell')}, the header has ${counted(most, 'column')}`;
      yield { line, raw, reason: reason + swallowed(record) };
      continue;
    }
    let asked = true;
    for (const { at, column, wanted } of conditions) {
      const value = (cells[at] ?? '').trim();
      findings.saw(column, value);
      if (!wanted.has(value)) asked = false;
    }
    // The lines that a quote has swallowed may be rows that were asked for.
    const broken =
      record.lastLine > line &&
      columns.some((column, at) => isBroken(cells[at], column, columns.length, separator));
    if (asked || broken) yield toRow(record, columns, broken);
    else findings.leftOut++;
  }
}

async function nextLine(lines: AsyncGenerator<Line, undefined>): Promise<Line | undefined> {
  for (;;) {
    const { value } = await lines.next();
    if (value === undefined || value.text.trim() !== '') return value;
  }
}

/**
 * The separator that gives the most known columns or, failing that, the most columns. csv-parse's `delimiter_auto` counts any
 * character, fails for one beyond ASCII, and splits a single column at a letter of its name.
 */
function findSeparator(header: string, rules: Columns): string {
  let best: { readonly separator: string; readonly score: number } = { separator: ',', score: 0 };
  for (const separator of SEPARATORS) {
    const names = parseRecord(header, separator) ?? header.split(separator);
    const known = names.filter((name) => ['field', 'left-out'].includes(rules.of(name).kind)).length;
    const score = known * header.length + names.length;
    if (score > best.score) best = { separator, score };
  }
  return best.separator;
}

function isBlank(cell: string): boolean {
  return cell === '' || cell.trim() === '';
}

type CsvCells = Extract<CsvRecord, { readonly cells: readonly string[] }>;

/** An empty cell is an absent field. */
function toRow(record: CsvCells, columns: readonly Column[], broken: boolean): RowFields | RefusedRow {
  const { line, raw, cells } = record;
  const fields: Partial<Record<Field, string>> = {};
  for (let at = 0; at < columns.length; at++) {
    const column = columns[at];
    const cell = cells[at];
    if (column === undefined || cell === undefined || cell === '') continue;
    if (column.field !== undefined) fields[column.field] = withoutGuard(cell);
    else if (column.kind === 'nameless' && !broken && !isBlank(cell)) {
      const flag = shellLine(['--ignore-column', '']);
      const holds = `column ${at + 1} has no name and holds "${shortPrintable(cell)}"`;
      return {
        line,
        raw,
        reason: `${holds}: name it in the header, or leave it out with ${flag}`,
        values: fields,
      };
    }
  }
  if (broken) return { line, raw, reason: swallowed(record).slice(2), values: fields };
  return { line, raw, fields };
}

/**
 * Whether a quote has swallowed lines: no field of an update has several lines. A cell of a left-out column may have them,
 * unless one of its lines has as many cells as a row.
 */
function isBroken(cell = '', { field }: Column, columns: number, separator: string): boolean {
  const [, ...lines] = cell.split('\n');
  return lines.some((line) => field !== undefined || line.split(separator).length === columns);
}

/**
 * Removes the character that our files put before a cell that a spreadsheet would read as a formula. No field begins with it.
 */
function withoutGuard(cell: string): string {
  return cell.charCodeAt(0) === 0x27 && /^'[=+\-@]/.test(cell) ? cell.slice(1) : cell;
}

/** Says that a record has several lines, which no field of an update has. */
function swallowed({ line, lastLine }: CsvCells): string {
  if (lastLine === line) return '';
  return `; lines ${line} to ${lastLine} are one row, because a quote (") that opens on line ${line} closes on line ${lastLine}`;
}
