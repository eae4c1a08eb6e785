/**
 * A plan: what a bulk job will change, decided before anything is sent. On disk it is JSON Lines: one header, then a
 * line per row of the source, to change or left out, then one footer with the digest of everything before it.
 */

/** The fields of an update that change a task. */
export interface TaskChange {
  readonly Description?: string;
  readonly TaskConfigurationId?: string;
}

/** Counts up with every change of the file's form that a reader must know of. */
export const PLAN_FORM = 2;

/** First line of a plan file. Written before the rows, so it holds nothing that only counting them would tell. */
export interface PlanHeader {
  readonly Plan: typeof PLAN_FORM;
  readonly JobId: string;
  readonly CreatedAt: string;
  /** What the rows were made from, as a person would say it: a file's name, or the conditions on live tasks. */
  readonly Source: string;
}

/** One row to change. */
export interface PlanRow extends TaskChange {
  /** Its place among the rows of the source, from 1; the row's name within the job. */
  readonly Row: number;
  readonly Identifier: string;
  /**
   * The values that the change replaces, as far as they were read: what `jobs undo` puts back. A field that was read
   * and is empty, or that the task does not have, is `''`; one that was not read is absent. Written by the API, so
   * no rule of ours holds for them.
   */
  readonly Former?: TaskChange;
}

/**
 * Why a row of the source is left out: all is as it wants already; it cannot be applied; a later row names the same
 * task.
 */
export const leftOutStates = ['as-wanted', 'refused', 'duplicate'] as const;
export type LeftOutState = (typeof leftOutStates)[number];

/** A row of the source that is not to be changed: in the plan so that a report can tell of every row. */
export interface LeftOutRow extends TaskChange {
  /** Rows to change and rows left out are numbered together, without gaps. */
  readonly Row: number;
  readonly LeftOut: LeftOutState;
  /** What stands in its place, when that is text; of a refused row anything up to MAX_LEFT_OUT_IDENTIFIER. */
  readonly Identifier?: string;
  /** A sentence without its full stop, of at most MAX_LEFT_OUT_REASON characters. */
  readonly Reason?: string;
}

export const MAX_LEFT_OUT_IDENTIFIER = 200;
export const MAX_LEFT_OUT_REASON = 500;

export type PlanLine = PlanRow | LeftOutRow;

/** How many rows of the source ended where. */
export interface PlanCounts {
  /** Rows in the plan. */
  readonly toChange: number;
  readonly alreadyAsWanted: number;
  readonly refused: number;
  /** Rows of the source whose Identifier a later row names again: the later one counts. */
  readonly duplicates: number;
}

/** Where each kind of row that is left out is counted. */
export const countedAs = {
  'as-wanted': 'alreadyAsWanted',
  refused: 'refused',
  duplicate: 'duplicates',
} as const satisfies Record<LeftOutState, keyof PlanCounts>;

/** Last line of a plan file. */
export interface PlanFooter {
  readonly Counts: PlanCounts;
  /** `sha256:` and the hex digest of all lines before this one, line ends included, and of `Counts` as JSON. */
  readonly Digest: string;
}
