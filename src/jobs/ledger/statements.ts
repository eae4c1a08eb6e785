/** The ledger's SQL, prepared once. */
import type { DatabaseSync, StatementSync } from './file.ts';
import { ROW_COLUMNS } from './records.ts';

const sql = {
  job: 'SELECT * FROM jobs WHERE job_id = ?',
  jobs: 'SELECT * FROM jobs ORDER BY updated_at DESC, key DESC',
  // A job known by its outcomes alone gets its plan; one that has a plan keeps it.
  addJob: `INSERT INTO jobs (job_id, path, source, digest, left_out, issued_at, created_at, updated_at)
    VALUES (:jobId, :path, :source, :digest, :leftOut, :issuedAt, :now, :now)
    ON CONFLICT (job_id) DO UPDATE SET path = :path, source = :source, digest = :digest, left_out = :leftOut,
      issued_at = :issuedAt, updated_at = :now
    WHERE digest IS NULL`,
  lastRow: `SELECT max(ifnull((SELECT max(row) FROM rows WHERE job = :job), 0),
    ifnull((SELECT max(row) FROM left_out WHERE job = :job), 0)) AS last`,
  addRow: `INSERT INTO rows (job, row, identifier, description, configuration, former) VALUES (?, ?, ?, ?, ?, ?)`,
  addLeftOut: `INSERT INTO left_out (job, row, state, identifier, description, configuration, reason)
    VALUES (?, ?, ?, ?, ?, ?, ?)`,
  completeJob: `UPDATE jobs SET complete = 1, updated_at = ?,
    rows = (SELECT count(*) FROM rows WHERE job = jobs.key) WHERE key = ?`,
  setGuards: 'UPDATE jobs SET guards = ? WHERE key = ?',
  setCounting: 'UPDATE jobs SET counting = ? WHERE key = ?',
  setStopped: 'UPDATE jobs SET stopped = ?, updated_at = ? WHERE key = ?',
  addMaybeTwice: 'UPDATE jobs SET maybe_twice = maybe_twice + ? WHERE key = ?',
  // Left to itself SQLite walks all rows of the job, each time, however few are open.
  planned: `SELECT ${ROW_COLUMNS} FROM rows INDEXED BY rows_planned
    WHERE job = ? AND state = 'planned' ORDER BY row LIMIT ?`,
  markSending: `UPDATE rows SET state = 'sending', sends = sends + 1, sent_at = ?
    WHERE job = ? AND row = ? AND state = 'planned'`,
  markSent: `UPDATE rows SET state = 'sent' WHERE job = ? AND row = ? AND state = 'sending'`,
  markPlanned: `UPDATE rows SET state = 'planned', sends = sends - 1
    WHERE job = ? AND row = ? AND state = 'sending'`,
  markRefused: `UPDATE rows SET state = 'refused', cause = 'RefusedBySqs', reason = ?, error = ?, attempts = NULL,
    at = ? WHERE job = ? AND row = ? AND state = 'sending'`,
  replanSending: `UPDATE rows INDEXED BY rows_sending SET state = 'planned'
    WHERE job = ? AND state = 'sending'`,
  retryFailed: `UPDATE rows SET state = 'planned', cause = '', try = try + 1
    WHERE job = ? AND state IN ('dead-lettered', 'refused')`,
  unended: `SELECT ${ROW_COLUMNS} FROM rows INDEXED BY rows_sent
    WHERE job = ? AND state = 'sent' AND row > ? ORDER BY row LIMIT ?`,
  reconcileApplied: `UPDATE rows SET state = 'applied', cause = '', reason = NULL, error = NULL, attempts = NULL,
    at = ?, reconciled = 1 WHERE job = ? AND row = ? AND state = 'sent'`,
  reconcileGone: `UPDATE rows SET state = 'dead-lettered', cause = ?, reason = 'Rejected', error = ?, attempts = NULL,
    at = ?, reconciled = 1 WHERE job = ? AND row = ? AND state = 'sent'`,
  sendAgain: `UPDATE rows SET state = 'planned', try = try + 1 WHERE job = ? AND row = ? AND state = 'sent'`,
  tallies: 'SELECT state, cause, rows, calls, calls_of FROM tallies WHERE job = ?',
  reconciled: 'SELECT count(*) AS rows FROM rows WHERE job = ? AND reconciled = 1',
  parkedTallies: `SELECT state, coalesce(json_extract(error, '$.name'), reason, '') AS cause, count(*) AS rows
    FROM parked WHERE job = ? GROUP BY 1, 2`,
  strays: 'SELECT count(*) AS count FROM strays',
} as const;

export type Statements = Readonly<Record<keyof typeof sql, StatementSync>>;

export function prepareStatements(db: DatabaseSync): Statements {
  const prepared = Object.entries(sql).map(([name, text]) => [name, db.prepare(text)]);
  return Object.fromEntries(prepared) as Statements;
}
