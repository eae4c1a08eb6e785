/**
 * A plan: what a bulk job will change, decided before anything is sent. On disk it is JSON Lines: one header, then a
 * line per row to change, then one footer with the digest of everything before it.
 */

/** The fields of an update that change a task. */
export interface TaskChange {
  readonly Description?: string;
  readonly TaskConfigurationId?: string;
}

/** First line of a plan file. Written before the rows, so it holds nothing that only counting them would tell. */
export interface PlanHeader {
  readonly Plan: 1;
  readonly JobId: string;
  readonly CreatedAt: string;
  /** What the rows were made from, as a person would say it: a file's name, or the conditions on live tasks. */
  readonly Source: string;
}

/** One row to change. */
export interface PlanRow extends TaskChange {
  /** From 1, without gaps; the row's name within the job. */
  readonly Row: number;
  readonly Identifier: string;
  /**
   * The values that the change replaces, as far as they were read: what `jobs undo` puts back. A field that was read
   * and is empty, or that the task does not have, is `''`; one that was not read is absent. Written by the API, so
   * no rule of ours holds for them.
   */
  readonly Former?: TaskChange;
}

/** How many rows of the source ended where. */
export interface PlanCounts {
  /** Rows in the plan. */
  readonly toChange: number;
  readonly alreadyAsWanted: number;
  readonly refused: number;
  /** Rows of the source whose Identifier a later row names again: the later one counts. */
  readonly duplicates: number;
}

/** Last line of a plan file. */
export interface PlanFooter {
  readonly Counts: PlanCounts;
  /** `sha256:` and the hex digest of all lines before this one, line ends included, and of `Counts` as JSON. */
  readonly Digest: string;
}
