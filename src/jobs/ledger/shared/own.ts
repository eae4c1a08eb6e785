/** Protects the rows of a job that is elsewhere: they belong to another ledger. PURE. */
import { JobMoved } from '../lease-lost.ts';
import type { JobState } from '../state.ts';
import type { Raw } from './records.ts';

/** The columns that {@link requireOwn} reads. */
export const OWN_COLUMNS = 'job_id, state';

/**
 * Call this in every transaction that changes a job's rows, before the change and with the job locked: then nobody can move the job
 * until the change is done.
 * @param job with {@link OWN_COLUMNS}. @throws JobMoved.
 */
export function requireOwn(job: Raw | undefined): void {
  if (job?.state === 'elsewhere') throw new JobMoved(String(job.job_id));
}

/** Whether a job accepts more rows: not if it is elsewhere, and not once it was cancelled. */
export function takesRows({ name, towards }: Pick<JobState, 'name' | 'towards'>): boolean {
  return name !== 'elsewhere' && name !== 'cancelled' && towards !== 'cancelled';
}
