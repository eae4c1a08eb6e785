/** The ledger in a PostgreSQL that several machines use. */
import type { PlanRow } from '../../plan/format.ts';
import type { StageProgress } from '../../rules/progress.ts';
import type {
  AuditLine,
  NewAuditLine,
  NewNotice,
  PendingNotice,
  PlannedJob,
  SettingsChange,
  StateChange,
} from '../job.ts';
import type {
  EndResult,
  EnqueuedFile,
  Lease,
  Ledger,
  LedgerAccess,
  LedgerUse,
  NewFile,
  NewJob,
  PruneStep,
  ReceivedOutcome,
} from '../ledger.ts';
import type { LedgerContext } from '../shared/context.ts';
import { LedgerReader, type ReadStatement, readStatements } from '../shared/reader.ts';
import { type Raw, toJob } from '../shared/records.ts';
import { indexedStatements } from '../shared/row-pages.ts';
import { toAuditLine } from '../shared/steering.ts';
import { enterAll, importedLine, recordsOf, tablesInOrder, takingOver } from '../shared/transfer.ts';
import type { ImportEnd, ImportOptions, TransferBatch } from '../transfer.ts';
import { Database, type Transaction } from './database.ts';
import { beginFile, completeFile } from './files.ts';
import { type Holder, isLeased, Leases } from './holding.ts';
import { PostgresLease } from './lease.ts';
import { lockOwnJob } from './lock.ts';
import { adoptAllParked, storeOutcomes } from './outcomes.ts';
import { prepareSchema } from './prepare.ts';
import { pruneAudit, pruneJob, pruneOutcomes } from './pruning.ts';
import { columnsOf } from './statement.ts';
import {
  addAudit,
  addNotice,
  cancelRows,
  changeJob,
  noticeTold,
  setProgress,
  setSettings,
  steeringStatements,
  takeNotices,
} from './steering.ts';
import { entryOf } from './transfer.ts';

const reading: Readonly<Record<ReadStatement, string>> = {
  ...readStatements,
  ...indexedStatements(() => ''),
  unmatchedTallies: `SELECT state, cause, count(*) AS rows FROM parked WHERE job = :job AND row IS NULL GROUP BY state, cause`,
};

const statements = {
  // A job known only by its outcomes gets its plan; a job that has a plan keeps it.
  begin: `INSERT INTO jobs (job_id, path, source, digest, rows, left_out, undoes, issued_at, state_since, state_who,
      created_at, updated_at)
    VALUES (:jobId, :path, :source, :digest, :rows, :leftOut, :undoes, :issuedAt, :now, :who, :now, :now)
    ON CONFLICT (job_id) DO UPDATE SET path = excluded.path, source = excluded.source, digest = excluded.digest,
      rows = excluded.rows, left_out = excluded.left_out, undoes = excluded.undoes, issued_at = excluded.issued_at,
      state_since = excluded.state_since, state_who = excluded.state_who, updated_at = excluded.updated_at
    WHERE jobs.digest IS NULL`,
  // With `max`, PostgreSQL would read all rows of a job for which it has no statistics.
  lastRow: `SELECT greatest((SELECT row FROM rows WHERE job = :job ORDER BY row DESC LIMIT 1),
    (SELECT row FROM left_out WHERE job = :job ORDER BY row DESC LIMIT 1), 0) AS last`,
  // Existing rows were entered by a process that begins the same job at the same time.
  enterRows: `INSERT INTO rows (job, row, identifier, description, configuration, former)
    SELECT :job::integer, * FROM unnest(:Row::bigint[], :Identifier::text[], :Description::text[], :TaskConfigurationId::text[],
      :Former::text[]) ON CONFLICT (job, row) DO NOTHING`,
  enterLeftOut: `INSERT INTO left_out (job, row, state, identifier, description, configuration, reason)
    SELECT :job::integer, * FROM unnest(:Row::bigint[], :LeftOut::text[], :Identifier::text[], :Description::text[],
      :TaskConfigurationId::text[], :Reason::text[]) ON CONFLICT (job, row) DO NOTHING`,
  complete: `UPDATE jobs SET complete = 1, updated_at = :now, rows = (SELECT count(*) FROM rows WHERE job = :job) WHERE key = :job`,
  reissue: 'UPDATE jobs SET issued_at = :issuedAt, updated_at = :now WHERE key = :job',
  jobOfKey: 'SELECT job_id, digest, rows, is_copy FROM jobs WHERE key = :job',
} as const;

export interface PostgresOptions extends LedgerContext {
  readonly url: string;
}

/**
 * Opens the ledger in the database of `url`.
 * @throws LedgerError, as does every method of the ledger: a sentence with host, port and database, and what to do.
 */
export async function openPostgresLedger(options: PostgresOptions, use: LedgerUse): Promise<Ledger> {
  const db = new Database(options);
  try {
    const access = await prepareSchema(db, use);
    db.opened();
    return new PostgresLedger(db, access, { name: options.holder, clock: options.clock });
  } catch (error) {
    await db.close();
    throw error;
  }
}

class PostgresLedger extends LedgerReader implements Ledger {
  readonly setting = 'LEDGER_URL';
  readonly access: LedgerAccess;
  readonly #db: Database;
  readonly #leases: Leases;
  readonly #now: () => number;

  constructor(db: Database, access: LedgerAccess, holder: Holder) {
    super();
    this.access = access;
    this.#db = db;
    this.#leases = new Leases(db, holder);
    this.#now = holder.clock.wall;
  }

  get place(): string {
    return this.#db.place;
  }

  async close(): Promise<void> {
    await this.#db.close();
  }

  async takesChanges(): Promise<void> {
    await this.#db.transaction(async () => {});
  }

  protected override async select(
    statement: ReadStatement,
    parameters: Readonly<Record<string, string | number>>,
  ): Promise<readonly Raw[]> {
    // A ledger that does not exist is empty.
    return this.access === 'none' ? [] : await this.#db.all(reading[statement], parameters);
  }

  async begin({ leftOut, undoes, why, ...job }: NewJob): Promise<PlannedJob> {
    const now = this.#now();
    const issuedAt = new Date(now).toISOString();
    return await this.#db.transaction(async (transaction) => {
      const values = { ...job, undoes: undoes ?? null, leftOut: JSON.stringify(leftOut), issuedAt, now };
      const { jobId: subject, who, path, digest, rows } = job;
      const detail = { path, digest, rows };
      if ((await transaction.run(statements.begin, values)) > 0)
        await addAudit(transaction, { who, what: 'begin', subject, why, detail }, now);
      const [raw = {}] = await transaction.all(readStatements.job, { jobId: job.jobId });
      return toJob(raw) as PlannedJob;
    });
  }

  async beginFile(file: NewFile): Promise<EnqueuedFile> {
    const now = this.#now();
    return await this.#db.transaction((transaction) => beginFile(transaction, file, now));
  }

  async completeFile(key: number, digest: string): Promise<void> {
    await this.#changeOwn(key, async (transaction) => {
      if (await completeFile(transaction, key, digest))
        await transaction.run(statements.complete, { job: key, now: this.#now() });
    });
  }

  override async lastRow(key: number): Promise<number> {
    return Number((await this.#db.all(statements.lastRow, { job: key }))[0]?.last ?? 0);
  }

  async enter(key: number, rows: readonly PlanRow[]): Promise<void> {
    const leftOut = rows.filter((row) => 'LeftOut' in row);
    const changes = rows.flatMap((row) =>
      'LeftOut' in row ? [] : [{ ...row, Former: row.Former && JSON.stringify(row.Former) }],
    );
    const change = ['Row', 'Identifier', 'Description', 'TaskConfigurationId'] as const;
    await this.#changeOwn(key, async (transaction) => {
      if (changes.length > 0) {
        const columns = columnsOf([...change, 'Former'], changes);
        await transaction.run(statements.enterRows, { job: key, ...columns });
      }
      if (leftOut.length > 0) {
        const columns = columnsOf([...change, 'LeftOut', 'Reason'], leftOut);
        await transaction.run(statements.enterLeftOut, { job: key, ...columns });
      }
    });
  }

  async complete(key: number): Promise<void> {
    await this.#changeOwn(key, (one) => one.run(statements.complete, { job: key, now: this.#now() }));
  }

  /** One transaction that changes a job's rows, or how they are sent. @throws JobMoved if another ledger has the job. */
  async #changeOwn<T>(key: number, work: (transaction: Transaction) => Promise<T>): Promise<T> {
    return await this.#db.transaction(async (transaction) => {
      await lockOwnJob(transaction, key);
      return await work(transaction);
    });
  }

  async #change(text: string, values: Readonly<Record<string, string | number | null>>): Promise<void> {
    await this.#db.transaction((transaction) => transaction.run(text, values));
  }

  async reissue(key: number, issuedAt: string): Promise<void> {
    await this.#changeOwn(key, (one) =>
      one.run(statements.reissue, { job: key, issuedAt, now: this.#now() }),
    );
  }

  async setProgress(key: number, progress: StageProgress, before: StageProgress): Promise<boolean> {
    return await this.#db.transaction((one) => setProgress(one, key, progress, before));
  }

  async change(key: number, change: StateChange): Promise<boolean> {
    return await this.#db.transaction((one) => changeJob(one, key, change, this.#now()));
  }

  async setSettings(key: number, change: SettingsChange): Promise<boolean> {
    return await this.#db.transaction((one) => setSettings(one, key, change, this.#now()));
  }

  async cancelRows(key: number, max: number): Promise<number> {
    return await this.#changeOwn(key, (one) => cancelRows(one, key, max));
  }

  async addAudit(line: NewAuditLine): Promise<void> {
    await this.#db.transaction((one) => addAudit(one, line, this.#now()));
  }

  async audit(
    max: number,
    subject?: string,
    before = Number.MAX_SAFE_INTEGER,
  ): Promise<readonly AuditLine[]> {
    if (this.access === 'none') return [];
    const rows =
      subject === undefined
        ? await this.#db.all(steeringStatements.audit, { before, max })
        : await this.#db.all(steeringStatements.auditOf, { subject, before, max });
    return rows.map(toAuditLine);
  }

  async lastAudit(subject: string, what: string, orWhat: string): Promise<AuditLine | undefined> {
    if (this.access === 'none') return undefined;
    const [row] = await this.#db.all(steeringStatements.lastAudit, { subject, what, orWhat });
    return row && toAuditLine(row);
  }

  async addNotice(key: number, notice: NewNotice): Promise<void> {
    await this.#db.transaction((one) => addNotice(one, key, notice, this.#now()));
  }

  async takeNotices(
    targets: readonly string[],
    max: number,
    hiddenUntil: number,
  ): Promise<readonly PendingNotice[]> {
    return await this.#db.transaction((one) => takeNotices(one, targets, max, hiddenUntil, this.#now()));
  }

  async noticeTold(id: number, target: string): Promise<void> {
    await this.#db.transaction((one) => noticeTold(one, id, target));
  }

  async noticeFailed(id: number, nextAt: number): Promise<void> {
    await this.#change(steeringStatements.noticeFailed, { id, nextAt: Math.ceil(nextAt) });
  }

  async pruneJob(key: number, before: number, max: number): Promise<PruneStep> {
    return await this.#db.transaction((one) => pruneJob(one, key, before, max));
  }

  async pruneAudit(before: number, keep: number, max: number): Promise<number> {
    return await this.#db.transaction((one) => pruneAudit(one, before, keep, max));
  }

  async pruneOutcomes(before: number, max: number): Promise<number> {
    return await this.#db.transaction((one) => pruneOutcomes(one, before, max));
  }

  exportJob(key: number, copy = false): AsyncIterable<TransferBatch> {
    return this.#db.snapshot(tablesInOrder, (reading) =>
      recordsOf(key, copy, (text, values) => reading.all(text, values)),
    );
  }

  async importJob(batches: () => AsyncIterable<TransferBatch>, options: ImportOptions): Promise<ImportEnd> {
    return await this.#db.transaction(async (one) => {
      const entered = await enterAll(batches(), entryOf(one), options, this.#now());
      if (!('key' in entered)) return entered.end;
      // For a copy, they belong to the ledger that has the job.
      if (entered.end !== 'copied') await adoptAllParked(one, entered.key);
      if (entered.end === 'take-over') {
        await changeJob(one, entered.key, takingOver(options), this.#now());
        return 'taken-over';
      }
      const [imported] = await one.all(statements.jobOfKey, { job: entered.key });
      await addAudit(one, importedLine(options, imported), this.#now());
      return entered.end;
    });
  }

  async lease(key: number): Promise<Lease | undefined> {
    const holding = await this.#leases.take(key);
    return holding && new PostgresLease(this.#db, key, holding, this.#now);
  }

  override async isLeased(key: number): Promise<boolean> {
    return this.access !== 'none' && (await isLeased(this.#db, key));
  }

  async end(outcomes: readonly ReceivedOutcome[]): Promise<EndResult> {
    return await this.#db.transaction((transaction) => storeOutcomes(transaction, outcomes, this.#now()));
  }
}
