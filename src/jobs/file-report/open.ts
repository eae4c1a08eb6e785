/** The destination of one filing. What S3 needs is loaded when a report goes there. */
import type { Destination } from './file-report.ts';
import { openFolder } from './folder.ts';
import { filingFolder, type ReportPlace } from './place.ts';

export interface OpenContext {
  readonly cwd: string;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** @param at of the filing; epoch milliseconds. @param flag that named the place. */
export async function openDestination(
  place: ReportPlace,
  jobId: string,
  at: number,
  flag: string,
  { cwd, env }: OpenContext,
): Promise<Destination> {
  const folder = filingFolder(jobId, at);
  if (place.kind === 'folder') return openFolder(cwd, place.path, folder, flag);
  const { openBucket } = await import('./s3.ts');
  const { bucket, prefix } = place;
  return openBucket({ bucket, prefix: `${prefix === '' ? '' : `${prefix}/`}${folder}/` }, env);
}
