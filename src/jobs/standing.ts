/** Where a job stands, read off the ledger. */
import type { JobStanding } from './job-summary.ts';
import type { Ledger } from './ledger.ts';
import type { JobRecord } from './ledger-types.ts';

export function standingOf(ledger: Ledger, job: JobRecord): JobStanding {
  if (job.plan === undefined) return { job, counts: ledger.parkedCounts(job.key), reconciled: 0, parked: 0 };
  return {
    job,
    counts: ledger.counts(job.key),
    reconciled: ledger.reconciled(job.key),
    parked: ledger.parkedCounts(job.key).ended,
  };
}
