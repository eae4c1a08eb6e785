/** What one source tells of one update of a task. All texts may come from afar: they are escaped where they are shown. */
import type { Outcome } from '../message/outcome.ts';

/** Those that tell of updates, in the order in which their word counts. */
export const updateSources = ['ledger', 'dead-letters', 'log'] as const;
export type UpdateSource = (typeof updateSources)[number];

/**
 * How an update ended: as its outcome says, and besides:
 *
 *   refused   SQS did not accept it, so it was never on the queue
 *   not-sent  its job was cancelled before it was sent
 *   left-out  the plan of a job did not include the row, so that nothing was to be sent
 */
export type EndState = Outcome['Outcome'] | 'refused' | 'not-sent' | 'left-out';

/** Times are epoch milliseconds. */
export interface End {
  readonly state: EndState;
  readonly at?: number;
  /** A dead letter's reason, or why the row was left out. */
  readonly reason?: string;
  readonly error?: { readonly name: string; readonly status?: number | undefined; readonly message: string };
  /** API calls in the last delivery. */
  readonly attempts?: number;
  /** What else is to be known of it, as a phrase. */
  readonly note?: string;
}

/** Where an update stands that has not ended, as far as the ledger knows. */
export type OpenState = 'planned' | 'sending' | 'sent';

/** The letter of an update that is on the dead-letter queue now. */
interface LetterFacts {
  readonly messageId: string;
  readonly arrivedAt: number;
  /** How often it was redriven. */
  readonly redriveCount: number;
}

/** One thing that happened to an update. */
export interface Step {
  readonly at: number;
  readonly source: UpdateSource;
  /** A phrase. */
  readonly what: string;
}

/** The fields of an update that change a task. */
export interface Values {
  readonly Description?: string;
  readonly TaskConfigurationId?: string;
}

export interface Finding {
  readonly source: UpdateSource;
  /** Of every message that is known to have carried the update; findings that share one are of one update. */
  readonly messageIds: readonly string[];
  readonly jobId?: string | undefined;
  /** Of the job's plan. */
  readonly row?: number | undefined;
  readonly requestId?: string | undefined;
  /** undefined: not known. */
  readonly values?: Values | undefined;
  /** When it was decided on, by its `IssuedAt`. */
  readonly decidedAt?: number | undefined;
  /** When it was sent to the queue. */
  readonly sentAt?: number | undefined;
  readonly end?: End | undefined;
  readonly open?: OpenState | undefined;
  readonly letter?: LetterFacts | undefined;
  readonly steps: readonly Step[];
}
