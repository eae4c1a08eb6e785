/**
 * Files a job's report: `report.csv`, `report.json`, and last `manifest.json`, which describes the others. A filing without
 * its manifest is incomplete. Streams: memory holds only a page of rows and the destination's buffers.
 */
import { createHash } from 'node:crypto';
import type { JobRecord } from '../ledger/job.ts';
import type { Ledger } from '../ledger/ledger.ts';
import { rowCountsOf } from '../ledger/row-counts.ts';
import { type ReportFormat, type ReportRow, reportText } from '../view/report.ts';
import type { FiledFile, Manifest } from './manifest.ts';

/** Where files are stored. */
export interface Destination {
  /** The place of the filing: a folder, or `s3://bucket/key/`. */
  readonly place: string;
  /**
   * Stores a file completely, or not at all.
   * @throws CommandError, a sentence that says what to do; and what `chunks` throws.
   */
  put(name: string, contentType: string, chunks: AsyncIterable<Buffer>): Promise<void>;
  close(): void;
}

/** Who files the report, and when. */
export interface Filing {
  /** `user@host`. */
  readonly who: string;
  /** Epoch milliseconds. */
  readonly at: number;
  /** Name and version of this program. */
  readonly program: string;
}

const formats: readonly { readonly format: ReportFormat; readonly name: string; readonly type: string }[] = [
  { format: 'csv', name: 'report.csv', type: 'text/csv; charset=utf-8' },
  { format: 'json', name: 'report.json', type: 'application/json' },
];

/**
 * @returns the manifest.
 * @throws what the destination throws; the signal's reason when it aborts: there is no manifest then.
 */
export async function fileReport(
  ledger: Pick<Ledger, 'pages' | 'unmatched' | 'listed'>,
  job: JobRecord,
  destination: Destination,
  filing: Filing,
  signal: AbortSignal,
): Promise<Manifest> {
  const files: FiledFile[] = [];
  for (const { format, name, type } of formats) {
    const states = new Map<string, number>();
    const count = ({ State }: ReportRow): boolean => {
      states.set(String(State), (states.get(String(State)) ?? 0) + 1);
      return true;
    };
    const measured = new Measured(reportText(ledger, job, format, count), signal);
    await destination.put(name, type, measured);
    const byState = [...states].sort(([a], [b]) => (a < b ? -1 : 1));
    files.push({
      name,
      bytes: measured.bytes,
      sha256: measured.sha256(),
      rows: byState.reduce((sum, [, rows]) => sum + rows, 0),
      byState: Object.fromEntries(byState),
    });
  }
  const manifest = await manifestOf(ledger, job, filing, files);
  const text = `${JSON.stringify(manifest, undefined, 2)}\n`;
  await destination.put('manifest.json', 'application/json', new Measured([text], signal));
  return manifest;
}

async function manifestOf(
  ledger: Pick<Ledger, 'listed'>,
  job: JobRecord,
  { who, at, program }: Filing,
  files: readonly FiledFile[],
): Promise<Manifest> {
  const { plan, jobId } = job;
  const { counts } = await ledger.listed(job);
  return {
    manifest: 1,
    jobId,
    filedAt: new Date(at).toISOString(),
    filedBy: who,
    program,
    plan:
      plan === undefined
        ? null
        : {
            digest: plan.digest,
            source: plan.source,
            issuedAt: plan.issuedAt,
            undoes: plan.undoes ?? null,
            leftOut: plan.leftOut ?? null,
          },
    counts: rowCountsOf(counts),
    files,
  };
}

/** Text as bytes, measured while they pass through. */
class Measured implements AsyncIterable<Buffer> {
  bytes = 0;
  readonly #text: AsyncIterable<string> | Iterable<string>;
  readonly #signal: AbortSignal;
  readonly #hash = createHash('sha256');

  constructor(text: AsyncIterable<string> | Iterable<string>, signal: AbortSignal) {
    this.#text = text;
    this.#signal = signal;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Buffer, undefined> {
    for await (const text of this.#text) {
      this.#signal.throwIfAborted();
      const chunk = Buffer.from(text);
      this.#hash.update(chunk);
      this.bytes += chunk.length;
      yield chunk;
    }
  }

  /** The hash of everything that has passed, in hex. */
  sha256(): string {
    return this.#hash.digest('hex');
  }
}
