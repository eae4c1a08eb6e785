/** Where a report is filed: a folder, or an S3 bucket. PURE. */
import { misuse } from '../../errors.ts';
import { shortPrintable } from '../../text/printable.ts';

export type ReportPlace =
  | { readonly kind: 's3'; readonly bucket: string; readonly prefix: string }
  | { readonly kind: 'folder'; readonly path: string };

const BUCKET = /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/;
/** Characters that every tool for listing buckets can show. S3 allows 1,024 bytes for a whole key; job and file need 200. */
const PREFIX = /^[A-Za-z0-9!_.*'()\-/=]{0,800}$/;

/**
 * Reads `s3://bucket/prefix`, or a folder.
 * @param flag the flag with this value.
 * @throws CommandError for a text that is neither.
 */
export function readReportPlace(flag: string, text: string): ReportPlace {
  const scheme = /^([a-z0-9+.-]{2,}):\/\//i.exec(text)?.[1];
  if (scheme === undefined) return { kind: 'folder', path: text };
  const shown = shortPrintable(text, 300);
  if (scheme.toLowerCase() !== 's3')
    throw misuse(`${flag} ${shown}: give a folder, or a bucket as in s3://BUCKET/PREFIX.`);
  const [bucket = '', ...rest] = text.slice('s3://'.length).split('/');
  if (!BUCKET.test(bucket))
    throw misuse(
      `${flag} ${shown}: "${shortPrintable(bucket)}" is not a valid bucket name: give 3 to 63 lowercase letters, digits, dots and hyphens.`,
    );
  const prefix = rest.filter((part) => part !== '').join('/');
  if (!PREFIX.test(prefix))
    throw misuse(
      `${flag} ${shown}: a prefix has at most 800 characters: letters, digits and !_.*'()-/=, without spaces.`,
    );
  return { kind: 's3', bucket, prefix };
}

/**
 * The folder of one filing inside the place: `JOB/20261129T070000.000Z`. It differs for every filing, so that nothing is ever
 * replaced.
 * @param at epoch milliseconds.
 */
export function filingFolder(jobId: string, at: number): string {
  // A job name may consist only of dots, which lead elsewhere, and may contain colons, which not every file system allows.
  const name = jobId.replaceAll(':', '_').replace(/^\.+$/, (dots) => '_'.repeat(dots.length));
  return `${name}/${new Date(at).toISOString().replace(/[-:]/g, '')}`;
}
