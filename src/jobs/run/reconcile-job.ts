/** Rows whose outcome never came, decided one by one by what their tasks say now, and taken down in the ledger. */
import type { Ledger } from '../ledger/ledger.ts';
import type { JobRecord, LedgerRow, RowEnd } from '../ledger/types.ts';
import type { ReadTasksOptions } from '../plan/refresh.ts';
import { reconcileRows } from './reconcile.ts';

/** Rows to a transaction, and to a page of the ledger. */
const BATCH_ROWS = 200;

export interface Reconciled {
  /** The task is as the row wants it. */
  readonly applied: number;
  /** It is not: sent again, as another try. */
  readonly again: number;
  /** There is no such task. */
  readonly gone: number;
  /** It could not be read. */
  readonly unknown: number;
}

export interface ReconcileOptions extends ReadTasksOptions {
  readonly ledger: Ledger;
  readonly job: JobRecord;
  /** Called with the number of rows decided so far. */
  readonly onProgress: (rows: number) => void;
}

/** Ends early when interrupted, with what it has. Call it with the job's lock held. */
export async function reconcileJob({
  ledger,
  job,
  onProgress,
  ...read
}: ReconcileOptions): Promise<Reconciled> {
  const total = { applied: 0, again: 0, gone: 0, unknown: 0 };
  let applied: number[] = [];
  let again: number[] = [];
  let gone: { row: number; error: NonNullable<RowEnd['error']> }[] = [];
  let decided = 0;
  const record = (): void => {
    const changed = ledger.reconcile(job.key, { applied, again, gone });
    total.applied += changed.applied;
    total.again += changed.again;
    total.gone += changed.gone;
    [applied, again, gone] = [[], [], []];
    onProgress(decided);
  };
  for await (const { row, reconciliation } of reconcileRows(unendedRows(ledger, job.key), read)) {
    decided++;
    if (!('failure' in reconciliation)) {
      (reconciliation.decision === 'applied' ? applied : again).push(row.row);
    } else if (reconciliation.decision === 'unknown') total.unknown++;
    else {
      const { name, status, message } = reconciliation.failure;
      gone.push({ row: row.row, error: { name, message, ...(status !== undefined && { status }) } });
    }
    if (decided % BATCH_ROWS === 0) record();
  }
  record();
  return total;
}

/** Page by page, so that the ledger may be written meanwhile. */
function* unendedRows(ledger: Ledger, key: number): Generator<LedgerRow, undefined> {
  for (let after = 0; ; ) {
    const page = ledger.unended(key, after, BATCH_ROWS);
    yield* page;
    const last = page.at(-1);
    if (last === undefined) return;
    after = last.row;
  }
}
