/** Opens the destination of one filing. The S3 client is loaded only if a report goes to S3. */
import { join } from 'node:path';
import type { Destination } from './file-report.ts';
import { openFolder } from './folder.ts';
import { filingFolder, type ReportPlace } from './place.ts';

export interface OpenContext {
  readonly cwd: string;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/**
 * The place of a filing: a folder, or an address that begins with `s3://`. PURE.
 * @param at the time of the filing; epoch milliseconds.
 */
export function filingPlace(place: ReportPlace, jobId: string, at: number): string {
  const folder = filingFolder(jobId, at);
  return place.kind === 'folder' ? join(place.path, folder) : `s3://${place.bucket}/${keysOf(place, folder)}`;
}

/**
 * @param at the time of the filing, as for {@link filingPlace}.
 * @param flag the flag that named the place.
 */
export async function openDestination(
  place: ReportPlace,
  jobId: string,
  at: number,
  flag: string,
  { cwd, env }: OpenContext,
): Promise<Destination> {
  const folder = filingFolder(jobId, at);
  if (place.kind === 'folder') return openFolder(cwd, join(place.path, folder), flag);
  const { openBucket } = await import('./s3.ts');
  return openBucket({ bucket: place.bucket, prefix: keysOf(place, folder) }, env);
}

function keysOf({ prefix }: { readonly prefix: string }, folder: string): string {
  return `${prefix === '' ? '' : `${prefix}/`}${folder}/`;
}
