/** A job's rows by where they are, as they are told elsewhere. PURE. */
import type { Counts } from './job.ts';

/** `total` is the sum of the others: each row is in exactly one of them. */
export type RowCounts = Pick<
  Counts,
  'total' | 'planned' | 'inFlight' | 'applied' | 'superseded' | 'failed' | 'notSent'
>;

export function rowCountsOf(counts: RowCounts): RowCounts {
  const { total, planned, inFlight, applied, superseded, failed, notSent } = counts;
  return { total, planned, inFlight, applied, superseded, failed, notSent };
}
