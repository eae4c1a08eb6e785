/** A job as the ledger has it, and its rows counted. */
import type { PlanCounts } from '../plan/format.ts';
import type { StageProgress } from '../rules/progress.ts';
import type { JobSettings } from '../rules/settings.ts';
import type { LedgerRow } from './row.ts';
import type { JobEvent, JobState } from './state.ts';

export interface JobRecord {
  /** The ledger's own number of the job. */
  readonly key: number;
  readonly jobId: string;
  /** undefined: the ledger has outcomes of this job and not its plan. */
  readonly plan: JobPlan | undefined;
  /** When something last happened; epoch milliseconds. */
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
  /** Of every update of the job: the moment of the first apply, or a later one when that had been in the future. */
  readonly issuedAt: string;
  /** Rows to change, those that are not in the ledger yet among them; 0 when an earlier release was cut before it knew. */
  readonly rows: number;
  /** The job that this one undoes. */
  readonly undoes: string | undefined;
  /** `enqueue` sends it: it has no plan file, and may be of several files. Digest and path are the last file's. */
  readonly enqueued: boolean;
  /** Rows of its source that the plan left out; undefined for a job of an earlier release. */
  readonly leftOut: LeftOutCounts | undefined;
  /** False until all of its rows are in the ledger. */
  readonly complete: boolean;
  /** Rows that may have been sent more than once. */
  readonly maybeTwice: number;
}

export type LeftOutCounts = Omit<PlanCounts, 'toChange'>;

/** What controls a job's sending. It is kept in the ledger, so that a resume continues with it. */
export interface JobControl {
  readonly settings: JobSettings;
  readonly progress: StageProgress;
}

/** A change of a job's state. The audit names who and why; a notice goes to each of `tell`. */
export interface StateChange {
  readonly event: JobEvent;
  readonly who: string;
  /** A sentence without its full stop. */
  readonly why?: string;
  /** Only if the job is in the state that it had then: another process may have changed it meanwhile. */
  readonly since?: number;
  /** A notice of it, and whom to tell; none without targets. */
  readonly notice?: NewNotice;
  /** Given where stages and rules count from here: when the last of its rows was sent, as `Ledger.lastSent` has it. */
  readonly countsFrom?: number | undefined;
}

/** Who has failed rows tried again, and why. */
export type Retry = Pick<StateChange, 'who' | 'why'> & { readonly countsFrom: number };

/** A change of how a job is sent. */
export interface SettingsChange {
  /** What of it changes, by what it is at that moment. PURE: it may be called again. What it throws changes nothing. */
  readonly change: (control: JobControl) => Partial<JobControl>;
  readonly who: string;
  readonly why?: string;
}

/** What others are told of a job. */
export interface NewNotice {
  /** `report`: nobody is told, its report is to be filed. */
  readonly kind: NoticeKind | 'report';
  /** Names of the targets that it goes to; none: nothing is entered. */
  readonly targets: readonly string[];
}

export type NoticeKind = 'done' | 'aborted' | 'paused-by-rule' | 'stuck';

/** A notice that is not told everywhere yet. */
export interface PendingNotice extends NewNotice {
  /** Of all notices of the ledger. */
  readonly id: number;
  readonly jobId: string;
  /** When it happened; epoch milliseconds. */
  readonly at: number;
  readonly state: JobState;
  readonly counts: Counts;
  /** Names of those targets that have it, or have refused it for good. */
  readonly told: readonly string[];
  /** How often telling it has failed. */
  readonly failures: number;
}

/** Who changed what, when and why. */
export interface AuditLine {
  /** Rising. */
  readonly seq: number;
  /** Epoch milliseconds. */
  readonly at: number;
  readonly who: string;
  /** The event or the command: `pause`, `set`, `redrive`. */
  readonly what: string;
  /** What it was done to: a job's name, a queue's URL. */
  readonly subject: string;
  readonly why: string | undefined;
  /** What else is to be known: JSON. */
  readonly detail: Readonly<Record<string, unknown>>;
}
export type NewAuditLine = Omit<AuditLine, 'seq' | 'at'>;

/** A job's rows, counted. */
export interface Counts {
  readonly total: number;
  readonly planned: number;
  /** Sending or sent. */
  readonly inFlight: number;
  /** Those of `inFlight` of which no answer says that they are sent. Where nobody sends them, they may be. */
  readonly sending: number;
  readonly applied: number;
  readonly superseded: number;
  /** Dead-lettered or refused. */
  readonly failed: number;
  /** Of a cancelled job. */
  readonly notSent: number;
  readonly ended: number;
  /**
   * Those of `ended` that a worker ended: a rate is measured by nothing else. Rows that a cancelled job never sent, that SQS refused, and
   * whose end was read from the task took no worker's time.
   */
  readonly endedByWorkers: number;
  /** The failed ones by cause, the most frequent first. */
  readonly causes: readonly { readonly cause: string; readonly rows: number }[];
  /** API calls in the last delivery of ended rows whose outcomes state them, and how many rows those are. */
  readonly calls: number;
  readonly callsOf: number;
}

/** A process at work on a job: sending its rows and following them to their ends. */
export interface RunNote {
  /** Epoch milliseconds. */
  readonly startedAt: number;
  /** From its start until the last row ended that did; milliseconds of a monotonic clock. */
  readonly ms: number;
  /** Rows that ended meanwhile. */
  readonly rows: number;
}

/** When a job was at work, over all of its runs. */
export interface JobTimes {
  /** Of the first run; epoch milliseconds. */
  readonly startedAt: number;
  /** When its last row ended, in epoch milliseconds; undefined while there are rows that have not. */
  readonly endedAt: number | undefined;
  /** Of all runs, without the time between them. */
  readonly ms: number;
  /** Rows that ended in them. */
  readonly rows: number;
}

/** How fast the rows of the latest jobs ended. */
export interface MeasuredRate {
  /** Rows per second. */
  readonly perSecond: number;
  /** The job that it was measured in last. */
  readonly jobId: string;
}

/** A job that undoes another one. */
interface UndoOfJob {
  readonly jobId: string;
  /** Tasks that it has restored, without those of which that was undone. */
  readonly applied: number;
  readonly isDone: boolean;
}

/** Everything that a status shows of a job. */
export interface JobStanding {
  readonly job: JobRecord;
  /** Of a job whose plan is not in this ledger: its outcomes, counted. */
  readonly counts: Counts;
  /** Whether a process is sending its rows, or following them. */
  readonly leased: boolean;
  /** undefined: nothing was sent, or only by an earlier release. */
  readonly times: JobTimes | undefined;
  /** Of a job that was stopped or aborted: the rows that failed last, a few. */
  readonly lastFailed: readonly LedgerRow[];
  /** The jobs here that undo it, the last first. */
  readonly undos: readonly UndoOfJob[];
  /** Rows whose end was read from the task. */
  readonly reconciled: number;
  /** Outcomes that name a row of the job, and are of no message that this ledger sent: left aside. */
  readonly foreign: number;
  /** Outcomes that name the job and none of its rows. */
  readonly unmatched: number;
}
