/** A file's rows, CSV or JSON Lines, as fields: nothing here knows what makes an update valid. */

import { updateFields } from '../message/update.ts';
import { printable, shortPrintable } from '../text/printable.ts';
import { type CsvRecord, readCsvRecords, tooLong } from './csv.ts';
import { InputFault } from './faults.ts';
import { type Line, readLines } from './lines.ts';

export type Format = 'csv' | 'jsonl';

/** One row: its fields, or why it has none. `line` is the file's, from 1; `raw` is the row's own text. */
export type Row =
  | { readonly line: number; readonly raw: string; readonly fields: Readonly<Record<string, unknown>> }
  | { readonly line: number; readonly raw: string; readonly fault: string };

export interface RowsInput {
  /** What the user calls the file. */
  readonly name: string;
  readonly format: Format;
  readonly chunks: AsyncIterable<Uint8Array>;
}

/**
 * Reads row by row. A row that cannot be read is a row with a `fault`; blank lines are no rows.
 * @throws InputFault when the file as a whole is of no use: a header with unknown columns (before any row),
 * no row at all (at the end).
 */
export async function* readRows({ name, format, chunks }: RowsInput): AsyncGenerator<Row, undefined> {
  const lines = readLines(chunks);
  let count = 0;
  for await (const row of format === 'csv' ? readCsv(lines, name) : readJsonLines(lines)) {
    count++;
    yield row;
  }
  if (count > 0) return;
  const what = format === 'csv' ? 'holds a header and no rows' : 'is empty';
  throw new InputFault(`${printable(name)} ${what}: there is nothing to do.`);
}

async function* readCsv(lines: AsyncGenerator<Line, undefined>, name: string): AsyncGenerator<Row> {
  const records = readCsvRecords(lines);
  const first = await records.next();
  if (first.value === undefined) throw new InputFault(`${printable(name)} is empty: there is nothing to do.`);
  const columns = readHeader(first.value, name);
  for await (const record of records) {
    const { line, raw } = record;
    if ('fault' in record) yield { line, raw, fault: record.fault };
    else if (record.cells.length !== columns.length) {
      const fault = `has ${plural(record.cells.length, 'cell')}, the header has ${plural(columns.length, 'column')}`;
      yield { line, raw, fault };
    } else yield { line, raw, fields: toFields(columns, record.cells) };
  }
}

/** An empty cell is a field that is absent. */
function toFields(columns: readonly string[], cells: readonly string[]): Record<string, string> {
  const fields: Record<string, string> = {};
  for (const [i, column] of columns.entries()) {
    const cell = cells[i];
    if (cell !== undefined && cell !== '') fields[column] = cell;
  }
  return fields;
}

function readHeader(header: CsvRecord, name: string): readonly string[] {
  const where = `${printable(name)}, line ${header.line}`;
  const known = `The columns are ${updateFields.join(', ')}; the first line must name them, separated by commas.`;
  if ('fault' in header)
    throw new InputFault(`${where}: the header cannot be read (${header.fault}). ${known}`);
  const columns = header.cells.map((cell) => cell.trim());
  const unknown = columns.filter((column) => !updateFields.some((field) => field === column));
  if (unknown.length > 0) {
    const names = unknown.slice(0, 10).map((column) => `"${shortPrintable(column)}"`);
    const more = unknown.length > names.length ? ` and ${unknown.length - names.length} more` : '';
    throw new InputFault(
      `${where}: unknown ${unknown.length === 1 ? 'column' : 'columns'} ${names.join(', ')}${more}. ${known}`,
    );
  }
  const twice = columns.find((column, i) => columns.indexOf(column) !== i);
  if (twice !== undefined) throw new InputFault(`${where}: the column ${twice} is there twice.`);
  return columns;
}

async function* readJsonLines(lines: AsyncIterable<Line>): AsyncGenerator<Row> {
  for await (const { number: line, text: raw, cut } of lines) {
    if (cut) yield { line, raw, fault: tooLong };
    else if (raw.trim() !== '') yield { line, raw, ...parseObject(raw) };
  }
}

function parseObject(text: string): { fields: Record<string, unknown> } | { fault: string } {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    return { fault: `not JSON: ${error instanceof Error ? error.message : 'it cannot be parsed'}` };
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    return { fault: 'not a JSON object' };
  return { fields: value as Record<string, unknown> };
}

function plural(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}
