/** The counts of a job's rows by state, for use outside the ledger. PURE. */
import type { Counts } from './job.ts';

/** `total` is the sum of the others: each row is counted in exactly one of them. */
export type RowCounts = Pick<
  Counts,
  'total' | 'planned' | 'inFlight' | 'applied' | 'superseded' | 'failed' | 'notSent'
>;

export function rowCountsOf(counts: RowCounts): RowCounts {
  const { total, planned, inFlight, applied, superseded, failed, notSent } = counts;
  return { total, planned, inFlight, applied, superseded, failed, notSent };
}
