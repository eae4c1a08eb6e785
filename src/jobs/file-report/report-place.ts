/** Where the report of a job that has come to rest is filed; known before it is filed. PURE. */
import type { JobRecord } from '../ledger/job.ts';
import { filingPlace } from './open.ts';
import { readReportPlace } from './place.ts';

/**
 * @param at when the job came to rest, epoch milliseconds. It names the filing, so a filing that is restarted keeps its place.
 * @returns undefined for a job that files no report.
 */
export function reportPlace(job: JobRecord | undefined, at: number): string | undefined {
  const reportTo = job?.plan?.settings.reportTo;
  if (job === undefined || reportTo === undefined) return undefined;
  return filingPlace(readReportPlace('--report-to', reportTo), job.jobId, at);
}
