/** How a job leaves a ledger and enters one, the same way in every database. */
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

/**
 * All records of a job, its own first, in batches. A job that is elsewhere has the state that it was in.
 * @param select reads as of one moment. @param copy whether it is only a copy that leaves.
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

/** Enters the job itself, unless this ledger has one of its name; gives its key. Its parameters are the columns' names. */
export const enterJob = `INSERT INTO jobs (${jobColumns.join(', ')}) VALUES (${jobColumns.map((name) => `:${name}`).join(', ')})
  ON CONFLICT (job_id) DO UPDATE SET ${jobColumns.map((name) => `${name} = excluded.${name}`).join(', ')}
  WHERE jobs.digest IS NULL OR jobs.state = 'elsewhere' RETURNING key`;

/** The job `:job_id` as it is here; its parameter's name is that of the column. */
export const jobHere = 'SELECT * FROM jobs WHERE job_id = :job_id';

/** What a database does to enter a job, within one transaction. */
export interface JobEntry {
  /** {@link jobHere}, locked. */
  readonly here: (jobId: string) => Raw | undefined | Promise<Raw | undefined>;
  /** Sees to it that no other process takes the lease of a job that is here before the transaction is over. @returns false: one has it. */
  readonly hold: (job: number) => boolean | Promise<boolean>;
  /** {@link clearStatements}. */
  readonly clear: (job: number) => void | Promise<void>;
  /** {@link enterJob}. */
  readonly enterJob: (
    record: Readonly<Record<string, string | number | null>>,
  ) => Raw | undefined | Promise<Raw | undefined>;
  /** Records of another table. What is there already stays. */
  readonly enter: (job: number, batch: TransferBatch) => void | Promise<void>;
}

/** What an import comes to, and the job's key where there is one to go on with. */
export type Entry =
  | { readonly end: 'entered' | 'copied'; readonly key: number }
  | { readonly end: 'take-over'; readonly key: number }
  | { readonly end: 'here' | 'moved' | 'copy' | 'older' | 'busy' };

/** All batches are read, whatever becomes of the job: a file is what it says only at its end. */
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
      // What is JSON, and no settings, must not get in.
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
  // Whoever has it exports or prunes it, and would go on with another job than it began with.
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
 * What becomes of a job in a file, by what this ledger has of that name. PURE.
 * @returns `enter`: in the place of what is here. `take-over`: what is here goes on, since the file has nothing newer.
 */
function mayEnter(
  here: Raw | undefined,
  file: Raw,
  takeOver: boolean,
): 'enter' | 'take-over' | 'here' | 'moved' | 'copy' | 'older' {
  if (typeof here?.digest !== 'string') return 'enter';
  // Another job of that name has another beginning.
  if (here.state !== 'elsewhere' || here.created_at !== file.created_at) return 'here';
  // Nobody can send it any more; and it is not counted as a move, since it stays so where it was.
  if (file.state === 'cancelled' && file.is_copy === 0) return 'enter';
  const moves = Number(file.moves) - Number(here.moves);
  if (moves < 0) return 'older';
  if (moves > 0) return 'enter';
  if (here.is_copy === 1) return Number(file.updated_at) < Number(here.updated_at) ? 'older' : 'enter';
  // The ledger that it was moved to may have made the copy, and sends it.
  if (!takeOver) return file.is_copy === 1 ? 'copy' : 'moved';
  // Of what is not complete, a part may have been pruned.
  return file.updated_at === here.state_since && here.complete === 1 ? 'take-over' : 'enter';
}

/** The change that makes a job that was moved from here this ledger's again. */
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
