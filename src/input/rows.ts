/**
 * Rows of a file, CSV or JSON Lines, checked against the contract of an update: the input row, in which commands that
 * take a file begin.
 */
import { misuse } from '../errors.ts';
import { checkUpdate, type Update, updateFields } from '../message/update.ts';
import { counted } from '../text/numbers.ts';
import { printable, shortPrintable } from '../text/printable.ts';
import { type CsvRecord, readCsvRecords, tooLong } from './csv.ts';
import { type Line, readLines } from './lines.ts';

export type Format = 'csv' | 'jsonl';

/** One row: an update, or the reason why it is none. */
export type InputRow = GoodRow | RefusedRow;

interface SourceText {
  /** Its line in the file, from 1. */
  readonly line: number;
  /** The row's own text. */
  readonly raw: string;
}

export interface GoodRow extends SourceText {
  readonly update: Update;
}

export interface RefusedRow extends SourceText {
  readonly reason: string;
  /** Its Identifier, if that is text: of whatever length and content. */
  readonly identifier?: string;
}

/** Fields that a run sets on every row. */
export type SetFields = Readonly<Partial<Record<keyof Update, string>>>;

export interface Rules {
  readonly set: SetFields;
  /** The start of the run in epoch milliseconds: the bound of `IssuedAt`. */
  readonly startedAt: number;
}

export interface RowsInput {
  /** What the user calls the file. */
  readonly name: string;
  readonly format: Format;
  readonly chunks: AsyncIterable<Uint8Array>;
}

/** Reads the rows and checks each; the same input and rules always give the same rows. Throws as `parseRows` does. */
export async function* readRows(input: RowsInput, rules: Rules): AsyncGenerator<InputRow, undefined> {
  for await (const row of parseRows(input)) yield 'reason' in row ? row : checkRow(row, rules);
}

/** A row by its fields, not checked yet. */
export interface RowFields extends SourceText {
  readonly fields: Readonly<Record<string, unknown>>;
}

/**
 * Reads row by row; blank lines are no rows.
 * @throws CommandError when the file as a whole is of no use: a header with unknown columns (before any row), no row at
 * all (at the end).
 */
export async function* parseRows(input: RowsInput): AsyncGenerator<RowFields | RefusedRow, undefined> {
  const { name, format, chunks } = input;
  const lines = readLines(chunks);
  let count = 0;
  for await (const row of format === 'csv' ? readCsv(lines, name) : readJsonLines(lines)) {
    count++;
    yield row;
  }
  if (count > 0) return;
  const what = format === 'csv' ? 'holds a header and no rows' : 'is empty';
  throw misuse(`${printable(name)} ${what}: there is nothing to do.`);
}

export function checkRow({ line, raw, fields }: RowFields, { set, startedAt }: Rules): InputRow {
  const value: Readonly<Record<string, unknown>> = { ...fields, ...set };
  const check = checkUpdate(value, startedAt);
  if (check.ok) return { line, raw, update: check.update };
  const { Identifier: identifier } = value;
  return { line, raw, reason: check.message, ...(typeof identifier === 'string' && { identifier }) };
}

/** @throws CommandError when a value that is to be set on every row is itself not valid. */
export function checkSetFields({ set, startedAt }: Rules): void {
  const check = checkUpdate({ Identifier: 'a', Description: 'a', ...set }, startedAt);
  if (!check.ok) throw misuse(`A value that is to be set on every row is not valid: ${check.message}.`);
}

async function* readCsv(
  lines: AsyncGenerator<Line, undefined>,
  name: string,
): AsyncGenerator<RowFields | RefusedRow> {
  const records = readCsvRecords(lines);
  const first = await records.next();
  if (first.value === undefined) throw misuse(`${printable(name)} is empty: there is nothing to do.`);
  const columns = readHeader(first.value, name);
  for await (const record of records) {
    const { line, raw } = record;
    if ('fault' in record) yield { line, raw, reason: record.fault };
    else if (record.cells.length !== columns.length) {
      const reason = `has ${counted(record.cells.length, 'cell')}, the header has ${counted(columns.length, 'column')}`;
      yield { line, raw, reason };
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
  if ('fault' in header) throw misuse(`${where}: the header cannot be read (${header.fault}). ${known}`);
  const columns = header.cells.map((cell) => cell.trim());
  const unknown = columns.filter((column) => !updateFields.some((field) => field === column));
  if (unknown.length > 0) {
    const names = unknown.slice(0, 10).map((column) => `"${shortPrintable(column)}"`);
    const more = unknown.length > names.length ? ` and ${unknown.length - names.length} more` : '';
    throw misuse(
      `${where}: unknown ${unknown.length === 1 ? 'column' : 'columns'} ${names.join(', ')}${more}. ${known}`,
    );
  }
  const twice = columns.find((column, i) => columns.indexOf(column) !== i);
  if (twice !== undefined) throw misuse(`${where}: the column ${twice} is there twice.`);
  return columns;
}

async function* readJsonLines(lines: AsyncIterable<Line>): AsyncGenerator<RowFields | RefusedRow> {
  for await (const { number: line, text: raw, cut } of lines) {
    if (cut) yield { line, raw, reason: tooLong };
    else if (raw.trim() !== '') yield { line, raw, ...parseObject(raw) };
  }
}

function parseObject(text: string): { fields: Record<string, unknown> } | { reason: string } {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    return { reason: `not JSON: ${error instanceof Error ? error.message : 'it cannot be parsed'}` };
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    return { reason: 'not a JSON object' };
  return { fields: value as Record<string, unknown> };
}
