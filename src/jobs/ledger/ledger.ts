/**
 * The ledger of bulk jobs: what was planned, what was sent, how every row ended. The rest of `jobs` knows the database only
 * through this interface.
 *
 * Several processes may use one ledger. Each method is one transaction, unless stated otherwise. Large sets are passed in
 * batches and pages: one call per row would cost one round trip per row.
 *
 * A job that is elsewhere does not change here, except that it comes back, is copied anew or is pruned. Each method that changes a
 * job's rows, or how they are sent, checks that in its own transaction and rejects with JobMoved, unless stated otherwise.
 */
import type { Outcome } from '../../message/outcome.ts';
import type { ChangeRow, LeftOutRow, PlanRow } from '../plan/format.ts';
import type { StageProgress } from '../rules/progress.ts';
import type {
  AuditLine,
  Counts,
  JobRecord,
  JobStanding,
  LeftOutCounts,
  MeasuredRate,
  NewAuditLine,
  NewNotice,
  PendingNotice,
  PlannedJob,
  Retry,
  RunNote,
  SettingsChange,
  StateChange,
} from './job.ts';
import type { LeaseLost } from './lease-lost.ts';
import type { LedgerRow, RowEnd, RowFilter, RowPage, UnmatchedOutcome } from './row.ts';
import type { TaskRecords } from './task.ts';
import type { ImportEnd, ImportOptions, TransferBatch } from './transfer.ts';

/**
 * What a ledger is opened for. `read` accepts a read-only ledger, and treats a missing one as empty. `create` creates a missing
 * ledger and its folder.
 */
export type LedgerUse = 'read' | 'write' | 'create';

/** What is possible with the opened ledger; `none`: it does not exist yet, and reads give nothing. */
export type LedgerAccess = 'read' | 'write' | 'none';

export interface Ledger {
  /** Where the ledger is, for people: the path of its file, or `postgres://host:5432/database`. */
  readonly place: string;
  /** The setting that names the place. */
  readonly setting: 'STATE_DIR' | 'LEDGER_URL';
  readonly access: LedgerAccess;

  close(): Promise<void>;

  /** Resolves when the ledger accepts changes; changes nothing. @throws LedgerBusyError while another process has it locked. */
  takesChanges(): Promise<void>;

  job(jobId: string): Promise<JobRecord | undefined>;
  /** All jobs, most recently changed first. */
  jobs(): Promise<readonly JobRecord[]>;
  /** Jobs with a plan that a sender may have work on: scheduled, running, paused or stopping. In the order of their begin. */
  activeJobs(): Promise<readonly PlannedJob[]>;

  /**
   * Enters a job without its rows, and fixes its IssuedAt. A job that already has a plan is left as it is.
   * @returns the job as the ledger has it. If its digest differs, it is another job of the same name.
   */
  begin(job: NewJob): Promise<PlannedJob>;
  /**
   * Enters a file that `enqueue` is to send, with a line in the audit; the first file also enters the job. A file that is already there,
   * by its digest, is continued. Left as they are: a job that has a plan (the returned job is then not `enqueued`), a job that was
   * cancelled or is elsewhere, and a job whose file `isWhole`.
   */
  beginFile(file: NewFile): Promise<EnqueuedFile>;
  /** Records that all rows of a file were sent. */
  completeFile(key: number, digest: string): Promise<void>;
  /** Number of the last row in the ledger; 0 if there is none. */
  lastRow(key: number): Promise<number>;
  /** Enters rows that follow {@link lastRow}. */
  enter(key: number, rows: readonly PlanRow[]): Promise<void>;
  /** Marks the job as complete: all its rows are in the ledger. */
  complete(key: number): Promise<void>;
  /** Gives the job's updates another IssuedAt from now on (ISO 8601, UTC). */
  reissue(key: number, issuedAt: string): Promise<void>;
  /**
   * Records how far the job is through its stages.
   * @param before the progress that the new one was derived from. @returns false, and records nothing, if it has changed since.
   */
  setProgress(key: number, progress: StageProgress, before: StageProgress): Promise<boolean>;
  /**
   * Changes the job's state as {@link nextState} says, with its line in the audit and its notice. If the job comes to rest and files a
   * report then, the same transaction enters a notice to {@link REPORT_TARGET}, so the report survives a kill.
   * @returns false if the event does not fit the state, or the state no longer has the given `since`.
   */
  change(key: number, change: StateChange): Promise<boolean>;
  /**
   * Changes how the job is sent, with a line in the audit. A running job can be changed, too: its sender follows within a second. The
   * previous settings are read in the same transaction.
   * @returns whether anything changed; if not, nothing is written.
   * @throws what `change` throws.
   */
  setSettings(key: number, change: SettingsChange): Promise<boolean>;
  /**
   * Ends up to `max` planned rows of a job that is being cancelled, as `not-sent`.
   * @returns how many: 0 when none is left, or when the job is not being cancelled.
   */
  cancelRows(key: number, max: number): Promise<number>;

  /** Adds a line to the audit, also for changes to things other than jobs. */
  addAudit(line: NewAuditLine): Promise<void>;
  /** The latest lines, newest first. @param subject only lines about it. @param before only lines older than this seq. */
  audit(max: number, subject?: string, before?: number): Promise<readonly AuditLine[]>;
  /** The latest line about `subject` whose `what` is one of two, however many other lines follow it. */
  lastAudit(subject: string, what: string, orWhat: string): Promise<AuditLine | undefined>;

  /**
   * Takes notices that are due and name one of `targets` that has not had them; oldest first. No other process gets them before
   * `hiddenUntil` (epoch milliseconds). Then they are due again, since the process that took them may have died.
   * @param targets with {@link ANY_TARGET} also takes notices to that target, unless they are older than {@link ANY_TARGET_MS}. From
   * then on such a notice goes to the other `targets`.
   */
  takeNotices(
    targets: readonly string[],
    max: number,
    hiddenUntil: number,
  ): Promise<readonly PendingNotice[]>;
  /** Records that a target received a notice, or refuses it for good. */
  noticeTold(id: number, target: string): Promise<void>;
  /** Records that delivery has failed, and when to try again; epoch milliseconds. */
  noticeFailed(id: number, nextAt: number): Promise<void>;
  /** Enters a notice that belongs to no change of state. */
  addNotice(key: number, notice: NewNotice): Promise<void>;

  /**
   * Deletes `max` rows of a job or, when none is left, the job and everything that names it except the audit: one short transaction.
   * From the first deleted row on, the job is not `complete`; its counts stay until it is gone. Only for a job that has been over since
   * before `before` (epoch milliseconds). The caller has its lease.
   */
  pruneJob(key: number, before: number, max: number): Promise<PruneStep>;
  /** Deletes at most `max` audit lines older than `before`, but none of the latest `keep`. @returns how many. */
  pruneAudit(before: number, keep: number, max: number): Promise<number>;
  /** Deletes at most `max` outcomes that name no job, of updates that ended before `before`. @returns how many. */
  pruneOutcomes(before: number, max: number): Promise<number>;

  /** The right to send the job's rows; undefined while another process has it. */
  lease(key: number): Promise<Lease | undefined>;
  /** Whether a process has the lease. A process with the lease also collects outcomes. */
  isLeased(key: number): Promise<boolean>;

  /**
   * Stores outcomes of all jobs whose plan is in this ledger, and outcomes that name no job. Storing one again changes nothing. Outcomes
   * of other jobs are left to other ledgers, unless they are abandoned; those of a job that is elsewhere are always left. An outcome ends
   * a row only if this ledger sent its message for the row, by the message's present or first id. A sender that is killed never learns
   * the ids: then JobId, RequestId, Identifier, IssuedAt and values must be those of a row that was sent.
   */
  end(outcomes: readonly ReceivedOutcome[]): Promise<EndResult>;

  /**
   * Everything the ledger has about a job, as of one moment, for another ledger to enter. Ask nothing else of this ledger until the
   * iteration ends. A job to be moved is changed to be elsewhere first, so nothing happens to it here during the export or after.
   * @param copy whether the export is only a copy, which is elsewhere in the ledger that enters it.
   */
  exportJob(key: number, copy?: boolean): AsyncIterable<TransferBatch>;
  /**
   * Enters a job that another ledger has exported, with a line in the audit: all of it, or nothing if reading it throws.
   * @param batches may be called more than once, and gives all batches each time.
   * If the job here is elsewhere, the file replaces it, unless the file is older. Nobody can take the job's lease meanwhile. Outcomes that
   * this ledger has stored for a job that was not here end the rows they belong to, unless a copy is entered.
   */
  importJob(batches: () => AsyncIterable<TransferBatch>, options: ImportOptions): Promise<ImportEnd>;

  /** Cheap for a job of any size. */
  count(key: number): Promise<Counts>;
  standing(job: JobRecord): Promise<JobStanding>;
  /** What a list shows of a job: cheap for a job of any size. */
  listed(job: JobRecord): Promise<Pick<JobStanding, 'job' | 'counts' | 'leased'>>;
  /** When its last row was sent, as {@link LedgerRow.sentAt} has it; 0: none was. */
  lastSent(key: number): Promise<number>;
  /** Whether the plan has a former value for any field of any row; without one, nothing can be undone. */
  hasFormer(key: number): Promise<boolean>;
  /** Measured over the latest runs that were long enough; undefined if there are none. */
  measuredRate(): Promise<MeasuredRate | undefined>;
  /** All rows in order. Each page is as of its own reading; the ledger may be written between pages. */
  pages(key: number): AsyncIterable<readonly (LedgerRow | LeftOutRow)[]>;
  /**
   * At most `max` rows after row `after` that match the filter. It uses an index, so its time does not depend on the job's size. A
   * search by Identifier stays quick by limiting the rows it looks at, and may therefore give fewer rows than match.
   */
  rowPage(key: number, filter: RowFilter, after: number, max: number): Promise<RowPage>;
  /** Outcomes of the job that belong to no row; key {@link WITHOUT_JOB}: those that name no job. In pages. */
  unmatched(key: number): AsyncIterable<readonly UnmatchedOutcome[]>;
  /** Rows of all jobs, and outcomes without a row, that name the task: the latest of each, at most `max`. */
  ofTask(identifier: string, max: number): Promise<TaskRecords>;
}

/**
 * The right to send a job's rows, for one process at a time. It ends with the process, however the process ends. If another process
 * has the lease by now, or another ledger the job, methods reject with {@link LeaseLost} and change nothing.
 */
export interface Lease {
  /**
   * Aborts early enough that sends in flight are over before another process can have the lease; send nothing more after it. With the
   * reason {@link LeaseLost}, another process has the lease. Otherwise the lease may be regained, and `lost` is then a new signal.
   */
  readonly lost: AbortSignal;
  /**
   * Plans again the rows that a process was sending when it died. They may be sent twice, which does no harm.
   * @returns how many.
   */
  recover(): Promise<number>;
  /**
   * Marks up to `max` planned rows `sending`: the first ones or, given a random source (uniform in [0, 1)), a sample
   * spread over all of them. @returns them in order, as they were before.
   */
  claim(max: number, random?: () => number): Promise<readonly LedgerRow[]>;
  /**
   * Enters rows of a file and marks them `sending`; of rows that are already there, only the planned ones.
   * @returns the numbers of the rows that it marked: the others were sent before.
   */
  enterSending(rows: readonly EnteredRow[]): Promise<ReadonlySet<number>>;
  /** Records the result of sending claimed rows. A row that has ended meanwhile keeps its end. */
  settle(sendings: Sendings): Promise<void>;
  /** Records how far this run is; the last call counts. One lease covers one run. */
  noteRun(run: RunNote): Promise<void>;
  /** Plans failed rows again, as another try, if the job can go on; stages and rules count from here. @returns how many. */
  retryFailed(retry: Retry): Promise<number>;
  /** Rows without an outcome, in order, in pages; they may be reconciled during the iteration. */
  unended(): AsyncIterable<readonly LedgerRow[]>;
  /** Records what the tasks show about rows without an outcome. A row that has ended meanwhile keeps its end. */
  reconcile(found: Reconciliation): Promise<Record<keyof Reconciliation, number>>;
  /** May be called again. */
  release(): Promise<void>;
}

export interface NewJob {
  readonly jobId: string;
  readonly path: string;
  readonly source: string;
  readonly digest: string;
  /** Rows to change. */
  readonly rows: number;
  readonly leftOut: LeftOutCounts;
  /** The job that this one undoes. */
  readonly undoes?: string;
  /** Who begins it. */
  readonly who: string;
  readonly why?: string | undefined;
}

/** A file that `enqueue` is to send under a job's name. */
export interface NewFile {
  readonly jobId: string;
  readonly path: string;
  readonly source: string;
  /** Digest of its rows. */
  readonly digest: string;
  /** Rows to send. */
  readonly rows: number;
  /** The number of its last row. */
  readonly last: number;
  /** Who sends it. */
  readonly who: string;
  readonly why?: string | undefined;
}

export interface EnqueuedFile {
  readonly job: PlannedJob;
  /** The number of the last row of the files before it. Add it to a row's number in the file to get its number in the job. */
  readonly before: number;
  /** IssuedAt for updates to which the file gives none. */
  readonly issuedAt: string;
  /** All its rows were sent before. */
  readonly isWhole: boolean;
}

/** A row as a file has it. */
export type EnteredRow = LeftOutRow | (ChangeRow & Pick<LedgerRow, 'RequestId' | 'IssuedAt'>);

/** A row that is on the queue, and the SQS id of its message, by which outcomes are matched. */
export interface SentRow {
  readonly row: number;
  readonly messageId: string;
}

/** What became of claimed rows, by row number. Rows in none of the lists stay `sending`. */
export interface Sendings {
  readonly sent: readonly SentRow[];
  /** SQS will never accept them. */
  readonly refused: readonly { readonly row: number; readonly reason: string }[];
  /** Certainly not sent. */
  readonly untouched: readonly number[];
  /** How many rows were sent again because the answer to a request was lost. */
  readonly maybeTwice: number;
}

/** Rows by number. */
export interface Reconciliation {
  /** The task is as the row wants it, so the row ends. */
  readonly applied: readonly number[];
  /** The task is not as the row wants it: the row is planned as another try, and may thus be sent twice. */
  readonly again: readonly number[];
  /** The task does not exist: the row ends. */
  readonly gone: readonly { readonly row: number; readonly error: NonNullable<RowEnd['error']> }[];
}

/** An outcome from the queue. */
export interface ReceivedOutcome {
  readonly outcome: Outcome;
  /** It has been on the queue so long that no other ledger will take it. */
  readonly abandoned?: boolean;
}

export interface EndResult {
  /** Rows whose state this changed, in any job. */
  readonly rows: number;
  /** Outcomes already stored, of an earlier try, or of a row that has ended finally. */
  readonly nothingNew: number;
  /** Outcomes that name a row but belong to no message that this ledger sent for it; they are ignored. */
  readonly foreign: number;
  /** Outcomes of no row of a plan in this ledger. */
  readonly unmatched: number;
  /** Not stored: outcomes of jobs that are not in this ledger, or are elsewhere. */
  readonly left: readonly ReceivedOutcome[];
  /** Jobs that are not in this ledger, for which it stored abandoned outcomes. */
  readonly adopted: ReadonlySet<string>;
}

/** `more`: call again. `gone`: the job no longer exists. `kept`: something has happened to it, or can. */
export type PruneStep = 'more' | 'gone' | 'kept';

/** Target of a notice for the process that files reports. */
export const REPORT_TARGET = 'report';

/** Target of a notice that goes to the targets of the process that takes it first. It is then the only target of the notice. */
export const ANY_TARGET = 'any';
/** How long a notice waits for a process that has targets, in milliseconds: three days. It is deleted with its job. */
export const ANY_TARGET_MS = 3 * 86_400_000;

/** The key of outcomes that name no job. */
export const WITHOUT_JOB = 0;
