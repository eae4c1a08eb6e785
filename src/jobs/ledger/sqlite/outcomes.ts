/** Outcomes into the ledger: which row one belongs to, and whether it still counts. */
import type { SQLInputValue } from 'node:sqlite';
import type { Outcome } from '../../../message/outcome.ts';
import { remoteName, remoteText } from '../../../text/remote.ts';
import { type EndResult, type ReceivedOutcome, WITHOUT_JOB } from '../ledger.ts';
import { parseRequestId } from '../row.ts';
import type { Database, Raw, Statement } from './database.ts';

/**
 * Outcomes without a job that are kept, the latest. Those of a job whose plan is elsewhere are all kept, some 300 bytes
 * each: nobody else has taken them, so an outcome that is dropped here is lost.
 */
const MAX_WITHOUT_JOB = 100_000;
const MAX_CAUSE_LENGTH = 100;
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

const park = `INSERT INTO parked (job, message_id, name, row, identifier, state, reason, error, attempts, at)
  VALUES (:job, :messageId, :name, :row, :identifier, :state, :reason, :error, :attempts, :at)
  ON CONFLICT (job, message_id) DO UPDATE SET state = excluded.state, reason = excluded.reason,
    error = excluded.error, attempts = excluded.attempts, at = excluded.at
  WHERE parked.state NOT IN ('applied', 'superseded')
    AND (excluded.state <> 'dead-lettered' OR parked.at < excluded.at)`;

const statements = {
  job: 'SELECT key, issued_at, digest FROM jobs WHERE job_id = ?',
  addForeign:
    'INSERT INTO jobs (job_id, created_at, updated_at) VALUES (:jobId, :now, :now) RETURNING key, issued_at',
  touch: 'UPDATE jobs SET updated_at = ? WHERE key = ?',
  row: 'SELECT identifier, description, configuration, try, sends, message_ids FROM rows WHERE job = ? AND row = ?',
  endRow,
  park,
  parkedOfRow: 'SELECT * FROM parked WHERE job = ? AND row = ? AND message_id = ?',
  unpark: 'DELETE FROM parked WHERE seq = ?',
  trimParked: 'DELETE FROM parked WHERE job = 0 AND seq <= (SELECT max(seq) FROM parked WHERE job = 0) - ?',
} as const;

interface KnownJob {
  readonly key: number;
  /** null: of a job whose plan is elsewhere. */
  readonly issuedAt: unknown;
  /** Whether its plan is in this ledger. */
  readonly planned: boolean;
}

const withoutJobKnown: KnownJob = { key: WITHOUT_JOB, issuedAt: null, planned: false };

/** Makes no transaction: the caller does. */
export class OutcomeStore {
  readonly #sql: Readonly<Record<keyof typeof statements, Statement>>;
  readonly #now: () => number;

  constructor(db: Database, now: () => number) {
    this.#sql = db.prepareAll(statements);
    this.#now = now;
  }

  store(outcomes: readonly ReceivedOutcome[]): EndResult {
    const counts = { rows: 0, nothingNew: 0, foreign: 0, unmatched: 0 };
    const left: ReceivedOutcome[] = [];
    const adopted = new Set<string>();
    const touched = new Set<number>();
    for (const received of outcomes) {
      const { outcome, abandoned = false } = received;
      const job = outcome.JobId === undefined ? withoutJobKnown : this.#jobOf(outcome.JobId, abandoned);
      if (job === undefined) {
        left.push(received);
        continue;
      }
      if (!job.planned && outcome.JobId !== undefined) adopted.add(outcome.JobId);
      touched.add(job.key);
      counts[this.#storeOne(job, outcome)]++;
    }
    for (const key of touched) this.#sql.touch.run(this.#now(), key);
    if (touched.has(WITHOUT_JOB)) this.#sql.trimParked.run(MAX_WITHOUT_JOB);
    return { ...counts, left, adopted };
  }

  /** Ends a row by the outcome that came before its message's id was known, if one did. */
  adopt(job: number, row: number, messageId: string): void {
    const parked = this.#sql.parkedOfRow.get(job, row, messageId);
    if (parked === undefined) return;
    const { seq, name, state, reason, error, attempts, at } = parked;
    const { name: code } = typeof error === 'string' ? JSON.parse(error) : { name: reason };
    const attempt = parseRequestId(String(name))?.try ?? 1;
    const end = { state, reason, error, attempts, at, cause: causeOf(String(state), code) };
    this.#sql.endRow.run({ ...end, job, row, try: attempt } as Record<string, SQLInputValue>);
    this.#sql.unpark.run(Number(seq));
  }

  #storeOne(job: KnownJob, outcome: Outcome): 'rows' | 'nothingNew' | 'foreign' | 'unmatched' {
    const { cause, ...end } = endOf(outcome);
    const { key } = job;
    const named = outcome.RequestId === undefined ? undefined : parseRequestId(outcome.RequestId);
    const row = key === WITHOUT_JOB || named === undefined ? undefined : this.#sql.row.get(key, named.Row);
    // Another producer may use the same JobId and number its rows alike: the Identifier must fit, too.
    const fits = row !== undefined && (outcome.Identifier ?? row.identifier) === row.identifier;
    if (fits && named !== undefined && isOfRow(outcome, row, named.try, job.issuedAt)) {
      const changes = this.#sql.endRow.run({ ...end, cause, job: key, row: named.Row, try: named.try });
      return changes === 0 ? 'nothingNew' : 'rows';
    }
    const name = key === WITHOUT_JOB ? outcome.MessageId : (outcome.RequestId ?? outcome.MessageId);
    this.#sql.park.run({
      ...end,
      job: key,
      messageId: outcome.OriginalMessageId ?? outcome.MessageId,
      name,
      row: fits ? (named?.Row ?? null) : null,
      identifier: outcome.Identifier ?? null,
    });
    return fits ? 'foreign' : 'unmatched';
  }

  /** undefined: its plan is not here, and the outcome is to be left. */
  #jobOf(jobId: string, abandoned: boolean): KnownJob | undefined {
    const found = this.#sql.job.get(jobId);
    const planned = typeof found?.digest === 'string';
    if (!planned && !abandoned) return undefined;
    const { key, issued_at: issuedAt } = found ?? this.#sql.addForeign.get({ jobId, now: this.#now() }) ?? {};
    return { key: Number(key), issuedAt, planned };
  }
}

/**
 * Whether an outcome that names a row is of an update that this ledger sent. Whoever may send to the update queue can
 * name any row, so the message's id decides. A process that was killed after a send never learnt that id: then an outcome
 * with everything that the row's own update has counts as well, if the row was ever about to be sent.
 */
function isOfRow(outcome: Outcome, row: Raw, attempt: number, issuedAt: unknown): boolean {
  const ids = String(row.message_ids).split(' ');
  if (ids.includes(outcome.MessageId) || ids.includes(outcome.OriginalMessageId ?? outcome.MessageId))
    return true;
  return (
    Number(row.sends) > 0 &&
    attempt <= Number(row.try) &&
    outcome.Identifier !== undefined &&
    outcome.IssuedAt === issuedAt &&
    (outcome.Description ?? null) === row.description &&
    (outcome.TaskConfigurationId ?? null) === row.configuration
  );
}

function endOf({ Outcome: state, Reason, Error: error, Attempts, At }: Outcome) {
  const { name = '', message = '', requestId } = error ?? {};
  const shown = { name: remoteName(name), message: remoteText(message) };
  const kept = error && { ...error, ...shown, ...(requestId && { requestId: remoteName(requestId) }) };
  return {
    state,
    cause: causeOf(state, kept?.name ?? Reason),
    reason: Reason ?? null,
    error: kept === undefined ? null : JSON.stringify(kept),
    attempts: Math.min(Attempts, MAX_CALLS),
    at: At,
  };
}

function causeOf(state: string, code: unknown): string {
  return state === 'dead-lettered' ? String(code ?? 'Unknown').slice(0, MAX_CAUSE_LENGTH) : '';
}
