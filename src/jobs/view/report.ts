/** The report: one line per row of a job's source, with its end. Streams without keeping rows in memory. */

import { reportColumns } from '../../input/own-columns.ts';
import { printableJson } from '../../text/printable.ts';
import { safeCsv } from '../../text/safe-csv.ts';
import type { JobRecord } from '../ledger/job.ts';
import type { Ledger } from '../ledger/ledger.ts';
import { type LedgerRow, type RowEnd, requestIdOf, type UnmatchedOutcome } from '../ledger/row.ts';
import type { LeftOutRow } from '../plan/format.ts';

export type ReportFormat = 'csv' | 'json';

/** Columns in the reports of every version. */
const firstColumns = reportColumns.slice(0, reportColumns.indexOf('State') + 1);
const CSV_BEGINNING = `${firstColumns.join(',')},`;
/** The first row up to its state, with those of the fields that it has. */
const JSON_BEGINNING = new RegExp(
  `^\\[\\n\\{(?:"(?:${firstColumns.slice(0, -1).join('|')})":(?:\\d+|"(?:[^"\\\\]|\\\\.)*"),)+"State":"`,
);

/**
 * Whether a text with this beginning is a report, of any version. A file with only some of its columns may be
 * any file.
 */
export function isReport(beginning: string): boolean {
  return beginning.startsWith(CSV_BEGINNING) || JSON_BEGINNING.test(beginning) || beginning === '[]\n';
}

/** One row of the report. Fields that do not apply are absent. */
export type ReportRow = Readonly<
  Record<(typeof reportColumns)[number], string | number | boolean | undefined>
>;

/**
 * The report in chunks of text: all rows of a job in order, including those that its plan left out. For a job whose plan
 * is elsewhere: its outcomes. CSV has a header, and is safe to open in a spreadsheet or a terminal. JSON is one array with
 * one line per row, so that both parsers and line tools can read it.
 * @param keep selects the rows.
 */
export async function* reportText(
  ledger: Pick<Ledger, 'pages' | 'unmatched'>,
  { key, plan }: JobRecord,
  format: ReportFormat,
  keep: (row: ReportRow) => boolean = () => true,
): AsyncGenerator<string, undefined> {
  yield format === 'csv' ? `${reportColumns.join(',')}\n` : '[';
  let first = true;
  for await (const all of plan === undefined ? unmatchedPages(ledger, key) : rowPages(ledger, key)) {
    const page = all.filter(keep);
    if (page.length === 0) continue;
    yield format === 'csv' ? csv(page) : json(page, first);
    first = false;
  }
  if (format === 'json') yield first ? ']\n' : '\n]\n';
}

async function* rowPages(ledger: Pick<Ledger, 'pages'>, key: number): AsyncGenerator<readonly ReportRow[]> {
  for await (const page of ledger.pages(key)) yield page.map(toReportRow);
}

async function* unmatchedPages(
  ledger: Pick<Ledger, 'unmatched'>,
  key: number,
): AsyncGenerator<readonly ReportRow[]> {
  for await (const page of ledger.unmatched(key)) yield page.map(ofOutcome);
}

const nothing = Object.fromEntries(reportColumns.map((column) => [column, undefined])) as ReportRow;

function toReportRow(row: LedgerRow | LeftOutRow): ReportRow {
  const { Row, Identifier, Description, TaskConfigurationId } = row;
  const change = { Row, Identifier, Description, TaskConfigurationId };
  if ('LeftOut' in row) return { ...nothing, ...change, State: row.LeftOut, Reason: row.Reason };
  return {
    ...change,
    FormerDescription: row.Former?.Description,
    FormerTaskConfigurationId: row.Former?.TaskConfigurationId,
    State: row.state,
    ...ofEnd(row.end),
    Reconciled: row.reconciled ? true : undefined,
    Try: row.try,
    Sends: row.sends,
    RequestId: requestIdOf(row),
  };
}

function ofOutcome({ name, identifier, state, end }: UnmatchedOutcome): ReportRow {
  return { ...nothing, Identifier: identifier, State: state, ...ofEnd(end), RequestId: name };
}

function ofEnd({ reason, error, attempts, at }: RowEnd) {
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

function csv(page: readonly ReportRow[]): string {
  return safeCsv(page.map((row) => reportColumns.map((column) => row[column])));
}

function json(page: readonly ReportRow[], first: boolean): string {
  return page.map((row, i) => `${first && i === 0 ? '\n' : ',\n'}${printableJson(row)}`).join('');
}
