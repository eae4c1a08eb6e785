/** Outcomes into the ledger: which row one belongs to, and whether it still counts. */
import type { SQLInputValue } from 'node:sqlite';
import type { Outcome } from '../../../message/outcome.ts';
import { remoteName, remoteText } from '../../../text/remote.ts';
import { type EndResult, type ReceivedOutcome, WITHOUT_JOB } from '../ledger.ts';
import { parseRequestId, type RowEnd } from '../row.ts';
import type { Database, Raw, Statement } from './database.ts';
import { parsed } from './records.ts';

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

const SENT_COLUMNS =
  'row, identifier, description, configuration, try, sends, message_ids, request_id, row_issued_at';

const statements = {
  job: 'SELECT key, issued_at, digest FROM jobs WHERE job_id = ?',
  addForeign:
    'INSERT INTO jobs (job_id, created_at, updated_at) VALUES (:jobId, :now, :now) RETURNING key, issued_at',
  touch: 'UPDATE jobs SET updated_at = ? WHERE key = ?',
  row: `SELECT ${SENT_COLUMNS} FROM rows WHERE job = ? AND row = ? AND identifier = ifnull(?, identifier)
    AND request_id IS NULL`,
  // Of one RequestId there can be as many rows as there are; of one Identifier, too, hardly any. First those whose message is not
  // known: a sender was killed.
  named: `SELECT ${SENT_COLUMNS} FROM rows INDEXED BY rows_named
    WHERE job = ? AND request_id = ? AND identifier = ? ORDER BY message_ids <> '' LIMIT 100`,
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

/** A row that an outcome names, and the try that it is of. */
interface NamedRow {
  readonly row: number;
  readonly raw: Raw;
  readonly attempt: number;
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
    const { name: code } =
      typeof error === 'string' ? parsed<NonNullable<RowEnd['error']>>(error) : { name: reason };
    // A row with a RequestId of its own has no try in it: the message is of the present one.
    const attempt = parseRequestId(String(name))?.try ?? Number.MAX_SAFE_INTEGER;
    const end = { state, reason, error, attempts, at, cause: causeOf(String(state), code) };
    this.#sql.endRow.run({ ...end, job, row, try: attempt } as Record<string, SQLInputValue>);
    this.#sql.unpark.run(Number(seq));
  }

  #storeOne(job: KnownJob, outcome: Outcome): 'rows' | 'nothingNew' | 'foreign' | 'unmatched' {
    const { cause, ...end } = endOf(outcome);
    const { key } = job;
    const rows = key === WITHOUT_JOB ? [] : this.#rowsNamed(key, outcome);
    const own =
      rows.find(({ raw }) => hasMessage(raw, outcome)) ?? rows.find((one) => hasValues(one, outcome, job));
    if (own !== undefined) {
      const changes = this.#sql.endRow.run({ ...end, cause, job: key, row: own.row, try: own.attempt });
      return changes === 0 ? 'nothingNew' : 'rows';
    }
    const name = key === WITHOUT_JOB ? outcome.MessageId : (outcome.RequestId ?? outcome.MessageId);
    this.#sql.park.run({
      ...end,
      job: key,
      messageId: outcome.OriginalMessageId ?? outcome.MessageId,
      name,
      row: rows[0]?.row ?? null,
      identifier: outcome.Identifier ?? null,
    });
    return rows.length > 0 ? 'foreign' : 'unmatched';
  }

  /**
   * The rows that an outcome names, by its RequestId. Another producer may use the same JobId and number its rows alike: the
   * Identifier must fit, too.
   */
  #rowsNamed(key: number, { RequestId: name, Identifier: identifier }: Outcome): readonly NamedRow[] {
    if (name === undefined) return [];
    const numbered = parseRequestId(name);
    const raw = numbered && this.#sql.row.get(key, numbered.Row, identifier ?? null);
    if (numbered !== undefined && raw !== undefined)
      return [{ row: numbered.Row, raw, attempt: numbered.try }];
    if (identifier === undefined) return [];
    // Without a try in its name, an outcome is of the present one: its message's id tells which row it is of.
    const named = this.#sql.named.all(key, name, identifier);
    return named.map((one) => ({ row: Number(one.row), raw: one, attempt: Number(one.try) }));
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
 * Whether an outcome is of a message that this ledger sent for the row. Whoever may send to the update queue can name any row, so
 * the message's id decides.
 */
function hasMessage(
  { message_ids: ids }: Raw,
  { MessageId, OriginalMessageId = MessageId }: Outcome,
): boolean {
  const known = String(ids).split(' ');
  return known.includes(MessageId) || known.includes(OriginalMessageId);
}

/**
 * A process that was killed after a send never learnt the message's id: then an outcome with everything that the row's own update
 * has counts as well, if the row was ever about to be sent.
 */
function hasValues({ raw: row, attempt }: NamedRow, outcome: Outcome, { issuedAt }: KnownJob): boolean {
  return (
    Number(row.sends) > 0 &&
    attempt <= Number(row.try) &&
    outcome.Identifier !== undefined &&
    outcome.IssuedAt === (row.row_issued_at ?? issuedAt) &&
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
