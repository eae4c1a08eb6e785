/** The ledger row: a row of a plan and how far it has come. */
import type { Outcome } from '../../message/outcome.ts';
import type { ChangeRow, LeftOutRow } from '../plan/format.ts';

/**
 * Where a row is:
 *
 *   planned        not sent in this try
 *   sending        on its way to the queue; after a crash nobody knows whether it arrived
 *   sent           on the queue, not ended
 *   applied        final
 *   superseded     final: something newer had been applied before
 *   dead-lettered  the worker gave it up; a redrive or another try can still make it `applied`
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
  /** That its file gave it. */
  readonly RequestId?: string;
  /** Where it is not the job's. */
  readonly IssuedAt?: string;
  readonly state: RowState;
  /** From 1; a retry is another try. */
  readonly try: number;
  /** How often it was sent, over all tries. */
  readonly sends: number;
  /**
   * When it was last sent, by its sender's clock, in epoch milliseconds: later than every row of the job that was sent before it,
   * whatever clocks say. None of a row that was not sent.
   */
  readonly sentAt?: number;
  /** Its end; for a row that is being tried again, the last one. */
  readonly end: RowEnd;
  /** Its outcome never came: the end was read from the task itself. */
  readonly reconciled: boolean;
}

/** How a row ended, as far as it has. */
export interface RowEnd {
  readonly reason?: string;
  readonly error?: NonNullable<Outcome['Error']>;
  readonly attempts?: number;
  /** ISO 8601, UTC. */
  readonly at?: string;
}

/** Which rows of a job: those that meet all that is given. */
export interface RowFilter {
  /** `failed`: dead-lettered, or refused by SQS. `left-out`: by the plan, for whatever reason. */
  readonly state?: RowState | 'failed' | 'left-out';
  /** The error or reason, as the counts name it. No row that was left out has one. */
  readonly cause?: string;
  /** How its Identifier begins: letters and digits. */
  readonly identifier?: string;
}

/** Rows in their order, as many as were asked for at most. */
export interface RowPage {
  readonly rows: readonly (LedgerRow | LeftOutRow)[];
  /** The next page is that after this row; undefined: there is none. */
  readonly next: number | undefined;
}

/** An outcome that belongs to no row of a plan in this ledger. */
export interface UnmatchedOutcome {
  /** Its RequestId, or its message id if it has none. */
  readonly name: string;
  readonly identifier: string | undefined;
  readonly state: Outcome['Outcome'];
  readonly end: RowEnd;
}

/**
 * The RequestId of a row's update: the one that its file gave it, or `r000017.1` for row 17 in its first try. With the try
 * in it, a late outcome of an earlier try is told apart.
 */
export function requestIdOf({
  Row,
  try: attempt,
  RequestId,
}: Pick<LedgerRow, 'Row' | 'try' | 'RequestId'>): string {
  return RequestId ?? `r${String(Row).padStart(6, '0')}.${attempt}`;
}

/** Row and try of a RequestId, or undefined when {@link requestIdOf} did not make it. */
export function parseRequestId(text: string): Pick<LedgerRow, 'Row' | 'try'> | undefined {
  const match = /^r(\d{6,12})\.([1-9]\d{0,8})$/.exec(text);
  if (match === null) return undefined;
  const row = { Row: Number(match[1]), try: Number(match[2]) };
  return row.Row > 0 && requestIdOf(row) === text ? row : undefined;
}
