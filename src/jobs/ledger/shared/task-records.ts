/**
 * What the ledger has about one task. It has no index by task, for which every row sent would pay: a scan takes a second.
 * PURE.
 */
import type { Outcome } from '../../../message/outcome.ts';
import type { TaskOutcome, TaskRecords, TaskRow } from '../task.ts';
import { LEFT_OUT_COLUMNS, type Raw, ROW_COLUMNS, toEitherRow, toUnmatched } from './records.ts';

/** Statements for every database. Parameters: `identifier`, and `max`, one more than is shown. */
export const taskStatements = {
  taskRows: `SELECT job_id, issued_at, found.* FROM (
      SELECT job, message_ids, ${ROW_COLUMNS}, NULL AS left_out FROM rows WHERE identifier = :identifier
      UNION ALL SELECT job, '', ${LEFT_OUT_COLUMNS} FROM left_out WHERE identifier = :identifier
    ) AS found JOIN jobs ON jobs.key = found.job ORDER BY jobs.created_at DESC, found.row DESC LIMIT :max`,
  taskOutcomes: `SELECT job_id, parked.* FROM parked LEFT JOIN jobs ON jobs.key = parked.job
    WHERE identifier = :identifier ORDER BY seq DESC LIMIT :max`,
} as const;

/** @param max most rows, and most outcomes, to give: the latest of each. */
export function toTaskRecords(rows: readonly Raw[], outcomes: readonly Raw[], max: number): TaskRecords {
  return {
    rows: rows.slice(0, max).map(toTaskRow),
    outcomes: outcomes.slice(0, max).map(toTaskOutcome),
    cut: rows.length > max || outcomes.length > max,
  };
}

function toTaskRow(raw: Raw): TaskRow {
  return {
    jobId: String(raw.job_id),
    issuedAt: typeof raw.issued_at === 'string' ? raw.issued_at : undefined,
    row: toEitherRow(raw),
    sentAt: typeof raw.sent_at === 'number' ? raw.sent_at : undefined,
    messageIds: String(raw.message_ids)
      .split(' ')
      .filter((id) => id !== ''),
  };
}

function toTaskOutcome(raw: Raw): TaskOutcome {
  const { name, state, end } = toUnmatched(raw);
  return {
    jobId: typeof raw.job_id === 'string' ? raw.job_id : undefined,
    name,
    messageId: String(raw.message_id),
    foreign: raw.row !== null,
    state: state as Outcome['Outcome'],
    end,
  };
}
