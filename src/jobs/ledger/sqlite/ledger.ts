/**
 * The ledger in a SQLite file of STATE_DIR. `node:sqlite` is synchronous: each method has done its work when it returns.
 * If another process has the file locked, the work is repeated as a whole later, while everything else goes on.
 */
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
import { LedgerReader, type ReadStatement, readStatements } from '../shared/reader.ts';
import { toJob } from '../shared/records.ts';
import { indexedStatements } from '../shared/row-pages.ts';
import { enqueueLine } from '../shared/steering.ts';
import { enterAll, importedLine, recordsOf, takingOver } from '../shared/transfer.ts';
import type { ImportEnd, ImportOptions, TransferBatch } from '../transfer.ts';
import type { Database, Statement } from './database.ts';
import { type FileContext, ledgerPath, type OpenFile, openLedgerFile } from './file.ts';
import { FileStore } from './files.ts';
import { SqliteLease } from './lease.ts';
import { isSendingLocked, lockedNow, lockedSoon } from './lock.ts';
import { OutcomeStore } from './outcomes.ts';
import { type ChangeOwn, changeOwnIn } from './own.ts';
import { pruneAudit, pruneJob, pruneOutcomes } from './pruning.ts';
import { Steering } from './steering.ts';
import { entryOf } from './transfer.ts';

const statements = {
  ...readStatements,
  // Left to itself, SQLite would scan all rows of the job.
  ...indexedStatements((index) => `INDEXED BY ${index}`),
  // A job known only by its outcomes gets its plan; a job that has a plan keeps it.
  begin: `INSERT INTO jobs (job_id, path, source, digest, rows, left_out, undoes, issued_at, state_since, state_who,
      created_at, updated_at)
    VALUES (:jobId, :path, :source, :digest, :rows, :leftOut, :undoes, :issuedAt, :now, :who, :now, :now)
    ON CONFLICT (job_id) DO UPDATE SET path = :path, source = :source, digest = :digest, rows = :rows,
      left_out = :leftOut, undoes = :undoes, issued_at = :issuedAt, state_since = :now, state_who = :who, updated_at = :now
    WHERE digest IS NULL`,
  lastRow: `SELECT max(ifnull((SELECT max(row) FROM rows WHERE job = :job), 0),
    ifnull((SELECT max(row) FROM left_out WHERE job = :job), 0)) AS last`,
  enterRow: `INSERT INTO rows (job, row, identifier, description, configuration, former) VALUES (?, ?, ?, ?, ?, ?)`,
  enterLeftOut: `INSERT INTO left_out (job, row, state, identifier, description, configuration, reason)
    VALUES (?, ?, ?, ?, ?, ?, ?)`,
  complete: `UPDATE jobs SET complete = 1, updated_at = ?,
    rows = (SELECT count(*) FROM rows WHERE job = jobs.key) WHERE key = ?`,
  reissue: 'UPDATE jobs SET issued_at = ?, updated_at = ? WHERE key = ?',
  jobOfKey: 'SELECT job_id, digest, rows, is_copy FROM jobs WHERE key = ?',
  unmatchedTallies: `SELECT state, coalesce(json_extract(error, '$.name'), reason, '') AS cause, count(*) AS rows
    FROM parked WHERE job = :job AND row IS NULL GROUP BY 1, 2`,
} as const;

/**
 * Opens the ledger of `stateDir`.
 * @throws LedgerError, as does every method of the ledger: a sentence with the file's path and what to do.
 */
export async function openLedger(stateDir: string, context: FileContext, use: LedgerUse): Promise<Ledger> {
  const file = await openLedgerFile(stateDir, use, context);
  try {
    return await file.db.whenFree(() => new SqliteLedger(file, stateDir, context.clock.wall));
  } catch (error) {
    file.db.close();
    throw error;
  }
}

class SqliteLedger extends LedgerReader implements Ledger {
  readonly place: string;
  readonly setting = 'STATE_DIR';
  readonly access: LedgerAccess;
  readonly #db: Database;
  readonly #stateDir: string;
  readonly #now: () => number;
  readonly #sql: Readonly<Record<keyof typeof statements, Statement>>;
  readonly #outcomes: OutcomeStore;
  readonly #files: FileStore;
  readonly #steering: Steering;
  readonly #changeOwn: ChangeOwn;

  constructor({ db, access }: OpenFile, stateDir: string, now: () => number) {
    super();
    this.place = ledgerPath(stateDir);
    this.access = access;
    this.#db = db;
    this.#stateDir = stateDir;
    this.#now = now;
    this.#sql = db.prepareAll(statements);
    this.#outcomes = new OutcomeStore(db, now);
    this.#files = new FileStore(db, now);
    this.#steering = new Steering(db, now);
    this.#changeOwn = changeOwnIn(db);
  }

  async close(): Promise<void> {
    this.#db.close();
  }

  async takesChanges(): Promise<void> {
    await this.#db.write(() => {});
  }

  protected override select(statement: ReadStatement, parameters: Readonly<Record<string, string | number>>) {
    return this.#db.whenFree(() => this.#sql[statement].all(parameters));
  }

  async begin({ leftOut, undoes, why, ...job }: NewJob): Promise<PlannedJob> {
    return await this.#db.write(() => {
      const now = this.#now();
      const issuedAt = new Date(now).toISOString();
      const begun = this.#sql.begin.run({
        ...job,
        undoes: undoes ?? null,
        leftOut: JSON.stringify(leftOut),
        issuedAt,
        now,
      });
      const { jobId: subject, who, path, digest, rows } = job;
      const detail = { path, digest, rows };
      if (begun > 0) this.#steering.addAudit({ who, what: 'begin', subject, why, detail });
      return toJob(this.#sql.job.get({ jobId: subject }) ?? {}) as PlannedJob;
    });
  }

  async beginFile(file: NewFile): Promise<EnqueuedFile> {
    return await this.#db.write(() => {
      const { isNew, ...begun } = this.#files.begin(file);
      if (isNew) this.#steering.addAudit(enqueueLine(file));
      return begun;
    });
  }

  async completeFile(key: number, digest: string): Promise<void> {
    await this.#changeOwn(key, () => {
      if (this.#files.complete(key, digest)) this.#sql.complete.run(this.#now(), key);
    });
  }

  override async lastRow(key: number): Promise<number> {
    return await this.#db.whenFree(() => Number(this.#sql.lastRow.get({ job: key })?.last ?? 0));
  }

  async enter(key: number, rows: readonly PlanRow[]): Promise<void> {
    await this.#changeOwn(key, () => {
      for (const row of rows) {
        const { Row, Identifier = null, Description = null, TaskConfigurationId = null } = row;
        if ('LeftOut' in row) {
          const { LeftOut, Reason = null } = row;
          this.#sql.enterLeftOut.run(key, Row, LeftOut, Identifier, Description, TaskConfigurationId, Reason);
        } else {
          const former = row.Former === undefined ? null : JSON.stringify(row.Former);
          this.#sql.enterRow.run(key, Row, Identifier, Description, TaskConfigurationId, former);
        }
      }
    });
  }

  async complete(key: number): Promise<void> {
    await this.#changeOwn(key, () => this.#sql.complete.run(this.#now(), key));
  }

  async reissue(key: number, issuedAt: string): Promise<void> {
    await this.#changeOwn(key, () => this.#sql.reissue.run(issuedAt, this.#now(), key));
  }

  async setProgress(key: number, progress: StageProgress, before: StageProgress): Promise<boolean> {
    return await this.#db.write(() => this.#steering.setProgress(key, progress, before));
  }

  async change(key: number, change: StateChange): Promise<boolean> {
    return await this.#db.write(() => this.#steering.change(key, change));
  }

  async setSettings(key: number, change: SettingsChange): Promise<boolean> {
    return await this.#db.write(() => this.#steering.setSettings(key, change));
  }

  async cancelRows(key: number, max: number): Promise<number> {
    return await this.#changeOwn(key, () => this.#steering.cancelRows(key, max));
  }

  async addAudit(line: NewAuditLine): Promise<void> {
    await this.#db.whenFree(() => this.#steering.addAudit(line));
  }

  async audit(max: number, subject?: string, before?: number): Promise<readonly AuditLine[]> {
    return await this.#db.whenFree(() => this.#steering.audit(max, subject, before));
  }

  async lastAudit(subject: string, what: string, orWhat: string): Promise<AuditLine | undefined> {
    return await this.#db.whenFree(() => this.#steering.lastAudit(subject, what, orWhat));
  }

  async addNotice(key: number, notice: NewNotice): Promise<void> {
    await this.#db.write(() => this.#steering.addNotice(key, notice));
  }

  async takeNotices(
    targets: readonly string[],
    max: number,
    hiddenUntil: number,
  ): Promise<readonly PendingNotice[]> {
    return await this.#db.write(() => this.#steering.takeNotices(targets, max, hiddenUntil));
  }

  async noticeTold(id: number, target: string): Promise<void> {
    await this.#db.write(() => this.#steering.noticeTold(id, target));
  }

  async noticeFailed(id: number, nextAt: number): Promise<void> {
    await this.#db.whenFree(() => this.#steering.noticeFailed(id, Math.ceil(nextAt)));
  }

  async pruneJob(key: number, before: number, max: number): Promise<PruneStep> {
    return await this.#db.write(() => pruneJob(this.#db, key, before, max));
  }

  async pruneAudit(before: number, keep: number, max: number): Promise<number> {
    return await this.#db.whenFree(() => pruneAudit(this.#db, before, keep, max));
  }

  async pruneOutcomes(before: number, max: number): Promise<number> {
    return await this.#db.whenFree(() => pruneOutcomes(this.#db, before, max));
  }

  async *exportJob(key: number, copy = false): AsyncGenerator<TransferBatch, undefined> {
    // Pages of one transaction are as of one moment.
    this.#db.exec('BEGIN');
    try {
      yield* recordsOf(key, copy, (text, values) =>
        this.#db.whenFree(() => this.#db.prepare(text).all(values)),
      );
    } finally {
      this.#db.exec('COMMIT');
    }
  }

  async importJob(batches: () => AsyncIterable<TransferBatch>, options: ImportOptions): Promise<ImportEnd> {
    let unlock: (() => void) | undefined;
    const hold = (key: number): boolean => {
      unlock = lockedNow(this.#stateDir, key);
      return unlock !== undefined;
    };
    const work = async (): Promise<ImportEnd> => {
      const entry = entryOf(this.#db, hold);
      const entered = await enterAll(batches(), entry, options, this.#now());
      if (!('key' in entered)) return entered.end;
      // For a copy, they belong to the ledger that has the job.
      if (entered.end !== 'copied') this.#outcomes.adoptAll(entered.key);
      if (entered.end === 'take-over') {
        this.#steering.change(entered.key, takingOver(options));
        return 'taken-over';
      }
      entry.finish(entered.key);
      this.#steering.addAudit(importedLine(options, this.#sql.jobOfKey.get(entered.key)));
      return entered.end;
    };
    return await this.#db.longTransaction(work).finally(() => unlock?.());
  }

  async lease(key: number): Promise<Lease | undefined> {
    const unlock = await lockedSoon(this.#db, this.#stateDir, key);
    if (unlock === undefined) return undefined;
    try {
      const parts = { outcomes: this.#outcomes, steering: this.#steering, now: this.#now };
      return await this.#db.whenFree(() => new SqliteLease(this.#db, key, unlock, parts));
    } catch (error) {
      unlock();
      throw error;
    }
  }

  override async isLeased(key: number): Promise<boolean> {
    return isSendingLocked(this.#stateDir, key);
  }

  async end(outcomes: readonly ReceivedOutcome[]): Promise<EndResult> {
    return await this.#db.write(() => this.#outcomes.store(outcomes));
  }
}
