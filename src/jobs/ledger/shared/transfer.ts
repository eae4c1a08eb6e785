/** How a job leaves a ledger and enters one; the same for every database. */
import type { NewAuditLine, StateChange } from '../job.ts';
import {
  columnsOfTable,
  type ImportOptions,
  objectsOf,
  type TransferBatch,
  type TransferTable,
  transferTables,
} from '../transfer.ts';
import { type Raw, toJob, toState } from './records.ts';
import { stateColumns } from './steering.ts';

const PAGE_RECORDS = 500;
/** An outcome may claim a message id of any length; the ids of a row are never this long. */
const MAX_MESSAGE_ID = 1_000;

type Select = (
  text: string,
  values: Readonly<Record<string, string | number>>,
) => readonly Raw[] | Promise<readonly Raw[]>;

/** How to find the records of a job, and the column that orders them; null: they are few. */
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

/**
 * All records of a job in batches, the job's own record first. A job that is elsewhere is given the state that it had.
 * @param select reads as of one moment. @param copy whether the export is only a copy.
 */
export async function* recordsOf(
  job: number,
  copy: boolean,
  select: Select,
): AsyncGenerator<TransferBatch, undefined> {
  for (const table of tablesInOrder) {
    const { of, place } = sources[table];
    const columns = columnsOfTable(table);
    const toRecord = (raw: Raw) => columns.map((column) => raw[column] as string | number | null);
    if (place === null) {
      const order = table === 'files' ? ' ORDER BY before' : '';
      const own = table === 'jobs' ? ', kept_state' : '';
      const found = await select(`SELECT ${columns.join(', ')}${own} FROM ${table} WHERE ${of}${order}`, {
        job,
      });
      const records = table === 'jobs' ? found.map((raw) => leaving(raw, copy)) : found;
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

function leaving(raw: Raw, copy: boolean): Raw {
  const { kept } = toState(raw);
  const { keptState: _, now, who, why, moves: __, ...state } = stateColumns(kept ?? toState(raw));
  return { ...raw, ...state, state_since: now, state_who: who, state_why: why, is_copy: copy ? 1 : 0 };
}

const jobColumns = [...columnsOfTable('jobs'), 'kept_state'];

/** Enters the job itself, unless this ledger has one of its name; gives its key. Parameters are named like the columns. */
export const enterJob = `INSERT INTO jobs (${jobColumns.join(', ')}) VALUES (${jobColumns.map((name) => `:${name}`).join(', ')})
  ON CONFLICT (job_id) DO UPDATE SET ${jobColumns.map((name) => `${name} = excluded.${name}`).join(', ')}
  WHERE jobs.digest IS NULL OR jobs.state = 'elsewhere' RETURNING key`;

/** The job `:job_id` as it is here. The parameter is named like the column. */
export const jobHere = 'SELECT * FROM jobs WHERE job_id = :job_id';

/** The database operations that enter a job, within one transaction. */
export interface JobEntry {
  /** {@link jobHere}, locked. */
  readonly here: (jobId: string) => Raw | undefined | Promise<Raw | undefined>;
  /** Ensures that no other process takes the job's lease before the transaction ends. @returns false: a process has it. */
  readonly hold: (job: number) => boolean | Promise<boolean>;
  /** {@link clearStatements}. */
  readonly clear: (job: number) => void | Promise<void>;
  /** {@link enterJob}. */
  readonly enterJob: (
    record: Readonly<Record<string, string | number | null>>,
  ) => Raw | undefined | Promise<Raw | undefined>;
  /** Records of another table. Existing records stay. */
  readonly enter: (job: number, batch: TransferBatch) => void | Promise<void>;
}

/** The result of an import, and the job's key if there is more to do with it. */
export type Entry =
  | { readonly end: 'entered' | 'copied'; readonly key: number }
  | { readonly end: 'take-over'; readonly key: number }
  | { readonly end: 'here' | 'moved' | 'copy' | 'older' | 'busy' };

/** Reads all batches whatever becomes of the job: whether a file is intact is known only at its end. */
export async function enterAll(
  batches: AsyncIterable<TransferBatch>,
  entry: JobEntry,
  given: ImportOptions,
  now: number,
): Promise<Entry> {
  let became: Entry = { end: 'here' };
  for await (const batch of batches) {
    if (batch.table === 'jobs') {
      const [record = {}] = objectsOf(batch);
      // JSON that holds no valid settings must not get in.
      toJob(record);
      became = await enterOne(record, entry, given, now);
    } else if (became.end === 'entered' || became.end === 'copied') await entry.enter(became.key, batch);
  }
  return became;
}

async function enterOne(
  record: Readonly<Record<string, string | number | null>>,
  entry: JobEntry,
  { who, from, takeOver = false }: ImportOptions,
  now: number,
): Promise<Entry> {
  const here = await entry.here(String(record.job_id));
  const may = mayEnter(here, record, takeOver);
  if (may !== 'enter' && may !== 'take-over') return { end: may };
  // A process with the lease exports or prunes the job, and would continue with a different job than it began with.
  if (here !== undefined && !(await entry.hold(Number(here.key)))) return { end: 'busy' };
  if (may === 'take-over') return { end: may, key: Number(here?.key) };
  if (typeof here?.digest === 'string') await entry.clear(Number(here.key));
  const isCopy = record.is_copy === 1 && !takeOver;
  const entered = await entry.enterJob({
    ...record,
    kept_state: null,
    is_copy: 0,
    ...(isCopy && {
      state: 'elsewhere',
      towards: null,
      state_since: now,
      state_who: who,
      state_why: `A copy, from ${from}`,
      kept_state: JSON.stringify(toState(record)),
      is_copy: 1,
    }),
  });
  if (entered === undefined) return { end: 'here' };
  return { end: isCopy ? 'copied' : 'entered', key: Number(entered.key) };
}

/**
 * What becomes of a job in a file, depending on the job of that name in this ledger. PURE.
 * @returns `enter`: replace what is here. `take-over`: continue what is here, since the file has nothing newer.
 */
function mayEnter(
  here: Raw | undefined,
  file: Raw,
  takeOver: boolean,
): 'enter' | 'take-over' | 'here' | 'moved' | 'copy' | 'older' {
  if (typeof here?.digest !== 'string') return 'enter';
  // A job with the same name but another start is another job.
  if (here.state !== 'elsewhere' || here.created_at !== file.created_at) return 'here';
  // Nobody can send it any more. It does not count as a move, since it stays cancelled where it was.
  if (file.state === 'cancelled' && file.is_copy === 0) return 'enter';
  const moves = Number(file.moves) - Number(here.moves);
  if (moves < 0) return 'older';
  if (moves > 0) return 'enter';
  if (here.is_copy === 1) return Number(file.updated_at) < Number(here.updated_at) ? 'older' : 'enter';
  // The ledger that the job was moved to may have made this copy, and still sends the job.
  if (!takeOver) return file.is_copy === 1 ? 'copy' : 'moved';
  // Part of an incomplete job may have been pruned.
  return file.updated_at === here.state_since && here.complete === 1 ? 'take-over' : 'enter';
}

/** The change that takes back a job that was moved from this ledger. */
export function takingOver({ who, why }: ImportOptions): StateChange {
  return { event: 'take-over', who, ...(why !== undefined && { why }) };
}

/** @param job `job_id`, `digest` and `rows` of the job. */
export function importedLine(
  { who, why, takeOver }: ImportOptions,
  { job_id: subject, digest, rows, is_copy: isCopy }: Raw = {},
): NewAuditLine {
  const detail = {
    digest,
    rows,
    ...(isCopy === 1 && { copy: true }),
    ...(takeOver === true && { takenOver: true }),
  };
  return { who, what: 'import', subject: String(subject), why, detail };
}
