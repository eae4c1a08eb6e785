/** What the ledger's file has of one task. It has no index by task, which every row sent would pay for: a scan is a second. */
import type { Outcome } from '../../../message/outcome.ts';
import type { TaskOutcome, TaskRecords, TaskRow } from '../task.ts';
import type { Database, Raw } from './database.ts';
import { LEFT_OUT_COLUMNS, ROW_COLUMNS, toEitherRow, toUnmatched } from './records.ts';

const rows = `SELECT job_id, issued_at, found.* FROM (
    SELECT job, message_ids, sent_at, ${ROW_COLUMNS}, NULL AS left_out FROM rows WHERE identifier = :identifier
    UNION ALL SELECT job, '', NULL, ${LEFT_OUT_COLUMNS} FROM left_out WHERE identifier = :identifier
  ) AS found JOIN jobs ON jobs.key = found.job ORDER BY jobs.created_at DESC, found.row DESC LIMIT :max`;
const outcomes = `SELECT job_id, parked.* FROM parked LEFT JOIN jobs ON jobs.key = parked.job
  WHERE identifier = :identifier ORDER BY seq DESC LIMIT :max`;

/** @param max rows, and outcomes, at most: the latest. */
export function taskRecords(db: Database, identifier: string, max: number): TaskRecords {
  const one = { identifier, max: max + 1 };
  const found = { rows: db.prepare(rows).all(one), outcomes: db.prepare(outcomes).all(one) };
  return {
    rows: found.rows.slice(0, max).map(toTaskRow),
    outcomes: found.outcomes.slice(0, max).map(toTaskOutcome),
    cut: found.rows.length > max || found.outcomes.length > max,
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
