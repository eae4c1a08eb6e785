/** Where a job stands, read off the ledger. */

import type { Ledger } from '../ledger/ledger.ts';
import type { JobRecord } from '../ledger/types.ts';
import type { JobStanding } from '../view/job-summary.ts';

export function standingOf(ledger: Ledger, job: JobRecord): JobStanding {
  if (job.plan === undefined) return { job, counts: ledger.parkedCounts(job.key), reconciled: 0, parked: 0 };
  return {
    job,
    counts: ledger.counts(job.key),
    reconciled: ledger.reconciled(job.key),
    parked: ledger.parkedCounts(job.key).ended,
  };
}
