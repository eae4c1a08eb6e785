/** Outcomes into the ledger: which row one belongs to, and whether it still counts. */
import type { Outcome } from '../../message/outcome.ts';
import { parseRowName } from '../run/row-name.ts';
import type { DatabaseSync, StatementSync } from './file.ts';

/** One message off the outcome queue: an outcome, or what is wrong with it. */
export type Arrival =
  | { readonly outcome: Outcome }
  | { readonly fault: string; readonly messageId: string; readonly body: string };

export interface StoreResult {
  /** Rows whose state this changed, of whatever job. */
  readonly rows: number;
  /** Told nothing new: heard before, of an earlier try, or of a row that has ended for good. */
  readonly nothingNew: number;
  /** Of no row of a plan in this ledger. */
  readonly parked: number;
  /** No outcomes at all. */
  readonly strays: number;
}

/**
 * Outcomes without a job that are kept; the oldest make room. Those of a job whose plan is elsewhere are all kept, some
 * 300 bytes each: this ledger alone consumes the queue, so what it drops nobody ever sees. Whoever may send updates
 * can so make it grow; whoever uses it for one job alone gives it an outcome queue, or a STATE_DIR, of its own.
 */
const MAX_WITHOUT_JOB = 100_000;
/** Messages kept that are no outcomes. */
const MAX_STRAYS = 1_000;
const MAX_STRAY_LENGTH = 4_096;
const MAX_CAUSE_LENGTH = 100;
const MAX_MESSAGE_LENGTH = 1_000;
/**
 * API calls taken for what an outcome says at most. It may say anything up to 2^53, and the sum of a few such is a
 * number that `node:sqlite` refuses to read.
 */
const MAX_CALLS = 1_000_000;

/** The key under which outcomes without a job are parked. */
export const WITHOUT_JOB = 0;

/**
 * `applied` and `superseded` are final, whichever try they are of: the values are in place, or newer ones are.
 * A dead letter counts for the present try only, and of two the later.
 */
const END_ROW = `UPDATE rows SET state = :state, cause = :cause, reason = :reason, error = :error,
  attempts = :attempts, at = :at, reconciled = 0
  WHERE job = :job AND row = :row AND state NOT IN ('applied', 'superseded')
  AND (:state <> 'dead-lettered' OR (try <= :try AND (state <> 'dead-lettered' OR at < :at)))`;

const PARK = `INSERT INTO parked (job, name, identifier, state, reason, error, attempts, at)
  VALUES (:job, :name, :identifier, :state, :reason, :error, :attempts, :at)
  ON CONFLICT (job, name) DO UPDATE SET state = excluded.state, reason = excluded.reason, error = excluded.error,
    attempts = excluded.attempts, at = excluded.at
  WHERE parked.state NOT IN ('applied', 'superseded')
    AND (excluded.state <> 'dead-lettered' OR parked.at < excluded.at)`;

/** Not a transaction by itself: whoever calls makes one. */
export class OutcomeStore {
  readonly #now: () => number;
  readonly #job: StatementSync;
  readonly #addForeign: StatementSync;
  readonly #touch: StatementSync;
  readonly #identifier: StatementSync;
  readonly #endRow: StatementSync;
  readonly #park: StatementSync;
  readonly #trimParked: StatementSync;
  readonly #addStray: StatementSync;
  readonly #trimStrays: StatementSync;

  constructor(db: DatabaseSync, now: () => number) {
    this.#now = now;
    this.#job = db.prepare('SELECT key FROM jobs WHERE job_id = ?');
    this.#addForeign = db.prepare(
      'INSERT INTO jobs (job_id, created_at, updated_at) VALUES (:jobId, :now, :now) RETURNING key',
    );
    this.#touch = db.prepare('UPDATE jobs SET updated_at = ? WHERE key = ?');
    this.#identifier = db.prepare('SELECT identifier FROM rows WHERE job = ? AND row = ?');
    this.#endRow = db.prepare(END_ROW);
    this.#park = db.prepare(PARK);
    this.#trimParked = db.prepare(
      'DELETE FROM parked WHERE job = 0 AND seq <= (SELECT max(seq) FROM parked WHERE job = 0) - ?',
    );
    this.#addStray = db.prepare(
      `INSERT INTO strays (message_id, received_at, fault, body) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING`,
    );
    this.#trimStrays = db.prepare('DELETE FROM strays WHERE seq <= (SELECT max(seq) FROM strays) - ?');
  }

  store(arrivals: readonly Arrival[]): StoreResult {
    const result = { rows: 0, nothingNew: 0, parked: 0, strays: 0 };
    const jobs = new Map<string, number>();
    let withoutJob = false;
    for (const arrival of arrivals) {
      if ('fault' in arrival) {
        const { messageId, fault, body } = arrival;
        this.#addStray.run(messageId, this.#now(), fault, body.slice(0, MAX_STRAY_LENGTH));
        result.strays++;
        continue;
      }
      const { outcome } = arrival;
      const key = outcome.JobId === undefined ? WITHOUT_JOB : this.#keyOf(outcome.JobId, jobs);
      withoutJob ||= key === WITHOUT_JOB;
      result[this.#storeOne(key, outcome)]++;
    }
    for (const key of jobs.values()) this.#touch.run(this.#now(), key);
    if (withoutJob) this.#trimParked.run(MAX_WITHOUT_JOB);
    if (result.strays > 0) this.#trimStrays.run(MAX_STRAYS);
    return result;
  }

  #storeOne(key: number, outcome: Outcome): 'rows' | 'nothingNew' | 'parked' {
    const values = endOf(outcome);
    const name = outcome.RequestId === undefined ? undefined : parseRowName(outcome.RequestId);
    if (key !== WITHOUT_JOB && name !== undefined) {
      const row = this.#identifier.get(key, name.row);
      // The name alone could be anybody's, who uses the same JobId and counts rows likewise.
      if (row !== undefined && (outcome.Identifier === undefined || outcome.Identifier === row.identifier)) {
        const { cause, ...rest } = values;
        const { changes } = this.#endRow.run({ ...rest, cause, job: key, row: name.row, try: name.try });
        return changes === 0 ? 'nothingNew' : 'rows';
      }
    }
    const { cause: _, ...rest } = values;
    const parkedAs = key === WITHOUT_JOB ? outcome.MessageId : (outcome.RequestId ?? outcome.MessageId);
    this.#park.run({ ...rest, job: key, name: parkedAs, identifier: outcome.Identifier ?? null });
    return 'parked';
  }

  #keyOf(jobId: string, known: Map<string, number>): number {
    let key = known.get(jobId);
    if (key === undefined) {
      const found = this.#job.get(jobId) ?? this.#addForeign.get({ jobId, now: this.#now() });
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
