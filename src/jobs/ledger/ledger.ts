/** The ledger of bulk jobs: what was planned, what was sent, how every row ended. Synchronous, as SQLite is. */

import type { PlanLine } from '../plan/types.ts';
import { type DatabaseSync, lockSending, openLedgerFile, transaction } from './file.ts';
import { type Arrival, OutcomeStore, type StoreResult } from './outcome-store.ts';
import { type Raw, ROW_COLUMNS, toCounts, toJob, toLeftOutRecord, toParked, toRow } from './records.ts';
import { prepareStatements, type Statements } from './statements.ts';
import type {
  Counting,
  Counts,
  Guards,
  JobRecord,
  LedgerRow,
  LeftOutCounts,
  LeftOutRecord,
  ParkedOutcome,
  RowEnd,
} from './types.ts';

export interface NewJob {
  readonly jobId: string;
  readonly path: string;
  readonly source: string;
  readonly digest: string;
  readonly leftOut: LeftOutCounts;
}

/** A row that SQS will never take, and why. */
export interface RefusedBySqs {
  readonly row: number;
  readonly reason: string;
}

/** What became of rows that {@link Ledger.claim} gave out. Rows in none of the three stay `sending`. */
export interface Sendings {
  readonly sent: readonly number[];
  readonly refused: readonly RefusedBySqs[];
  /** Certainly not sent. */
  readonly untouched: readonly number[];
}

/** Opens the ledger of `stateDir`. @throws EnqueueFailure when that is not possible. */
export function openLedger(stateDir: string, now: () => number): Ledger {
  return new Ledger(openLedgerFile(stateDir), stateDir, now);
}

/** Several processes may have it open; each method is one transaction. */
export class Ledger {
  readonly #db: DatabaseSync;
  readonly #stateDir: string;
  readonly #now: () => number;
  readonly #sql: Statements;
  readonly #outcomes: OutcomeStore;

  constructor(db: DatabaseSync, stateDir: string, now: () => number) {
    this.#db = db;
    this.#stateDir = stateDir;
    this.#now = now;
    this.#sql = prepareStatements(db);
    this.#outcomes = new OutcomeStore(db, now);
  }

  close(): void {
    this.#db.close();
  }

  /** The right to send this job's rows; undefined when another process has it. */
  lock(key: number): (() => void) | undefined {
    return lockSending(this.#stateDir, key);
  }

  /** Whether a process is sending and following this job at the moment: it hears the job's outcomes, too. */
  isFollowed(key: number): boolean {
    const unlock = this.lock(key);
    unlock?.();
    return unlock === undefined;
  }

  job(jobId: string): JobRecord | undefined {
    const raw = this.#sql.job.get(jobId);
    return raw === undefined ? undefined : toJob(raw);
  }

  /** All jobs, the one that something happened to last first. */
  *jobs(): Generator<JobRecord, undefined> {
    for (const raw of this.#sql.jobs.iterate()) yield toJob(raw);
  }

  /**
   * Enters a job, its rows still to come; fixes its IssuedAt. One that is there with the same digest is left as it is.
   * @returns the job as it is in the ledger, whose digest may be another: then it is another job of that name.
   */
  addJob({ leftOut, ...job }: NewJob): JobRecord {
    return transaction(this.#db, () => {
      const issuedAt = new Date(this.#now()).toISOString();
      const now = this.#now();
      this.#sql.addJob.run({ ...job, leftOut: JSON.stringify(leftOut), issuedAt, now });
      return toJob(this.#sql.job.get(job.jobId) ?? {});
    });
  }

  /** The last row that is in the ledger, one that was left out included; 0 when none is. */
  lastRow(key: number): number {
    return Number(this.#sql.lastRow.get({ job: key })?.last ?? 0);
  }

  addRows(key: number, rows: readonly PlanLine[]): void {
    transaction(this.#db, () => {
      for (const row of rows) {
        const { Row, Identifier = null, Description = null, TaskConfigurationId = null } = row;
        if ('LeftOut' in row) {
          const { LeftOut, Reason = null } = row;
          this.#sql.addLeftOut.run(key, Row, LeftOut, Identifier, Description, TaskConfigurationId, Reason);
          continue;
        }
        const former = row.Former === undefined ? null : JSON.stringify(row.Former);
        this.#sql.addRow.run(key, Row, Identifier, Description, TaskConfigurationId, former);
      }
    });
  }

  /** All rows are in. */
  completeJob(key: number): void {
    this.#sql.completeJob.run(this.#now(), key);
  }

  setGuards(key: number, guards: Guards): void {
    this.#sql.setGuards.run(JSON.stringify(guards), key);
  }

  setCounting(key: number, counting: Counting): void {
    this.#sql.setCounting.run(JSON.stringify(counting), key);
  }

  /** Why sending stopped before the end; undefined while it goes on. */
  setStopped(key: number, reason: string | undefined): void {
    this.#sql.setStopped.run(reason ?? null, this.#now(), key);
  }

  /** Marks up to `max` planned rows `sending`, in order, and gives them out. */
  claim(key: number, max: number): LedgerRow[] {
    return transaction(this.#db, () => {
      const rows = this.#sql.planned.all(key, max).map(toRow);
      const now = this.#now();
      for (const { row } of rows) this.#sql.markSending.run(now, key, row);
      return rows;
    });
  }

  /** Takes down what became of claimed rows. A row that has ended meanwhile stays as it ended. */
  recordSendings(key: number, { sent, refused, untouched }: Sendings): void {
    transaction(this.#db, () => {
      for (const row of sent) this.#sql.markSent.run(key, row);
      for (const row of untouched) this.#sql.markPlanned.run(key, row);
      const at = new Date(this.#now()).toISOString();
      for (const { row, reason } of refused) {
        const error = JSON.stringify({ name: 'RefusedBySqs', message: reason });
        this.#sql.markRefused.run('Not taken by SQS', error, at, key, row);
      }
    });
  }

  /**
   * Plans the rows anew that were being sent when a process died: they may be sent twice, which does no harm.
   * @returns how many.
   */
  replanSending(key: number): number {
    return transaction(this.#db, () => {
      const rows = Number(this.#sql.replanSending.run(key).changes);
      this.#sql.addMaybeTwice.run(rows, key);
      return rows;
    });
  }

  addMaybeTwice(key: number, rows: number): void {
    if (rows > 0) this.#sql.addMaybeTwice.run(rows, key);
  }

  /** Plans failed rows anew, as another try. @returns how many. */
  retryFailed(key: number): number {
    return transaction(this.#db, () => Number(this.#sql.retryFailed.run(key).changes));
  }

  /** Rows sent whose outcome has not come, in order, from the one after `after`. */
  unended(key: number, after: number, max: number): LedgerRow[] {
    return this.#sql.unended.all(key, after, max).map(toRow);
  }

  /**
   * Takes down what the tasks themselves told about rows without an outcome: the `applied` and the `gone` ones end,
   * the `again` ones are planned as another try, and may so have been sent twice. A row that has ended meanwhile stays as it ended.
   * @returns how many rows this changed.
   */
  reconcile(
    key: number,
    found: {
      readonly applied: readonly number[];
      readonly again: readonly number[];
      readonly gone: readonly { readonly row: number; readonly error: NonNullable<RowEnd['error']> }[];
    },
  ): { applied: number; again: number; gone: number } {
    return transaction(this.#db, () => {
      const at = new Date(this.#now()).toISOString();
      const changed = (results: readonly { changes: number | bigint }[]): number =>
        results.reduce((sum, { changes }) => sum + Number(changes), 0);
      const again = changed(found.again.map((row) => this.#sql.sendAgain.run(key, row)));
      this.addMaybeTwice(key, again);
      return {
        applied: changed(found.applied.map((row) => this.#sql.reconcileApplied.run(at, key, row))),
        again,
        gone: changed(
          found.gone.map(({ row, error }) =>
            this.#sql.reconcileGone.run(error.name, JSON.stringify(error), at, key, row),
          ),
        ),
      };
    });
  }

  counts(key: number): Counts {
    return toCounts(this.#sql.tallies.all(key));
  }

  /** Rows whose end was read from the task. */
  reconciled(key: number): number {
    return Number(this.#sql.reconciled.get(key)?.rows ?? 0);
  }

  /** All rows to change of a job, in order, as they are at this moment. The ledger may not be written meanwhile. */
  *rows(key: number): Generator<LedgerRow, undefined> {
    const rows = this.#db.prepare(`SELECT ${ROW_COLUMNS} FROM rows WHERE job = ? ORDER BY row`);
    for (const raw of rows.iterate(key)) yield toRow(raw as Raw);
  }

  /** The rows that the job's plan left out, in order. As with `rows`. */
  *leftOut(key: number): Generator<LeftOutRecord, undefined> {
    const rows = this.#db.prepare('SELECT * FROM left_out WHERE job = ? ORDER BY row');
    for (const raw of rows.iterate(key)) yield toLeftOutRecord(raw as Raw);
  }

  /** Outcomes under a job's name that belong to none of its rows; of a foreign job, all. Key 0: those without a job. */
  *parked(key: number): Generator<ParkedOutcome, undefined> {
    for (const raw of this.#db.prepare('SELECT * FROM parked WHERE job = ? ORDER BY seq').iterate(key))
      yield toParked(raw as Raw);
  }

  parkedCounts(key: number): Counts {
    return toCounts(this.#sql.parkedTallies.all(key));
  }

  /** Messages on the outcome queue that were none, as far as they are kept. */
  strays(): number {
    return Number(this.#sql.strays.get()?.count ?? 0);
  }

  /** Stores outcomes in one transaction; storing one again changes nothing. */
  store(arrivals: readonly Arrival[]): StoreResult {
    return transaction(this.#db, () => this.#outcomes.store(arrivals));
  }
}
