/**
 * What one source knows about one update of a task. All texts may come from outside: they are escaped where they are
 * shown.
 */
import type { Outcome } from '../message/outcome.ts';

/** The sources that know updates, in order of precedence. */
export const updateSources = ['ledger', 'dead-letters', 'log'] as const;
export type UpdateSource = (typeof updateSources)[number];

/**
 * How an update ended: the states of an outcome, and also:
 *
 *   refused   SQS did not accept it, so it was never on the queue
 *   not-sent  its job was cancelled before it was sent
 *   left-out  the plan of a job did not include the row, so there was nothing to send
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
  /** Further information, as a phrase. */
  readonly note?: string;
}

/** The state of an update that has not ended, as far as the ledger knows. */
export type OpenState = 'planned' | 'sending' | 'sent';

/** The update's letter that is now on the dead-letter queue. */
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
  /** Ids of all messages known to have carried the update; findings that share an id belong to one update. */
  readonly messageIds: readonly string[];
  readonly jobId?: string | undefined;
  /** Row number in the job's plan. */
  readonly row?: number | undefined;
  readonly requestId?: string | undefined;
  /** undefined: not known. */
  readonly values?: Values | undefined;
  /** When the update was decided on, from its `IssuedAt`. */
  readonly decidedAt?: number | undefined;
  /** When it was sent to the queue. */
  readonly sentAt?: number | undefined;
  readonly end?: End | undefined;
  readonly open?: OpenState | undefined;
  readonly letter?: LetterFacts | undefined;
  readonly steps: readonly Step[];
}
