/** Sends a job's rows, for the process that has its lock. */
import type { Retry, RunNote } from '../job.ts';
import type { EnteredRow, Lease, Reconciliation, Sendings } from '../ledger.ts';
import type { LedgerRow } from '../row.ts';
import { pagesOf } from '../shared/pages.ts';
import { ROW_COLUMNS, toLedgerRow } from '../shared/records.ts';
import { lastSentStatement } from '../shared/row-pages.ts';
import { SendTimes } from '../shared/send-times.ts';
import type { Database, Statement } from './database.ts';
import type { OutcomeStore } from './outcomes.ts';
import { type ChangeOwn, changeOwnIn } from './own.ts';
import type { Steering } from './steering.ts';

/** What it shares with its ledger. */
interface Parts {
  readonly outcomes: OutcomeStore;
  readonly steering: Steering;
  readonly now: () => number;
}

// Left to itself, SQLite would scan all rows of the job each time, however few are open: hence INDEXED BY.
const statements = {
  planned: `SELECT ${ROW_COLUMNS} FROM rows INDEXED BY rows_planned
    WHERE job = ? AND state = 'planned' ORDER BY row LIMIT ?`,
  plannedFrom: `SELECT ${ROW_COLUMNS} FROM rows INDEXED BY rows_planned
    WHERE job = ? AND state = 'planned' AND row >= ? ORDER BY row LIMIT 1`,
  plannedSpan: `SELECT min(row) AS first, max(row) AS last FROM rows INDEXED BY rows_planned
    WHERE job = ? AND state = 'planned'`,
  lastSent: lastSentStatement((index) => `INDEXED BY ${index}`),
  markSending: `UPDATE rows SET state = 'sending', sends = sends + 1, sent_at = ?
    WHERE job = ? AND row = ? AND state = 'planned'`,
  enterSending: `INSERT INTO rows (job, row, identifier, description, configuration, request_id, row_issued_at, state, sends, sent_at)
    VALUES (?, ?, ?, ?, ?, ?, ?, 'sending', 1, ?) ON CONFLICT DO NOTHING`,
  enterLeftOut: `INSERT INTO left_out (job, row, state, identifier, description, configuration, reason)
    VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`,
  // Also for a row that has ended meanwhile: the id matches later outcomes of the same message.
  markSent: `UPDATE rows SET message_ids = ltrim(message_ids || ' ' || ?),
    state = CASE state WHEN 'sending' THEN 'sent' ELSE state END WHERE job = ? AND row = ?`,
  anyParked: 'SELECT 1 FROM parked WHERE job = ? AND row IS NOT NULL LIMIT 1',
  markPlanned: `UPDATE rows SET state = 'planned', sends = sends - 1
    WHERE job = ? AND row = ? AND state = 'sending'`,
  markRefused: `UPDATE rows SET state = 'refused', cause = 'RefusedBySqs', reason = ?, error = ?, attempts = NULL,
    at = ? WHERE job = ? AND row = ? AND state = 'sending'`,
  recover: `UPDATE rows INDEXED BY rows_sending SET state = 'planned'
    WHERE job = ? AND state = 'sending'`,
  addMaybeTwice: 'UPDATE jobs SET maybe_twice = maybe_twice + ? WHERE key = ?',
  retryFailed: `UPDATE rows SET state = 'planned', cause = '', try = try + 1
    WHERE job = ? AND state IN ('dead-lettered', 'refused')`,
  unended: `SELECT ${ROW_COLUMNS} FROM rows INDEXED BY rows_sent
    WHERE job = :job AND state = 'sent' AND row > :after ORDER BY row LIMIT :max`,
  reconcileApplied: `UPDATE rows SET state = 'applied', cause = '', reason = NULL, error = NULL, attempts = NULL,
    at = ?, reconciled = 1 WHERE job = ? AND row = ? AND state = 'sent'`,
  reconcileGone: `UPDATE rows SET state = 'dead-lettered', cause = ?, reason = 'Rejected', error = ?, attempts = NULL,
    at = ?, reconciled = 1 WHERE job = ? AND row = ? AND state = 'sent'`,
  beginRun: 'INSERT INTO runs (job, started_at, ms, rows) VALUES (?, ?, ?, ?) RETURNING seq',
  noteRun: 'UPDATE runs SET ms = ?, rows = ? WHERE seq = ?',
  sendAgain: `UPDATE rows SET state = 'planned', try = try + 1 WHERE job = ? AND row = ? AND state = 'sent'`,
} as const;

export class SqliteLease implements Lease {
  /** Never aborts: the operating system keeps the lock for as long as the process lives. */
  readonly lost = new AbortController().signal;
  readonly #db: Database;
  readonly #changeOwn: ChangeOwn;
  readonly #key: number;
  readonly #unlock: () => void;
  readonly #now: () => number;
  readonly #sql: Readonly<Record<keyof typeof statements, Statement>>;
  readonly #outcomes: OutcomeStore;
  readonly #steering: Steering;
  readonly #times: SendTimes;
  /** The run's number in the ledger, once it is noted. */
  #run: number | undefined;

  constructor(db: Database, key: number, unlock: () => void, { outcomes, steering, now }: Parts) {
    this.#outcomes = outcomes;
    this.#steering = steering;
    this.#db = db;
    this.#changeOwn = changeOwnIn(db);
    this.#key = key;
    this.#unlock = unlock;
    this.#now = now;
    this.#times = new SendTimes(now);
    this.#sql = db.prepareAll(statements);
  }

  async recover(): Promise<number> {
    return await this.#changeOwn(this.#key, () => {
      const rows = this.#sql.recover.run(this.#key);
      this.#sql.addMaybeTwice.run(rows, this.#key);
      return rows;
    });
  }

  async claim(max: number, random?: () => number): Promise<readonly LedgerRow[]> {
    return await this.#changeOwn(this.#key, () => {
      const now = this.#sendTime();
      const sample = random === undefined ? [] : this.#claimSample(max, random, now);
      const others = this.#sql.planned.all(this.#key, max - sample.length).map(toLedgerRow);
      this.#markSending(others, now);
      return [...sample, ...others].sort((a, b) => a.Row - b.Row);
    });
  }

  /** One row at a random place in each of `max` equal parts; fewer rows if parts have none. */
  #claimSample(max: number, random: () => number, now: number): LedgerRow[] {
    const span = this.#sql.plannedSpan.get(this.#key);
    const first = Number(span?.first ?? 0);
    const part = (Number(span?.last ?? 0) - first + 1) / max;
    const sample: LedgerRow[] = [];
    for (let i = 0; i < max; i++) {
      const raw = this.#sql.plannedFrom.get(this.#key, first + Math.floor((i + random()) * part));
      if (raw === undefined) continue;
      const row = toLedgerRow(raw);
      this.#markSending([row], now);
      sample.push(row);
    }
    return sample;
  }

  #sendTime(): number {
    return this.#times.next(this.#times.isNew ? this.#sql.lastSent.get({ job: this.#key })?.at : undefined);
  }

  #markSending(rows: readonly LedgerRow[], now: number): void {
    for (const { Row } of rows) this.#sql.markSending.run(now, this.#key, Row);
  }

  async enterSending(rows: readonly EnteredRow[]): Promise<ReadonlySet<number>> {
    return await this.#changeOwn(this.#key, () => {
      const now = this.#sendTime();
      const marked = new Set<number>();
      for (const row of rows) {
        const { Row, Identifier = null, Description = null, TaskConfigurationId = null } = row;
        const change = [Identifier, Description, TaskConfigurationId] as const;
        if ('LeftOut' in row) {
          this.#sql.enterLeftOut.run(this.#key, Row, row.LeftOut, ...change, row.Reason ?? null);
          continue;
        }
        const { RequestId = null, IssuedAt = null } = row;
        if (
          this.#sql.enterSending.run(this.#key, Row, ...change, RequestId, IssuedAt, now) > 0 ||
          this.#sql.markSending.run(now, this.#key, Row) > 0
        )
          marked.add(Row);
      }
      return marked;
    });
  }

  async settle({ sent, refused, untouched, maybeTwice }: Sendings): Promise<void> {
    await this.#changeOwn(this.#key, () => {
      for (const { row, messageId } of sent) this.#sql.markSent.run(messageId, this.#key, row);
      if (this.#sql.anyParked.get(this.#key) !== undefined)
        for (const { row, messageId } of sent) this.#outcomes.adopt(this.#key, row, messageId);
      for (const row of untouched) this.#sql.markPlanned.run(this.#key, row);
      const at = new Date(this.#now()).toISOString();
      for (const { row, reason } of refused) {
        const error = JSON.stringify({ name: 'RefusedBySqs', message: reason });
        this.#sql.markRefused.run('Not taken by SQS', error, at, this.#key, row);
      }
      if (maybeTwice > 0) this.#sql.addMaybeTwice.run(maybeTwice, this.#key);
    });
  }

  async noteRun({ startedAt, ms, rows }: RunNote): Promise<void> {
    const whole = Math.round(ms);
    await this.#db.whenFree(() => {
      if (this.#run !== undefined) this.#sql.noteRun.run(whole, rows, this.#run);
      else this.#run = Number(this.#sql.beginRun.get(this.#key, startedAt, whole, rows)?.seq);
    });
  }

  async retryFailed(retry: Retry): Promise<number> {
    return await this.#changeOwn(this.#key, () => {
      const rows = this.#sql.retryFailed.run(this.#key);
      this.#steering.retry(this.#key, retry);
      return rows;
    });
  }

  unended(): AsyncIterable<readonly LedgerRow[]> {
    const page = (after: number, max: number) =>
      this.#db.whenFree(() => this.#sql.unended.all({ job: this.#key, after, max }));
    return pagesOf(page, 'row', toLedgerRow);
  }

  async reconcile(found: Reconciliation): Promise<Record<keyof Reconciliation, number>> {
    return await this.#changeOwn(this.#key, () => {
      const at = new Date(this.#now()).toISOString();
      let [applied, again, gone] = [0, 0, 0];
      for (const row of found.applied) applied += this.#sql.reconcileApplied.run(at, this.#key, row);
      for (const row of found.again) again += this.#sql.sendAgain.run(this.#key, row);
      for (const { row, error } of found.gone) {
        const text = JSON.stringify(error);
        gone += this.#sql.reconcileGone.run(error.name, text, at, this.#key, row);
      }
      this.#sql.addMaybeTwice.run(again, this.#key);
      return { applied, again, gone };
    });
  }

  async release(): Promise<void> {
    this.#unlock();
  }
}
