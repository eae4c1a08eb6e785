/** What a ledger knows about one task. */
import type { Outcome } from '../../message/outcome.ts';
import type { LeftOutRow } from '../plan/format.ts';
import type { LedgerRow, RowEnd } from './row.ts';

/** A row of a job that names the task. */
export interface TaskRow {
  readonly jobId: string;
  /** `IssuedAt` of the job's updates; undefined for a job whose plan is not in the ledger. */
  readonly issuedAt: string | undefined;
  readonly row: LedgerRow | LeftOutRow;
  /** When sending it last began, epoch milliseconds. */
  readonly sentAt: number | undefined;
  /** Ids of the messages that carried its updates, where known, in the order of sending. */
  readonly messageIds: readonly string[];
}

/** An outcome that names the task but ended no row. */
export interface TaskOutcome {
  readonly jobId: string | undefined;
  /** Its RequestId, or its message id if it has no RequestId. */
  readonly name: string;
  /** Id of the message that was sent first. */
  readonly messageId: string;
  /** It names a row of the job, but this ledger is not known to have sent its message for that row. */
  readonly foreign: boolean;
  readonly state: Outcome['Outcome'];
  readonly end: RowEnd;
}

export interface TaskRecords {
  readonly rows: readonly TaskRow[];
  readonly outcomes: readonly TaskOutcome[];
  /** Whether there are more records than were asked for. */
  readonly cut: boolean;
}
