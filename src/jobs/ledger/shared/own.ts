/** The guard of a job's rows: another ledger has those of a job that is elsewhere. PURE. */
import { JobMoved } from '../lease-lost.ts';
import type { JobState } from '../state.ts';
import type { Raw } from './records.ts';

/** The columns that {@link requireOwn} reads. */
export const OWN_COLUMNS = 'job_id, state';

/**
 * To be called in each transaction that changes anything of a job's rows, before it does, with the job locked: then nobody moves it
 * until the change is done.
 * @param job with {@link OWN_COLUMNS}. @throws JobMoved.
 */
export function requireOwn(job: Raw | undefined): void {
  if (job?.state === 'elsewhere') throw new JobMoved(String(job.job_id));
}

/** Whether a job takes more rows: not of another ledger, and not once it was cancelled. */
export function takesRows({ name, towards }: Pick<JobState, 'name' | 'towards'>): boolean {
  return name !== 'elsewhere' && name !== 'cancelled' && towards !== 'cancelled';
}
