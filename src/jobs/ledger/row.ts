/** The ledger row: a row of a plan and its progress. */
import type { Outcome } from '../../message/outcome.ts';
import type { ChangeRow, LeftOutRow } from '../plan/format.ts';

/**
 * States of a row:
 *
 *   planned        not sent in this try
 *   sending        on its way to the queue; after a crash it is unknown whether it arrived
 *   sent           on the queue, not ended
 *   applied        final
 *   superseded     final: something newer had been applied before
 *   dead-lettered  the worker gave up; a redrive or another try can still make it `applied`
 *   refused        SQS did not accept it; may be tried again
 *   not-sent       its job was cancelled before it was sent in this try
 */
export const rowStates = [
  'planned',
  'sending',
  'sent',
  'applied',
  'superseded',
  'dead-lettered',
  'refused',
  'not-sent',
] as const;
export type RowState = (typeof rowStates)[number];

export interface LedgerRow extends ChangeRow {
  /** The RequestId given in its file. */
  readonly RequestId?: string;
  /** Only if it differs from the job's. */
  readonly IssuedAt?: string;
  readonly state: RowState;
  /** From 1; a retry is another try. */
  readonly try: number;
  /** How often it was sent, over all tries. */
  readonly sends: number;
  /**
   * When it was last sent, by its sender's clock, in epoch milliseconds: always later than every row of the job that was sent
   * before it, even if clocks disagree. Missing for a row that was not sent.
   */
  readonly sentAt?: number;
  /** Its end; for a row that is being tried again, its previous end. */
  readonly end: RowEnd;
  /** Its outcome never came; the end was read from the task itself. */
  readonly reconciled: boolean;
}

/** How a row ended, as far as it has ended. */
export interface RowEnd {
  readonly reason?: string;
  readonly error?: NonNullable<Outcome['Error']>;
  readonly attempts?: number;
  /** ISO 8601, UTC. */
  readonly at?: string;
}

/** Selects rows of a job: those that match all given fields. */
export interface RowFilter {
  /** `failed`: dead-lettered, or refused by SQS. `left-out`: left out by the plan, for any reason. */
  readonly state?: RowState | 'failed' | 'left-out';
  /** The error or reason, as the counts name it. Rows that were left out have none. */
  readonly cause?: string;
  /** The beginning of its Identifier: letters and digits. */
  readonly identifier?: string;
}

/** Rows in order, at most as many as were asked for. */
export interface RowPage {
  readonly rows: readonly (LedgerRow | LeftOutRow)[];
  /** The next page begins after this row; undefined: this is the last page. */
  readonly next: number | undefined;
}

/** An outcome that belongs to no row of a plan in this ledger. */
export interface UnmatchedOutcome {
  /** Its RequestId, or its message id if it has no RequestId. */
  readonly name: string;
  readonly identifier: string | undefined;
  readonly state: Outcome['Outcome'];
  readonly end: RowEnd;
}

/**
 * The RequestId of a row's update: the one given in its file, or `r000017.1` for row 17 in its first try. The try in the name
 * distinguishes a late outcome of an earlier try.
 */
export function requestIdOf({
  Row,
  try: attempt,
  RequestId,
}: Pick<LedgerRow, 'Row' | 'try' | 'RequestId'>): string {
  return RequestId ?? `r${String(Row).padStart(6, '0')}.${attempt}`;
}

/** Row and try of a RequestId; undefined if {@link requestIdOf} did not create it. */
export function parseRequestId(text: string): Pick<LedgerRow, 'Row' | 'try'> | undefined {
  const match = /^r(\d{6,12})\.([1-9]\d{0,8})$/.exec(text);
  if (match === null) return undefined;
  const row = { Row: Number(match[1]), try: Number(match[2]) };
  return row.Row > 0 && requestIdOf(row) === text ? row : undefined;
}
