/** How a job leaves a ledger and enters one, the same way in every database. */
import type { NewAuditLine } from '../job.ts';
import {
  columnsOfTable,
  objectsOf,
  type TransferBatch,
  type TransferTable,
  transferTables,
} from '../transfer.ts';
import { type Raw, toJob } from './records.ts';

const PAGE_RECORDS = 500;
/** An outcome may claim any message id; no row's is as long. */
const MAX_MESSAGE_ID = 1_000;

type Select = (
  text: string,
  values: Readonly<Record<string, string | number>>,
) => readonly Raw[] | Promise<readonly Raw[]>;

/** Of whom the records are, and by what they are ordered; null: there are few. */
const sources: Readonly<Record<TransferTable, { readonly of: string; readonly place: string | null }>> = {
  jobs: { of: 'key = :job', place: null },
  files: { of: 'job = :job', place: null },
  rows: { of: 'job = :job', place: 'row' },
  left_out: { of: 'job = :job', place: 'row' },
  parked: { of: `job = :job AND length(message_id) <= ${MAX_MESSAGE_ID}`, place: 'seq' },
  runs: { of: 'job = :job', place: 'seq' },
  audit: { of: 'subject = (SELECT job_id FROM jobs WHERE key = :job)', place: 'seq' },
};

export const tablesInOrder = Object.keys(transferTables) as readonly TransferTable[];

/** All records of a job, its own first, in batches. @param select reads as of one moment. */
export async function* recordsOf(job: number, select: Select): AsyncGenerator<TransferBatch, undefined> {
  for (const table of tablesInOrder) {
    const { of, place } = sources[table];
    const columns = columnsOfTable(table);
    const toRecord = (raw: Raw) => columns.map((column) => raw[column] as string | number | null);
    if (place === null) {
      const order = table === 'files' ? ' ORDER BY before' : '';
      const records = await select(`SELECT ${columns.join(', ')} FROM ${table} WHERE ${of}${order}`, { job });
      if (records.length > 0) yield { table, records: records.map(toRecord) };
      continue;
    }
    const text = `SELECT ${columns.join(', ')}, ${place} AS place FROM ${table}
      WHERE ${of} AND ${place} > :after ORDER BY ${place} LIMIT ${PAGE_RECORDS}`;
    for (let after = 0; ; ) {
      const page = await select(text, { job, after });
      if (page.length === 0) break;
      yield { table, records: page.map(toRecord) };
      after = Number(page.at(-1)?.place);
    }
  }
}

const jobColumns = columnsOfTable('jobs');

/** Enters the job itself, unless one with a plan has its name; gives its key. Its parameters are the columns' names. */
export const enterJob = `INSERT INTO jobs (${jobColumns.join(', ')}) VALUES (${jobColumns.map((name) => `:${name}`).join(', ')})
  ON CONFLICT (job_id) DO UPDATE SET ${jobColumns.map((name) => `${name} = excluded.${name}`).join(', ')}
  WHERE jobs.digest IS NULL RETURNING key`;

/** What a database does to enter a job, within one transaction. */
export interface JobEntry {
  /** {@link enterJob}. */
  readonly enterJob: (
    record: Readonly<Record<string, string | number | null>>,
  ) => Raw | undefined | Promise<Raw | undefined>;
  /** Records of another table. What is there already stays. */
  readonly enter: (job: number, batch: TransferBatch) => void | Promise<void>;
}

/** @returns the job's key; undefined where a job with a plan has its name: then nothing was entered. */
export async function enterAll(
  batches: AsyncIterable<TransferBatch>,
  entry: JobEntry,
): Promise<number | undefined> {
  let key: number | undefined;
  for await (const batch of batches) {
    if (batch.table === 'jobs') {
      const [record = {}] = objectsOf(batch);
      // What is JSON, and no settings, must not get in.
      toJob(record);
      const entered = await entry.enterJob(record);
      if (entered === undefined) return undefined;
      key = Number(entered.key);
    } else if (key !== undefined) await entry.enter(key, batch);
  }
  return key;
}

/** @param job `job_id`, `digest` and `rows` of the job. */
export function importedLine(who: string, { job_id: subject, digest, rows }: Raw = {}): NewAuditLine {
  return { who, what: 'import', subject: String(subject), why: undefined, detail: { digest, rows } };
}
