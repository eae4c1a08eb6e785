/** Outcomes into the ledger: which row one belongs to, and whether it still counts. */
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { Outcome } from '../../../message/outcome.ts';
import { type EndResult, type OutcomeMessage, WITHOUT_JOB } from '../ledger.ts';
import { parseRequestId } from '../row.ts';
import { prepareAll } from './file.ts';

/**
 * Outcomes without a job that are kept, the latest. Those of a job whose plan is elsewhere are all kept, some 300 bytes
 * each: this ledger alone consumes the queue, so an outcome that it drops is lost.
 */
const MAX_WITHOUT_JOB = 100_000;
/** Messages that are no outcomes, as far as they are kept. */
const MAX_STRAYS = 1_000;
const MAX_STRAY_LENGTH = 4_096;
const MAX_CAUSE_LENGTH = 100;
const MAX_MESSAGE_LENGTH = 1_000;
/** An outcome may claim up to 2^53 API calls, and `node:sqlite` refuses to read a sum of a few such. */
const MAX_CALLS = 1_000_000;

/**
 * `applied` and `superseded` are final, whichever try they are of: the values are in place, or newer ones are.
 * A dead letter counts for the present try only, and of two the later.
 */
const endRow = `UPDATE rows SET state = :state, cause = :cause, reason = :reason, error = :error,
  attempts = :attempts, at = :at, reconciled = 0
  WHERE job = :job AND row = :row AND state NOT IN ('applied', 'superseded')
  AND (:state <> 'dead-lettered' OR (try <= :try AND (state <> 'dead-lettered' OR at < :at)))`;

const park = `INSERT INTO parked (job, name, identifier, state, reason, error, attempts, at)
  VALUES (:job, :name, :identifier, :state, :reason, :error, :attempts, :at)
  ON CONFLICT (job, name) DO UPDATE SET state = excluded.state, reason = excluded.reason, error = excluded.error,
    attempts = excluded.attempts, at = excluded.at
  WHERE parked.state NOT IN ('applied', 'superseded')
    AND (excluded.state <> 'dead-lettered' OR parked.at < excluded.at)`;

const statements = {
  job: 'SELECT key FROM jobs WHERE job_id = ?',
  addForeign: 'INSERT INTO jobs (job_id, created_at, updated_at) VALUES (:jobId, :now, :now) RETURNING key',
  touch: 'UPDATE jobs SET updated_at = ? WHERE key = ?',
  identifier: 'SELECT identifier FROM rows WHERE job = ? AND row = ?',
  endRow,
  park,
  trimParked: 'DELETE FROM parked WHERE job = 0 AND seq <= (SELECT max(seq) FROM parked WHERE job = 0) - ?',
  addStray:
    'INSERT INTO strays (message_id, received_at, fault, body) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING',
  trimStrays: 'DELETE FROM strays WHERE seq <= (SELECT max(seq) FROM strays) - ?',
} as const;

/** Makes no transaction: the caller does. */
export class OutcomeStore {
  readonly #sql: Readonly<Record<keyof typeof statements, StatementSync>>;
  readonly #now: () => number;

  constructor(db: DatabaseSync, now: () => number) {
    this.#sql = prepareAll(db, statements);
    this.#now = now;
  }

  store(messages: readonly OutcomeMessage[]): EndResult {
    const result = { rows: 0, nothingNew: 0, unmatched: 0, unreadable: 0 };
    const jobs = new Map<string, number>();
    let withoutJob = false;
    for (const message of messages) {
      if ('fault' in message) {
        const { messageId, fault, body } = message;
        this.#sql.addStray.run(messageId, this.#now(), fault, body.slice(0, MAX_STRAY_LENGTH));
        result.unreadable++;
        continue;
      }
      const { outcome } = message;
      const key = outcome.JobId === undefined ? WITHOUT_JOB : this.#keyOf(outcome.JobId, jobs);
      withoutJob ||= key === WITHOUT_JOB;
      result[this.#storeOne(key, outcome)]++;
    }
    for (const key of jobs.values()) this.#sql.touch.run(this.#now(), key);
    if (withoutJob) this.#sql.trimParked.run(MAX_WITHOUT_JOB);
    if (result.unreadable > 0) this.#sql.trimStrays.run(MAX_STRAYS);
    return result;
  }

  #storeOne(key: number, outcome: Outcome): 'rows' | 'nothingNew' | 'unmatched' {
    const { cause, ...end } = endOf(outcome);
    const named = outcome.RequestId === undefined ? undefined : parseRequestId(outcome.RequestId);
    if (key !== WITHOUT_JOB && named !== undefined) {
      const { Row: row, try: attempt } = named;
      const found = this.#sql.identifier.get(key, row);
      // Another producer may use the same JobId and number its rows alike: the Identifier must fit, too.
      if (found !== undefined && (outcome.Identifier ?? found.identifier) === found.identifier) {
        const { changes } = this.#sql.endRow.run({ ...end, cause, job: key, row, try: attempt });
        return changes === 0 ? 'nothingNew' : 'rows';
      }
    }
    const name = key === WITHOUT_JOB ? outcome.MessageId : (outcome.RequestId ?? outcome.MessageId);
    this.#sql.park.run({ ...end, job: key, name, identifier: outcome.Identifier ?? null });
    return 'unmatched';
  }

  #keyOf(jobId: string, known: Map<string, number>): number {
    let key = known.get(jobId);
    if (key === undefined) {
      const found = this.#sql.job.get(jobId) ?? this.#sql.addForeign.get({ jobId, now: this.#now() });
      key = Number(found?.key);
      known.set(jobId, key);
    }
    return key;
  }
}

function endOf({ Outcome: state, Reason, Error: error, Attempts, At }: Outcome) {
  const cause = state === 'dead-lettered' ? (error?.name ?? Reason ?? 'Unknown') : '';
  const kept = error && { ...error, message: error.message.slice(0, MAX_MESSAGE_LENGTH) };
  return {
    state,
    cause: cause.slice(0, MAX_CAUSE_LENGTH),
    reason: Reason ?? null,
    error: kept === undefined ? null : JSON.stringify(kept),
    attempts: Math.min(Attempts, MAX_CALLS),
    at: At,
  };
}
