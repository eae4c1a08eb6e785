/** The paths of the job pages. PURE. */
import type { RowFilter } from '../../jobs/ledger/row.ts';

export const JOBS_PATH = '/jobs';
export const NEW_PATH = '/jobs/new';
export const JOBS_STREAM = '/live/jobs';

export const jobPath = (jobId: string, then = ''): string =>
  `${JOBS_PATH}/of/${encodeURIComponent(jobId)}${then}`;
export const jobStream = (jobId: string): string => `${JOBS_STREAM}/${encodeURIComponent(jobId)}`;
export const planPath = (jobId: string, then = ''): string =>
  `${JOBS_PATH}/plans/${encodeURIComponent(jobId)}${then}`;
export const planStream = (jobId: string): string => `/live/plans/${encodeURIComponent(jobId)}`;

/** A page of a job's rows. @param after the row after which it begins. */
export function rowsPath(jobId: string, filter: RowFilter, after = 0): string {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries({ ...filter, after: after === 0 ? undefined : String(after) }))
    if (value !== undefined) query.set(name, value);
  const text = query.toString();
  return jobPath(jobId, `/rows${text === '' ? '' : `?${text}`}`);
}
