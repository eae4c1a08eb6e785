/** A job as the ledger stores it, and the counts of its rows. */
import type { PlanCounts } from '../plan/format.ts';
import type { StageProgress } from '../rules/progress.ts';
import type { JobSettings } from '../rules/settings.ts';
import type { LedgerRow } from './row.ts';
import type { JobEvent, JobState } from './state.ts';

export interface JobRecord {
  /** The ledger's own key for the job. */
  readonly key: number;
  readonly jobId: string;
  /** undefined: the ledger has outcomes of this job but not its plan. */
  readonly plan: JobPlan | undefined;
  /** When anything last happened to the job; epoch milliseconds. */
  readonly updatedAt: number;
}

/** A job whose plan is in the ledger. */
export type PlannedJob = JobRecord & { readonly plan: JobPlan };

interface JobPlan extends JobControl {
  readonly state: JobState;
  /** Where the plan file was at the first apply. */
  readonly path: string;
  readonly source: string;
  readonly digest: string;
  /** IssuedAt of every update of the job: the time of the first apply, or a later time if that was in the future. */
  readonly issuedAt: string;
  /** Rows to change, including those not yet in the ledger; 0 if an earlier release was interrupted before it knew. */
  readonly rows: number;
  /** The job that this one undoes. */
  readonly undoes: string | undefined;
  /** `enqueue` sends it: it has no plan file and may consist of several files. Digest and path are those of the last file. */
  readonly enqueued: boolean;
  /** Rows of its source that the plan left out; undefined for a job of an earlier release. */
  readonly leftOut: LeftOutCounts | undefined;
  /** False until all its rows are in the ledger. */
  readonly complete: boolean;
  /** Rows that may have been sent more than once. */
  readonly maybeTwice: number;
}

export type LeftOutCounts = Omit<PlanCounts, 'toChange'>;

/** What controls a job's sending. It is stored in the ledger, so a resume continues with it. */
export interface JobControl {
  readonly settings: JobSettings;
  readonly progress: StageProgress;
}

/** A change of a job's state. The audit records who and why; each target in `tell` gets a notice. */
export interface StateChange {
  readonly event: JobEvent;
  readonly who: string;
  /** A sentence without its full stop. */
  readonly why?: string;
  /** Change only if the job's state still has this `since`: another process may have changed it meanwhile. */
  readonly since?: number;
  /** The notice of the change, with its targets; no notice without targets. */
  readonly notice?: NewNotice;
  /** Set if stages and rules count anew from here: the time of the last row sent, as `Ledger.lastSent` gives it. */
  readonly countsFrom?: number | undefined;
}

/** Who has the failed rows tried again, and why. */
export type Retry = Pick<StateChange, 'who' | 'why'> & { readonly countsFrom: number };

/** A change of how a job is sent. */
export interface SettingsChange {
  /** Gives the fields to change, from the current values. PURE: may be called again. If it throws, nothing changes. */
  readonly change: (control: JobControl) => Partial<JobControl>;
  readonly who: string;
  readonly why?: string;
}

/** A message about a job for others. */
export interface NewNotice {
  /** `report`: nobody is notified; the job's report is to be filed. */
  readonly kind: NoticeKind | 'report';
  /** Names of the targets; if empty, no notice is entered. */
  readonly targets: readonly string[];
}

export type NoticeKind = 'done' | 'aborted' | 'paused-by-rule' | 'stuck';

/** A notice that has not reached all its targets. */
export interface PendingNotice extends NewNotice {
  /** Unique among all notices of the ledger. */
  readonly id: number;
  readonly jobId: string;
  /** When it happened; epoch milliseconds. */
  readonly at: number;
  readonly state: JobState;
  readonly counts: Counts;
  /** Names of the targets that received it or refused it for good. */
  readonly told: readonly string[];
  /** How often delivery has failed. */
  readonly failures: number;
}

/** Who changed what, when and why. */
export interface AuditLine {
  /** Ascending. */
  readonly seq: number;
  /** Epoch milliseconds. */
  readonly at: number;
  readonly who: string;
  /** The event or the command: `pause`, `set`, `redrive`. */
  readonly what: string;
  /** What it was done to: the name of a job, the URL of a queue. */
  readonly subject: string;
  readonly why: string | undefined;
  /** Further details, as JSON. */
  readonly detail: Readonly<Record<string, unknown>>;
}
export type NewAuditLine = Omit<AuditLine, 'seq' | 'at'>;

/** The counts of a job's rows. */
export interface Counts {
  readonly total: number;
  readonly planned: number;
  /** Sending or sent. */
  readonly inFlight: number;
  /** The part of `inFlight` whose send has no answer. If no process is sending them, it is unknown whether they were sent. */
  readonly sending: number;
  readonly applied: number;
  readonly superseded: number;
  /** Dead-lettered or refused. */
  readonly failed: number;
  /** Rows of a cancelled job. */
  readonly notSent: number;
  readonly ended: number;
  /**
   * The part of `ended` that a worker ended: rates are measured by these alone. Rows that a cancelled job never sent, that SQS refused,
   * or whose end was read from the task took no worker's time.
   */
  readonly endedByWorkers: number;
  /** The failed rows by cause, most frequent first. */
  readonly causes: readonly { readonly cause: string; readonly rows: number }[];
  /** API calls in the last delivery of ended rows whose outcomes state the number, and the number of those rows. */
  readonly calls: number;
  readonly callsOf: number;
}

/** A process working on a job: it sends rows and follows them to their ends. */
export interface RunNote {
  /** Epoch milliseconds. */
  readonly startedAt: number;
  /** From its start until the last row ended in it; milliseconds of a monotonic clock. */
  readonly ms: number;
  /** Rows that ended during the run. */
  readonly rows: number;
}

/** When a job was worked on, over all its runs. */
export interface JobTimes {
  /** Start of the first run; epoch milliseconds. */
  readonly startedAt: number;
  /** When its last row ended, in epoch milliseconds; undefined while rows are left. */
  readonly endedAt: number | undefined;
  /** Sum of all runs, without the time between them. */
  readonly ms: number;
  /** Rows that ended in these runs. */
  readonly rows: number;
}

/** How fast the rows of the most recent jobs ended. */
export interface MeasuredRate {
  /** Rows per second. */
  readonly perSecond: number;
  /** The most recent job that it was measured in. */
  readonly jobId: string;
}

/** A job that undoes another one. */
interface UndoOfJob {
  readonly jobId: string;
  /** Tasks that it has restored, except where the restoring was itself undone. */
  readonly applied: number;
  readonly isDone: boolean;
}

/** Everything that a status shows about a job. */
export interface JobStanding {
  readonly job: JobRecord;
  /** For a job whose plan is not in this ledger: the counts of its outcomes. */
  readonly counts: Counts;
  /** Whether a process is sending or following its rows. */
  readonly leased: boolean;
  /** undefined: nothing was sent, or only by an earlier release. */
  readonly times: JobTimes | undefined;
  /** For a job that was stopped or aborted: a few rows that failed last. */
  readonly lastFailed: readonly LedgerRow[];
  /** The jobs here that undo it, latest first. */
  readonly undos: readonly UndoOfJob[];
  /** Rows whose end was read from the task. */
  readonly reconciled: number;
  /** Outcomes that name a row of the job but belong to no message that this ledger sent; they are ignored. */
  readonly foreign: number;
  /** Outcomes that name the job but none of its rows. */
  readonly unmatched: number;
}
