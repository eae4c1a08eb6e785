/** What is wrong with a file of SQLite, as a sentence. PURE. */
import { errorCode, messageOf } from '../../../errors.ts';
import { printable } from '../../../text/printable.ts';
import { LedgerBusyError, LedgerError, LedgerTakesNoChanges } from '../shared/error.ts';

/** SQLite's result codes, without what extends them (sqlite.org/rescode.html). */
export const sqliteCodes = {
  error: 1,
  busy: 5,
  locked: 6,
  readOnly: 8,
  inputOutput: 10,
  corrupt: 11,
  full: 13,
  cannotOpen: 14,
  notADatabase: 26,
} as const;

/** SQLite's result code of an error; undefined of any other error. */
export function sqliteCode(error: unknown): number | undefined {
  if (errorCode(error) !== 'ERR_SQLITE_ERROR') return undefined;
  const { errcode } = error as { errcode?: unknown };
  return typeof errcode === 'number' ? errcode & 0xff : undefined;
}

const ANOTHER =
  'Restore a copy of it, or move it away: the next command that needs a ledger begins a new one, without these jobs';

/** An error of SQLite about the ledger's file as a LedgerError; any other error as it is. @param what `The ledger /x/y`. */
export function explainSqlite(error: unknown, what: string): unknown {
  const code = sqliteCode(error);
  if (code === undefined) return error;
  const said = `${what} ${sentence(code, printable(messageOf(error)))}.`;
  const busy = code === sqliteCodes.busy || code === sqliteCodes.locked;
  if (busy) return new LedgerBusyError(said, error);
  return code === sqliteCodes.full ? new LedgerTakesNoChanges(said, error) : new LedgerError(said, error);
}

function sentence(code: number, said: string): string {
  switch (code) {
    case sqliteCodes.busy:
    case sqliteCodes.locked:
      return `is locked by another process (${said}). Run the command again when that process has ended`;
    case sqliteCodes.readOnly:
      return `cannot be written (${said}). Run the command as the user who owns it, or let this user write the file and its folder`;
    case sqliteCodes.full:
      return `has no space left: the disk is full (${said}). What it holds is kept: free some space and run the command again`;
    case sqliteCodes.inputOutput:
      return `cannot be read or written: the disk reports an error (${said}). Check that disk and its free space`;
    case sqliteCodes.corrupt:
      return `is damaged (${said}). ${ANOTHER}`;
    case sqliteCodes.notADatabase:
      return `is not an SQLite database (${said}). It was not changed. ${ANOTHER}`;
    case sqliteCodes.cannotOpen:
      return `cannot be opened (${said}). This user must be allowed to write the file and its folder`;
    default:
      if (/no such (?:table|column)/.test(said)) return `is incomplete (${said}). ${ANOTHER}`;
      return `cannot be used (${said})`;
  }
}
