/** What the ledger holds, as its readers see it. */
import type { Outcome } from '../../message/outcome.ts';
import type { LeftOutState, PlanCounts, TaskChange } from '../plan/types.ts';

/**
 * Where a row is:
 *
 *   planned        not sent in this try
 *   sending        on its way to the queue; after a crash nobody knows whether it arrived
 *   sent           on the queue, not ended
 *   applied        final
 *   superseded     final: something newer had been applied before
 *   dead-lettered  the worker gave it up; may still become applied, by a redrive or by another try
 *   refused        SQS would not take it; may be tried again
 */
export const rowStates = [
  'planned',
  'sending',
  'sent',
  'applied',
  'superseded',
  'dead-lettered',
  'refused',
] as const;
export type RowState = (typeof rowStates)[number];

/** What a job does besides sending everything; kept with the job, so that a resume keeps to it. */
export interface Guards {
  /** Good ends to wait for before the rest is sent. */
  readonly canary?: number;
  readonly abortWhen?: AbortRule;
  /** Rows sent and not ended at most; follows the rate when omitted. */
  readonly window?: number;
}

/** Stop when more than this share of the ended rows has failed, once so many have ended. */
export interface AbortRule {
  /** 0-1. */
  readonly share: number;
  readonly least: number;
}

/** What canary and abort rule count from: the ends there were when this try began, or after they last stopped it. */
export interface Counting {
  readonly good: number;
  readonly failed: number;
  readonly canaryPassed: boolean;
}

export interface JobRecord {
  /** The ledger's own number of the job. */
  readonly key: number;
  readonly jobId: string;
  /** undefined: outcomes of this job came by, its plan is not in this ledger. */
  readonly plan: JobPlan | undefined;
  /** When the ledger first heard of it, and when something last happened; epoch milliseconds. */
  readonly createdAt: number;
  readonly updatedAt: number;
}

export interface JobPlan {
  /** Where the plan file was at the first apply. */
  readonly path: string;
  readonly source: string;
  readonly digest: string;
  /** Of every update of the job: the moment of the first apply. */
  readonly issuedAt: string;
  /** Rows to change. */
  readonly rows: number;
  /** Rows of its source that the plan left out; undefined for a job of an earlier release. */
  readonly leftOut: LeftOutCounts | undefined;
  /** False while its rows are being written into the ledger. */
  readonly complete: boolean;
  readonly guards: Guards;
  readonly counting: Counting;
  /** Rows of which nobody can say that they were sent only once. */
  readonly maybeTwice: number;
  /** Why sending stopped before the end the last time. */
  readonly stopped: string | undefined;
}

export type LeftOutCounts = Omit<PlanCounts, 'toChange'>;

/** A row of the source that the plan left out. */
export interface LeftOutRecord {
  readonly row: number;
  readonly state: LeftOutState;
  readonly identifier: string | undefined;
  readonly change: TaskChange;
  readonly reason: string | undefined;
}

/** How a row ended, as far as it has. */
export interface RowEnd {
  readonly reason?: string;
  readonly error?: NonNullable<Outcome['Error']>;
  readonly attempts?: number;
  readonly at?: string;
}

export interface LedgerRow {
  readonly row: number;
  readonly identifier: string;
  readonly change: TaskChange;
  readonly former: TaskChange | undefined;
  readonly state: RowState;
  /** From 1; a retry is another try. */
  readonly try: number;
  /** How often it was given to the queue, over all tries. */
  readonly sends: number;
  /** When it was last, in epoch milliseconds. */
  readonly sentAt: number | undefined;
  /** Its end; for a row that is being tried again, the last one. */
  readonly end: RowEnd;
  /** Its outcome never came: the end was read from the task itself. */
  readonly reconciled: boolean;
}

/** An outcome that belongs to no row of a plan here: of a foreign job, or of none. */
export interface ParkedOutcome {
  readonly name: string;
  readonly identifier: string | undefined;
  readonly state: Outcome['Outcome'];
  readonly end: RowEnd;
}

/** A job's rows, counted. */
export interface Counts {
  readonly total: number;
  readonly planned: number;
  /** Sending or sent. */
  readonly inFlight: number;
  readonly applied: number;
  readonly superseded: number;
  /** Dead-lettered or refused. */
  readonly failed: number;
  readonly ended: number;
  /** The failed ones by cause, the most frequent first. */
  readonly causes: readonly { readonly cause: string; readonly rows: number }[];
  /** API calls in the last delivery of the ended rows that tell them, and how many rows those are. */
  readonly calls: number;
  readonly callsOf: number;
}
