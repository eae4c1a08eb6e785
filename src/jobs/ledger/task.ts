/** What a ledger knows of one task. */
import type { Outcome } from '../../message/outcome.ts';
import type { LeftOutRow } from '../plan/format.ts';
import type { LedgerRow, RowEnd } from './row.ts';

/** A row of a job that names the task. */
export interface TaskRow {
  readonly jobId: string;
  /** `IssuedAt` of the job's updates; undefined of a job whose plan is not in the ledger. */
  readonly issuedAt: string | undefined;
  readonly row: LedgerRow | LeftOutRow;
  /** When it was last about to be sent, epoch milliseconds. */
  readonly sentAt: number | undefined;
  /** Of the messages that carried its updates, as far as they are known, in the order of sending. */
  readonly messageIds: readonly string[];
}

/** An outcome that names the task and ended no row. */
export interface TaskOutcome {
  readonly jobId: string | undefined;
  /** Its RequestId, or its message id if it has none. */
  readonly name: string;
  /** Of the message that was first sent. */
  readonly messageId: string;
  /** It names a row of the job, and is of no message that this ledger is known to have sent for it. */
  readonly foreign: boolean;
  readonly state: Outcome['Outcome'];
  readonly end: RowEnd;
}

export interface TaskRecords {
  readonly rows: readonly TaskRow[];
  readonly outcomes: readonly TaskOutcome[];
  /** Whether there are more than were asked for. */
  readonly cut: boolean;
}
