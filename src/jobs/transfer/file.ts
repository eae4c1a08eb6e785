/**
 * The file in which a job moves from one ledger to another: a line that identifies it and lists its columns, a line of JSON for
 * each record, and a last line with the number of records and the digest of all lines before it.
 */
import { createHash } from 'node:crypto';
import { misuse } from '../../errors.ts';
import { MAX_LINE_LENGTH, readLines } from '../../input/lines.ts';
import { openSource, type SourceOptions } from '../../input/source.ts';

import { printable } from '../../text/printable.ts';
import {
  columnsOfTable,
  type TransferBatch,
  type TransferTable,
  transferTables,
  wrongColumn,
} from '../ledger/transfer.ts';
import { jobIdSchema } from '../plan/format.ts';

const FORM = 1;

interface Header {
  readonly ExportedJob: string;
  readonly Form: number;
  /** The columns of each table. */
  readonly Columns: Readonly<Record<string, readonly string[]>>;
}

const columns = Object.fromEntries(
  Object.keys(transferTables).map((table) => [table, columnsOfTable(table as TransferTable)]),
);

/** Whether a file with this beginning is such a file. */
export function isExport(beginning: string): boolean {
  return beginning.startsWith('{"ExportedJob":');
}

/** The file's text in chunks. @throws CommandError for a record that does not fit in a line. */
export async function* toText(
  jobId: string,
  batches: AsyncIterable<TransferBatch>,
): AsyncGenerator<string, undefined> {
  const hash = createHash('sha256');
  const hashed = (text: string): string => {
    hash.update(text);
    return text;
  };
  let records = 0;
  const header: Header = { ExportedJob: jobId, Form: FORM, Columns: columns };
  yield hashed(`${JSON.stringify(header)}\n`);
  for await (const batch of batches) {
    records += batch.records.length;
    yield hashed(batch.records.map((record) => `${lineOf(batch.table, record)}\n`).join(''));
  }
  yield `${JSON.stringify({ Records: records, Digest: `sha256:${hash.digest('hex')}` })}\n`;
}

function lineOf(table: TransferTable, record: readonly unknown[]): string {
  const line = JSON.stringify([table, ...record]);
  if (line.length <= MAX_LINE_LENGTH) return line;
  throw misuse(
    `The job cannot be exported: a record of its ${table} has ${line.length} characters; a line can have at most ${MAX_LINE_LENGTH}.`,
  );
}

/** A file of `jobs export`, or stdin for `-`. */
export interface ExportedJob {
  /** See {@link fromText}; may be called again when the previous reading has ended. */
  batches(): AsyncGenerator<TransferBatch, undefined>;
  close(): Promise<void>;
}

/** @throws CommandError if it cannot be opened; the signal's AbortError. */
export async function openExport(file: string, options: Omit<SourceOptions, 'format'>): Promise<ExportedJob> {
  const source = await openSource(file, { ...options, format: 'jsonl' });
  return { batches: () => fromText(source.name, source.chunks()), close: () => source.close() };
}

const REMEDY = 'Export the job again; nothing was entered.';

/**
 * The records of a file, each table's in order; a record of `jobs` is the first one.
 * @param name the user's name for the file.
 * @throws CommandError if it is no such file, was changed, or is truncated. It may throw as late as at the end, so that records already
 * entered must be undone.
 */
export async function* fromText(
  name: string,
  chunks: AsyncIterable<Uint8Array>,
): AsyncGenerator<TransferBatch, undefined> {
  const hash = createHash('sha256');
  const fault = (what: string) => misuse(`${printable(name)} ${what}. ${REMEDY}`);
  let records = 0;
  let ended = false;
  let jobId: string | undefined;
  let batch: { table: TransferTable; records: (string | number | null)[][] } | undefined;
  for await (const { number, text, cut } of readLines(chunks)) {
    if (ended) throw fault(`continues after its last line (line ${number})`);
    const value = cut ? undefined : parsed(text);
    if (jobId === undefined) {
      jobId = requireHeader(value, name);
    } else if (Array.isArray(value)) {
      const [table, ...values] = value as unknown[];
      if (!isTable(table) || (records === 0) !== (table === 'jobs'))
        throw fault(`holds a record that does not belong there (line ${number})`);
      const wrong = wrongColumn(table, values);
      if (wrong !== undefined) throw fault(`was changed: ${wrong} is not as expected (line ${number})`);
      if (table === 'jobs' && values[0] !== jobId) throw fault('was changed: its first lines name two jobs');
      records++;
      if (batch !== undefined && (batch.table !== table || batch.records.length >= 500)) {
        yield batch;
        batch = undefined;
      }
      batch ??= { table, records: [] };
      batch.records.push(values as (string | number | null)[]);
    } else {
      const footer = JSON.stringify({ Records: records, Digest: `sha256:${hash.digest('hex')}` });
      if (text !== footer)
        throw fault(`was changed after it was made: its digest does not match (line ${number})`);
      ended = true;
      continue;
    }
    hash.update(`${text}\n`);
  }
  if (!ended) throw fault('is cut short: its last line is missing');
  if (batch !== undefined) yield batch;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function isTable(table: unknown): table is TransferTable {
  return typeof table === 'string' && Object.hasOwn(transferTables, table);
}

/** @returns the job's name. */
function requireHeader(value: unknown, name: string): string {
  const { ExportedJob: jobId, Form: form, Columns: theirs } = Object(value) as Partial<Header>;
  if (jobId === undefined || !jobIdSchema.safeParse(jobId).success) {
    throw misuse(
      `${printable(name)} is not an exported job: its first line is not that of one. \`jobs export\` writes such files.`,
    );
  }
  if (form !== FORM || JSON.stringify(theirs) !== JSON.stringify(columns)) {
    throw misuse(
      `${printable(name)} was exported by another release. Export and import a job with the same release; nothing was entered.`,
    );
  }
  return jobId;
}
