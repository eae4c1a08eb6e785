/** Rows to updates: what the run adds to a row, and the contract's check. */
import { checkUpdate, type Update } from '../message/update.ts';
import { DuplicateCounter, type Duplicates } from './duplicates.ts';
import { InputFault } from './faults.ts';
import type { Row } from './rows.ts';

/** Fields that a run sets on every row. */
export type SetFields = Readonly<Partial<Record<keyof Update, string>>>;

export interface Rules {
  readonly set: SetFields;
  /** The run's start in epoch milliseconds: the `IssuedAt` of rows without one, and the bound of those that have one. */
  readonly startedAt: number;
}

export interface GoodRow {
  readonly line: number;
  readonly raw: string;
  readonly update: Update;
}

export interface RefusedRow {
  readonly line: number;
  readonly raw: string;
  readonly reason: string;
  /** What stands in the place of its Identifier, when that is text: of whatever length and content. */
  readonly identifier?: string;
}

export type CheckedRow = GoodRow | RefusedRow;

/** Checks one row. A row without RequestId gets `row-<line, six digits>`, one without IssuedAt the run's start. */
export function checkRow(row: Row, { set, startedAt }: Rules): CheckedRow {
  const { line, raw } = row;
  if ('fault' in row) return { line, raw, reason: row.fault };
  const value = {
    RequestId: `row-${String(line).padStart(6, '0')}`,
    IssuedAt: new Date(startedAt).toISOString(),
    ...row.fields,
    ...set,
  };
  const check = checkUpdate(value, startedAt);
  if (check.ok) return { line, raw, update: check.update };
  const { Identifier: identifier }: { Identifier?: unknown } = value;
  return { line, raw, reason: check.message, ...(typeof identifier === 'string' && { identifier }) };
}

/** Checks row by row; the same rows and rules always give the same answer. */
export async function* checkRows(
  rows: AsyncIterable<Row>,
  rules: Rules,
): AsyncGenerator<CheckedRow, undefined> {
  for await (const row of rows) yield checkRow(row, rules);
}

/** @throws InputFault when a value that is to be set on every row is itself not valid. */
export function checkSetFields({ set, startedAt }: Rules): void {
  const check = checkUpdate({ Identifier: 'a', Description: 'a', ...set }, startedAt);
  if (!check.ok)
    throw new InputFault(`A value that is to be set on every row is not valid: ${check.message}.`);
}

export interface Tally {
  readonly rows: number;
  readonly refused: number;
  /** Good rows before the line to begin with. */
  readonly skipped: number;
  /** Good rows from that line on. */
  readonly toSend: number;
  /** The line of the last row. */
  readonly lastLine: number;
  readonly duplicates: Duplicates;
}

export interface TallyOptions {
  readonly fromLine: number;
  readonly onRefused: (row: RefusedRow) => void;
  readonly signal: AbortSignal;
}

/** Reads all rows once and counts them. Ends early, with what it has, when `signal` aborts. Needs 8 bytes a row. */
export async function tallyRows(
  rows: AsyncIterable<CheckedRow>,
  { fromLine, onRefused, signal }: TallyOptions,
): Promise<Tally> {
  const duplicates = new DuplicateCounter();
  let refused = 0;
  let skipped = 0;
  let toSend = 0;
  let lastLine = 0;
  for await (const row of rows) {
    if (signal.aborted) break;
    lastLine = row.line;
    if ('reason' in row) {
      refused++;
      onRefused(row);
      continue;
    }
    duplicates.add(row.update.Identifier);
    if (row.line < fromLine) skipped++;
    else toSend++;
  }
  const rowCount = refused + skipped + toSend;
  return { rows: rowCount, refused, skipped, toSend, lastLine, duplicates: duplicates.count() };
}
