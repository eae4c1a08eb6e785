/** The report: a line per row of a job's source, with its end. Streams; nothing is held. */

import { printableJson } from '../../text/printable.ts';
import { safeCsv } from '../../text/safe-csv.ts';
import type { Ledger } from '../ledger/ledger.ts';
import type { JobRecord, LedgerRow, LeftOutRecord, ParkedOutcome } from '../ledger/types.ts';
import { rowName } from '../run/row-name.ts';

export type ReportFormat = 'csv' | 'json';

/** One row of the report. Fields that do not apply are absent. */
type ReportRow = Readonly<Record<(typeof columns)[number], string | number | boolean | undefined>>;

const columns = [
  'Row',
  'Identifier',
  'Description',
  'TaskConfigurationId',
  'FormerDescription',
  'FormerTaskConfigurationId',
  'State',
  'Reason',
  'ErrorName',
  'ErrorStatus',
  'ErrorMessage',
  'AwsRequestId',
  'Attempts',
  'At',
  'Reconciled',
  'Try',
  'Sends',
  'RequestId',
] as const;

/** A job's rows, those that its plan left out in their places; of a job whose plan is elsewhere, its outcomes. */
export function* reportRows(ledger: Ledger, { key, plan }: JobRecord): Generator<ReportRow, undefined> {
  if (plan === undefined) {
    for (const outcome of ledger.parked(key)) yield fromParked(outcome);
    return;
  }
  const leftOut = ledger.leftOut(key);
  let next = leftOut.next().value;
  for (const row of ledger.rows(key)) {
    for (; next !== undefined && next.row < row.row; next = leftOut.next().value) yield fromLeftOut(next);
    yield fromLedgerRow(row);
  }
  for (; next !== undefined; next = leftOut.next().value) yield fromLeftOut(next);
}

const nothing = Object.fromEntries(columns.map((column) => [column, undefined])) as ReportRow;

function fromLeftOut({ row, state, identifier, change, reason }: LeftOutRecord): ReportRow {
  return { ...nothing, Row: row, Identifier: identifier, ...change, State: state, Reason: reason };
}

function fromLedgerRow(row: LedgerRow): ReportRow {
  const { change, former, end } = row;
  return {
    Row: row.row,
    Identifier: row.identifier,
    Description: change.Description,
    TaskConfigurationId: change.TaskConfigurationId,
    FormerDescription: former?.Description,
    FormerTaskConfigurationId: former?.TaskConfigurationId,
    State: row.state,
    ...ofEnd(end),
    Reconciled: row.reconciled ? true : undefined,
    Try: row.try,
    Sends: row.sends,
    RequestId: rowName(row.row, row.try),
  };
}

/** An outcome without a row: of a job whose plan is elsewhere. */
function fromParked({ name, identifier, state, end }: ParkedOutcome): ReportRow {
  return { ...nothing, Identifier: identifier, State: state, ...ofEnd(end), RequestId: name };
}

function ofEnd({ reason, error, attempts, at }: LedgerRow['end']) {
  return {
    Reason: reason,
    ErrorName: error?.name,
    ErrorStatus: error?.status,
    ErrorMessage: error?.message,
    AwsRequestId: error?.requestId,
    Attempts: attempts,
    At: at,
  };
}

/** Rows put into words at once. */
const CHUNK = 500;

/**
 * The report in chunks of text. CSV with a header; opened with safety in a spreadsheet or a terminal. JSON is one
 * array, a line per row, so that both a parser and a line tool can read it.
 */
export function* reportText(rows: Iterable<ReportRow>, format: ReportFormat): Generator<string, undefined> {
  const open = format === 'csv' ? `${columns.join(',')}\n` : '[';
  yield open;
  let chunk: ReportRow[] = [];
  let first = true;
  const flush = (): string => {
    const text = format === 'csv' ? csv(chunk) : json(chunk, first);
    first = false;
    chunk = [];
    return text;
  };
  for (const row of rows) {
    chunk.push(row);
    if (chunk.length === CHUNK) yield flush();
  }
  if (chunk.length > 0) yield flush();
  if (format === 'json') yield first ? ']\n' : '\n]\n';
}

function csv(chunk: readonly ReportRow[]): string {
  return safeCsv(chunk.map((row) => columns.map((column) => row[column])));
}

function json(chunk: readonly ReportRow[], first: boolean): string {
  return chunk.map((row, i) => `${first && i === 0 ? '\n' : ',\n'}${printableJson(row)}`).join('');
}
