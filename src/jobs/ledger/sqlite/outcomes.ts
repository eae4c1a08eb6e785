/** Stores outcomes in the ledger, one by one. */
import type { Outcome } from '../../../message/outcome.ts';
import { type EndResult, type ReceivedOutcome, WITHOUT_JOB } from '../ledger.ts';
import {
  type End,
  endOf,
  endOfParked,
  type KnownJob,
  MAX_NAMED,
  MAX_WITHOUT_JOB,
  NAMED_COLUMNS,
  type NamedRow,
  namesOfParked,
  ownOfParked,
  ownRow,
  parkedOf,
  planOf,
  rowsNamed,
  takesEnd,
  takesOutcomes,
  withoutJobKnown,
} from '../shared/matching.ts';
import type { Database, Statement } from './database.ts';

const PAGE_PARKED = 500;

const endRow = `UPDATE rows SET state = :state, cause = :cause, reason = :reason, error = :error,
  attempts = :attempts, at = :at, reconciled = 0 WHERE job = :job AND row = :row`;

const park = `INSERT INTO parked (job, message_id, name, row, identifier, state, reason, error, attempts, at)
  VALUES (:job, :messageId, :name, :row, :identifier, :state, :reason, :error, :attempts, :at)
  ON CONFLICT (job, message_id) DO UPDATE SET state = excluded.state, reason = excluded.reason,
    error = excluded.error, attempts = excluded.attempts, at = excluded.at
  WHERE parked.state NOT IN ('applied', 'superseded')
    AND (excluded.state <> 'dead-lettered' OR parked.at < excluded.at)`;

const statements = {
  job: 'SELECT key, issued_at, digest, state FROM jobs WHERE job_id = ?',
  addForeign:
    'INSERT INTO jobs (job_id, created_at, updated_at) VALUES (:jobId, :now, :now) RETURNING key, issued_at',
  touch: 'UPDATE jobs SET updated_at = ? WHERE key = ?',
  row: `SELECT ${NAMED_COLUMNS} FROM rows WHERE job = ? AND row = ?`,
  // Rows whose message id is unknown come first: their sender was killed.
  named: `SELECT ${NAMED_COLUMNS} FROM rows INDEXED BY rows_named
    WHERE job = ? AND request_id = ? AND identifier = ? ORDER BY message_ids <> '' LIMIT ${MAX_NAMED}`,
  endRow,
  park,
  parkedPage: `SELECT * FROM parked WHERE job = ? AND seq > ? ORDER BY seq LIMIT ${PAGE_PARKED}`,
  parkedOfRow: 'SELECT * FROM parked WHERE job = ? AND row = ? AND message_id = ?',
  unpark: 'DELETE FROM parked WHERE seq = ?',
  trimParked: 'DELETE FROM parked WHERE job = 0 AND seq <= (SELECT max(seq) FROM parked WHERE job = 0) - ?',
} as const;

/** Opens no transaction: the caller does. */
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
      if (job.plan === 'unknown' && outcome.JobId !== undefined) adopted.add(outcome.JobId);
      touched.add(job.key);
      counts[this.#storeOne(job, outcome)]++;
    }
    for (const key of touched) this.#sql.touch.run(this.#now(), key);
    if (touched.has(WITHOUT_JOB)) this.#sql.trimParked.run(MAX_WITHOUT_JOB);
    return { ...counts, left, adopted };
  }

  /** Ends a row by an outcome that arrived before its message id was known, if there is one. */
  adopt(job: number, row: number, messageId: string): void {
    const parked = this.#sql.parkedOfRow.get(job, row, messageId);
    const raw = parked && this.#sql.row.get(job, row);
    if (parked === undefined || raw === undefined) return;
    const { attempt, ...end } = endOfParked(parked);
    this.#endRow(job, { row, raw, attempt }, end);
    this.#sql.unpark.run(Number(parked.seq));
  }

  /** Ends rows by outcomes that arrived before the job was entered. */
  adoptAll(job: number): void {
    for (let after = 0; ; ) {
      const page = this.#sql.parkedPage.all(job, after);
      if (page.length === 0) return;
      for (const parked of page) {
        const found = ownOfParked(this.#rowsNamed(job, namesOfParked(parked)), parked);
        if (found === undefined) continue;
        this.#endRow(job, found.own, found.end);
        this.#sql.unpark.run(Number(parked.seq));
      }
      after = Number(page.at(-1)?.seq);
    }
  }

  #rowsNamed(job: number, names: Parameters<typeof rowsNamed>[0]): readonly NamedRow[] {
    return rowsNamed(
      names,
      (row) => this.#unnamedRow(job, row),
      (name, identifier) => this.#sql.named.all(job, name, identifier),
    );
  }

  #storeOne(job: KnownJob, outcome: Outcome): 'rows' | 'nothingNew' | 'foreign' | 'unmatched' {
    const { key } = job;
    const rows = key === WITHOUT_JOB ? [] : this.#rowsNamed(key, outcome);
    const own = ownRow(rows, outcome, job);
    const end = endOf(outcome);
    if (own !== undefined) return this.#endRow(key, own, end) ? 'rows' : 'nothingNew';
    const { cause: _, ...kept } = end;
    this.#sql.park.run({ ...kept, ...parkedOf(outcome, job, rows) });
    return rows.length > 0 ? 'foreign' : 'unmatched';
  }

  #unnamedRow(job: number, row: number) {
    const raw = this.#sql.row.get(job, row);
    return raw?.request_id === null ? raw : undefined;
  }

  /** @returns whether the outcome still counted. */
  #endRow(job: number, { row, raw, attempt }: NamedRow, end: End): boolean {
    if (!takesEnd(raw, end, attempt)) return false;
    this.#sql.endRow.run({ ...end, job, row });
    return true;
  }

  /** undefined: the outcome is to be left. */
  #jobOf(jobId: string, abandoned: boolean): KnownJob | undefined {
    const found = this.#sql.job.get(jobId);
    const plan = planOf(found);
    if (!takesOutcomes(plan, abandoned)) return undefined;
    const { key, issued_at: issuedAt } = found ?? this.#sql.addForeign.get({ jobId, now: this.#now() }) ?? {};
    return { key: Number(key), issuedAt, plan };
  }
}
