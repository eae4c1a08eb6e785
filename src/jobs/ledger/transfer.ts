/**
 * A job as it moves from one ledger to another: the records of each table, with the columns that every kind of database has. Internal
 * data of a ledger (keys, sequences, tallies, leases) is created anew, and notices stay in the ledger where they arose. PURE.
 */
import { leftOutStates } from '../plan/format.ts';
import { rowStates } from './row.ts';
import { jobStates, restingStates } from './state.ts';

/** The type of a column; `?`: or null. An array: one of its values. */
type ColumnKind = 'text' | 'text?' | 'whole' | 'whole?' | 'json' | 'json?' | readonly (string | null)[];

const outcomeStates = ['applied', 'superseded', 'dead-lettered'];
const endColumns = { reason: 'text?', error: 'json?', attempts: 'whole?', at: 'text?' } as const;
const valueColumns = { description: 'text?', configuration: 'text?' } as const;

/** Tables in the order in which they are entered. */
export const transferTables = {
  jobs: {
    job_id: 'text',
    path: 'text',
    source: 'text',
    digest: 'text',
    issued_at: 'text',
    rows: 'whole',
    complete: 'whole',
    guards: 'json',
    counting: 'json',
    maybe_twice: 'whole',
    left_out: 'json?',
    undoes: 'text?',
    enqueued: 'whole',
    // A job that is moved is exported with the state that it had before.
    state: jobStates.filter((name) => name !== 'elsewhere'),
    towards: [null, ...restingStates],
    state_since: 'whole',
    state_who: 'text',
    state_why: 'text?',
    moves: 'whole',
    is_copy: 'whole',
    created_at: 'whole',
    updated_at: 'whole',
  },
  files: {
    digest: 'text',
    source: 'text',
    before: 'whole',
    last: 'whole',
    rows: 'whole',
    issued_at: 'text',
    complete: 'whole',
  },
  rows: {
    row: 'whole',
    identifier: 'text',
    ...valueColumns,
    former: 'json?',
    state: rowStates,
    try: 'whole',
    sends: 'whole',
    sent_at: 'whole?',
    cause: 'text',
    ...endColumns,
    reconciled: 'whole',
    message_ids: 'text',
    request_id: 'text?',
    row_issued_at: 'text?',
  },
  left_out: { row: 'whole', state: leftOutStates, identifier: 'text?', ...valueColumns, reason: 'text?' },
  parked: {
    message_id: 'text',
    name: 'text',
    row: 'whole?',
    identifier: 'text?',
    state: outcomeStates,
    ...endColumns,
  },
  runs: { started_at: 'whole', ms: 'whole', rows: 'whole' },
  audit: { at: 'whole', who: 'text', what: 'text', subject: 'text', why: 'text?', detail: 'json' },
} as const satisfies Readonly<Record<string, Readonly<Record<string, ColumnKind>>>>;

export type TransferTable = keyof typeof transferTables;
type Cell = string | number | null;

/** Records of one table, each an array of values in the order of the table's columns. */
export interface TransferBatch {
  readonly table: TransferTable;
  readonly records: readonly (readonly Cell[])[];
}

export interface ImportOptions {
  readonly who: string;
  readonly why?: string;
  /** The file's name. */
  readonly from: string;
  /** This ledger is to send the job, whatever another ledger has: a copy, or a job that was moved from here. */
  readonly takeOver?: boolean;
}

/**
 * - `entered`: this ledger has the job.
 * - `copied`: the job is elsewhere here, because the file is a copy.
 * - `taken-over`: a job that was moved from here continues here.
 *
 * Nothing was changed:
 * - `here`: this ledger has a job of that name.
 * - `moved`: the job was moved from here by this export.
 * - `copy`: the job was moved from here, and the file is a copy of it.
 * - `older`: the job was moved on, or copied, since the file was written.
 * - `busy`: another process has the job's lease.
 */
export type ImportEnd = 'entered' | 'copied' | 'taken-over' | 'here' | 'moved' | 'copy' | 'older' | 'busy';

/** The names of the columns, in order. */
export function columnsOfTable(table: TransferTable): readonly string[] {
  return Object.keys(transferTables[table]);
}

/** Whether a column holds whole numbers. */
export function isWhole(table: TransferTable, column: string): boolean {
  const kinds: Readonly<Record<string, ColumnKind>> = transferTables[table];
  return kinds[column] === 'whole' || kinds[column] === 'whole?';
}

/** The records as objects. */
export function objectsOf({ table, records }: TransferBatch): Record<string, Cell>[] {
  const columns = columnsOfTable(table);
  return records.map((record) => Object.fromEntries(columns.map((column, i) => [column, record[i] ?? null])));
}

/** @param values as read from a file. @returns the first column whose value has the wrong type; undefined: all are right. */
export function wrongColumn(table: TransferTable, values: readonly unknown[]): string | undefined {
  const kinds: readonly (readonly [string, ColumnKind])[] = Object.entries(transferTables[table]);
  if (values.length !== kinds.length) return 'the number of values';
  return kinds.find(([, kind], i) => !isOfKind(values[i], kind))?.[0];
}

function isOfKind(value: unknown, kind: ColumnKind): boolean {
  if (typeof kind === 'object') return kind.some((one) => one === value);
  if (value === null) return kind.endsWith('?');
  if (kind === 'whole' || kind === 'whole?') return Number.isSafeInteger(value) && Number(value) >= 0;
  if (typeof value !== 'string') return false;
  return kind === 'text' || kind === 'text?' || isJsonObject(value);
}

function isJsonObject(text: string): boolean {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value);
  } catch {
    return false;
  }
}
