/** The line in the log of changes for a plan that was made with a ledger at hand. PURE. */
import type { NewAuditLine } from '../ledger/job.ts';
import type { Deed } from './deed.ts';

/** @param jobId the name of the new job. @param source what the plan is made from, for people. */
export function plannedLine(jobId: string, source: string, { who, why }: Deed): NewAuditLine {
  return { who, why, what: 'plan', subject: jobId, detail: { source } };
}
