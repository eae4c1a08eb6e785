/**
 * The ledger of bulk jobs: what was planned, what was sent, how every row ended. This interface is all that the rest of
 * `jobs` knows of the database behind it.
 *
 * Several processes may use one ledger. Each method is one transaction, unless it says otherwise. Large sets pass in
 * batches and pages: a call for each row would cost a round trip each.
 *
 * Of a job that is elsewhere nothing changes here but that it comes back, is copied anew or pruned: each method that changes a job's
 * rows, or what they are sent by, looks at that in its own transaction. It rejects with JobMoved then, unless it says otherwise.
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
 * What a ledger is opened for: `read` takes one that may only be read, and for one that is not there an empty one; `create` makes
 * it, with its folder, when it is not there.
 */
export type LedgerUse = 'read' | 'write' | 'create';

/** What may be done with the ledger that was opened; `none`: it is not there yet, and what was opened is empty. */
export type LedgerAccess = 'read' | 'write' | 'none';

export interface Ledger {
  /** Where it is, as people find it: the path of its file, or `postgres://host:5432/database`. */
  readonly place: string;
  /** The setting that says where it is. */
  readonly setting: 'STATE_DIR' | 'LEDGER_URL';
  readonly access: LedgerAccess;

  close(): Promise<void>;

  /** Resolves when it takes changes, and changes nothing. @throws LedgerBusyError while another process has it locked. */
  takesChanges(): Promise<void>;

  job(jobId: string): Promise<JobRecord | undefined>;
  /** All jobs, the last changed first. */
  jobs(): Promise<readonly JobRecord[]>;
  /** Those with a plan that a sender may have work with: scheduled, running, paused or stopping. In the order of their begin. */
  activeJobs(): Promise<readonly PlannedJob[]>;

  /**
   * Enters a job without its rows, and fixes its IssuedAt. A job that has a plan is left as it is.
   * @returns the job as the ledger has it; with another digest it is another job of that name.
   */
  begin(job: NewJob): Promise<PlannedJob>;
  /**
   * Enters a file that `enqueue` is to send, and its job when it is the first one, with a line in the audit; a file that is there already, by its
   * digest, goes on. A job that has a plan is left as it is: then the job that is returned is not `enqueued`. So is one that was
   * cancelled, or that is elsewhere, and one whose file `isWhole`.
   */
  beginFile(file: NewFile): Promise<EnqueuedFile>;
  /** Marks a file as sent whole. */
  completeFile(key: number, digest: string): Promise<void>;
  /** Number of the last row that is in the ledger; 0 when there is none. */
  lastRow(key: number): Promise<number>;
  /** Enters rows that follow {@link lastRow}. */
  enter(key: number, rows: readonly PlanRow[]): Promise<void>;
  /** Marks the job as complete: all rows are in. */
  complete(key: number): Promise<void>;
  /** Gives the job's updates another IssuedAt from now on (ISO 8601, UTC). */
  reissue(key: number, issuedAt: string): Promise<void>;
  /**
   * Records how far the job is through its stages.
   * @param before what that follows from. @returns whether it did: not where another process has changed it meanwhile.
   */
  setProgress(key: number, progress: StageProgress, before: StageProgress): Promise<boolean>;
  /**
   * Changes the job's state as {@link nextState} says, with its line in the audit and its notice. One that comes to rest, and files its
   * report then, enters that as a notice to {@link REPORT_TARGET}, in the same transaction: so no kill loses it.
   * @returns whether it did: not where the event does not fit the state, or the state is not `since` any more.
   */
  change(key: number, change: StateChange): Promise<boolean>;
  /**
   * Changes how the job is sent, with a line in the audit: in a running job, too, whose sender follows within a second. What it is
   * changed from is read in the same transaction.
   * @returns whether anything is not as it was: if all is, nothing is written.
   * @throws what `change` throws.
   */
  setSettings(key: number, change: SettingsChange): Promise<boolean>;
  /**
   * Ends rows of a job that is being cancelled and were not sent, as `not-sent`; of all that are planned, `max` at most.
   * @returns how many: 0 when no more is left, and where the job is not being cancelled.
   */
  cancelRows(key: number, max: number): Promise<number>;

  /** Adds a line to the audit: for what is done to other things than jobs, too. */
  addAudit(line: NewAuditLine): Promise<void>;
  /** The latest lines, the last first. @param subject only those about it. @param before lines that are older than this seq. */
  audit(max: number, subject?: string, before?: number): Promise<readonly AuditLine[]>;
  /** The latest line about `subject` whose `what` is one of two, however many others follow it. */
  lastAudit(subject: string, what: string, orWhat: string): Promise<AuditLine | undefined>;

  /**
   * Takes notices to be told by now, that name one of `targets` which has not had them; the oldest first. Nobody else gets them
   * before `hiddenUntil` (epoch milliseconds); then they are due again, since whoever took them may have died.
   * @param targets with {@link ANY_TARGET} also notices to that one, if they are not older than {@link ANY_TARGET_MS}: from then
   * on they go to the other `targets`.
   */
  takeNotices(
    targets: readonly string[],
    max: number,
    hiddenUntil: number,
  ): Promise<readonly PendingNotice[]>;
  /** Records that a target has a notice, or refuses it for good. */
  noticeTold(id: number, target: string): Promise<void>;
  /** Records that telling it has failed, and when to try again; epoch milliseconds. */
  noticeFailed(id: number, nextAt: number): Promise<void>;
  /** Enters a notice that goes with no change of state. */
  addNotice(key: number, notice: NewNotice): Promise<void>;

  /**
   * Deletes `max` rows of a job or, when none is left, the job and all that names it but the audit: one short transaction. From the
   * first one on the job is not `complete`. Only of a job that is over since before `before` (epoch milliseconds). The caller has its lease. Until it is gone its counts stay.
   */
  pruneJob(key: number, before: number, max: number): Promise<PruneStep>;
  /** Deletes `max` lines of the audit at most, from before `before`, and none of the latest `keep`. @returns how many. */
  pruneAudit(before: number, keep: number, max: number): Promise<number>;
  /** Deletes `max` outcomes that name no job at most, of updates that ended before `before`. @returns how many. */
  pruneOutcomes(before: number, max: number): Promise<number>;

  /** The right to send the job's rows; undefined while another process has it. */
  lease(key: number): Promise<Lease | undefined>;
  /** Whether a process has the lease. Such a process also collects outcomes. */
  isLeased(key: number): Promise<boolean>;

  /**
   * Stores outcomes, of whatever jobs whose plan is in this ledger, or that name no job. Storing one again changes nothing. Those
   * of other jobs are left to another ledger, unless they are abandoned; those of a job that is elsewhere always. An outcome ends a row only if its message is one that
   * this ledger sent for the row, by the id it has or first had; or, as a sender that is killed never learns its ids, if
   * JobId, RequestId, Identifier, IssuedAt and values are those of a row that was sent.
   */
  end(outcomes: readonly ReceivedOutcome[]): Promise<EndResult>;

  /**
   * All that it has of a job, as of one moment, for another ledger to enter. Until it has been read or left, nothing else may be asked of
   * this ledger. A job that is moved is changed to be elsewhere before: then nothing happens to it here meanwhile, or after.
   * @param copy whether it is only a copy, which is elsewhere where it is entered.
   */
  exportJob(key: number, copy?: boolean): AsyncIterable<TransferBatch>;
  /**
   * Enters a job that another ledger has exported, with a line in the audit: all of it, or nothing when reading it throws.
   * @param batches may be called more than once, each time for all of them.
   * Of a job that is elsewhere, the file takes the place of what is here, unless it is older. Nobody has its lease meanwhile. Outcomes that
   * this ledger has kept of a job that was not here end the rows that they are of, unless it is a copy that is entered.
   */
  importJob(batches: () => AsyncIterable<TransferBatch>, options: ImportOptions): Promise<ImportEnd>;

  /** Cheap whatever the job's size. */
  count(key: number): Promise<Counts>;
  standing(job: JobRecord): Promise<JobStanding>;
  /** What a list shows of a job: cheap whatever its size. */
  listed(job: JobRecord): Promise<Pick<JobStanding, 'job' | 'counts' | 'leased'>>;
  /** When the last of its rows that was sent was, as {@link LedgerRow.sentAt} has it; 0: none was. */
  lastSent(key: number): Promise<number>;
  /** Whether the plan has the former value of at least one field of one row: without any, nothing can be undone. */
  hasFormer(key: number): Promise<boolean>;
  /** By the latest runs that were long enough to tell; undefined when there are none. */
  measuredRate(): Promise<MeasuredRate | undefined>;
  /** All rows in their order. Each page is as of its own reading, and the ledger may be written meanwhile. */
  pages(key: number): AsyncIterable<readonly (LedgerRow | LeftOutRow)[]>;
  /**
   * The first rows behind row `after` that meet the filter, `max` at most. By an index, and so as quick whatever the job's size; a
   * search by Identifier looks at so many rows at most that it is quick, too, and may give fewer where there are more.
   */
  rowPage(key: number, filter: RowFilter, after: number, max: number): Promise<RowPage>;
  /** Outcomes of the job that belong to no row; key {@link WITHOUT_JOB} has those that name no job. In pages. */
  unmatched(key: number): AsyncIterable<readonly UnmatchedOutcome[]>;
  /** Rows of all jobs, and outcomes of none, that name the task: the latest of each, at most `max`. */
  ofTask(identifier: string, max: number): Promise<TaskRecords>;
}

/**
 * The right to send a job's rows, for one process at a time. It ends with the process, however that ends. Methods reject with
 * {@link LeaseLost}, and change nothing, where another process has it by now, or another ledger the job.
 */
export interface Lease {
  /**
   * Aborts early enough before another process can have it that what is being sent is over by then: nothing more is sent on its
   * strength. With the reason {@link LeaseLost}, another process has it; else it may be held again, and then this is another signal.
   */
  readonly lost: AbortSignal;
  /**
   * Plans the rows again that a process was sending when it died. They may be sent twice, which does no harm.
   * @returns how many.
   */
  recover(): Promise<number>;
  /**
   * Marks up to `max` planned rows `sending`: the first ones or, given a random source (uniform in [0, 1)), a sample that
   * is spread over all of them. @returns them in order, as they were before.
   */
  claim(max: number, random?: () => number): Promise<readonly LedgerRow[]>;
  /**
   * Enters rows of a file and marks them `sending`; of those that are there already, the planned ones.
   * @returns the numbers of rows that it marked: the others were sent before.
   */
  enterSending(rows: readonly EnteredRow[]): Promise<ReadonlySet<number>>;
  /** Records the result of sending claimed rows. A row that has ended meanwhile stays as it ended. */
  settle(sendings: Sendings): Promise<void>;
  /** Records how far this run is; the last call counts. A lease is for one run. */
  noteRun(run: RunNote): Promise<void>;
  /** Plans failed rows again, as another try, in a job that goes on where it can, and counts from here. @returns how many. */
  retryFailed(retry: Retry): Promise<number>;
  /** Rows without an outcome, in order, in pages; they may be reconciled meanwhile. */
  unended(): AsyncIterable<readonly LedgerRow[]>;
  /** Records what the tasks show of rows without an outcome. A row that has ended meanwhile stays as it ended. */
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
  /** Of its rows. */
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
  /** What a row's number in its file is raised by to be that in the job: the last number of the files before it. */
  readonly before: number;
  /** Of its updates that the file gives none. */
  readonly issuedAt: string;
  /** Its rows were all sent before. */
  readonly isWhole: boolean;
}

/** A row as a file has it. */
export type EnteredRow = LeftOutRow | (ChangeRow & Pick<LedgerRow, 'RequestId' | 'IssuedAt'>);

/** A row that is on the queue, and the id that SQS gave its message: outcomes are told by it. */
export interface SentRow {
  readonly row: number;
  readonly messageId: string;
}

/** What became of claimed rows, by their numbers. Rows in none of the lists stay `sending`. */
export interface Sendings {
  readonly sent: readonly SentRow[];
  /** SQS will never accept them. */
  readonly refused: readonly { readonly row: number; readonly reason: string }[];
  /** Certainly not sent. */
  readonly untouched: readonly number[];
  /** How many were sent again because the answer to a request was lost. */
  readonly maybeTwice: number;
}

/** Rows by their numbers. */
export interface Reconciliation {
  /** The task is as the row wants it: the row ends. */
  readonly applied: readonly number[];
  /** It is not: the row is planned as another try, and may so be sent twice. */
  readonly again: readonly number[];
  /** There is no such task: the row ends. */
  readonly gone: readonly { readonly row: number; readonly error: NonNullable<RowEnd['error']> }[];
}

/** An outcome from the queue. */
export interface ReceivedOutcome {
  readonly outcome: Outcome;
  /** It has been on the queue for so long that no other ledger will take it. */
  readonly abandoned?: boolean;
}

export interface EndResult {
  /** Rows whose state this changed, of whatever job. */
  readonly rows: number;
  /** Stored before, of an earlier try, or of a row that has ended finally. */
  readonly nothingNew: number;
  /** Naming a row, and not of a message that this ledger sent for it: left aside. */
  readonly foreign: number;
  /** Of no row of a plan in this ledger. */
  readonly unmatched: number;
  /** Not stored: of jobs that are not in this ledger, or elsewhere. */
  readonly left: readonly ReceivedOutcome[];
  /** Jobs that are not in this ledger, of which it stored abandoned outcomes. */
  readonly adopted: ReadonlySet<string>;
}

/** `more`: ask again. `gone`: it is not there any more. `kept`: something has happened to it, or can. */
export type PruneStep = 'more' | 'gone' | 'kept';

/** Stands in the outbox for whoever files reports. */
export const REPORT_TARGET = 'report';

/** Stands in the outbox for the targets of whoever takes the notice first. Nothing else is in the list of such a notice. */
export const ANY_TARGET = 'any';
/** How long a notice waits for somebody who has targets, in milliseconds: three days. It is deleted with its job. */
export const ANY_TARGET_MS = 3 * 86_400_000;

/** The key of outcomes that name no job. */
export const WITHOUT_JOB = 0;
