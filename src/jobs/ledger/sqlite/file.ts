/** The ledger's file: how it is opened, for writing or read-only, and its migration. */
import { closeSync, constants, existsSync, openSync, statSync } from 'node:fs';
import { resolve } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { pathToFileURL } from 'node:url';
import { causeOf, errorCode, exitCodes } from '../../../errors.ts';
import { ensurePrivate } from '../../../files/private.ts';
import { printable } from '../../../text/printable.ts';
import type { LedgerAccess, LedgerUse } from '../ledger.ts';
import { type LedgerContext, LOCKED_MS, openingPatience, type Patience } from '../shared/context.ts';
import { LedgerBusyError, LedgerError } from '../shared/error.ts';
import { Waiting } from '../shared/waiting.ts';
import { Database } from './database.ts';
import { sqliteCode, sqliteCodes } from './errors.ts';
import { schemaSteps } from './schema.ts';

/** SQLite does not wait for locks: see database.ts. */
const NO_WAIT = { timeout: 0 } as const;
const PATIENCE: Patience = { ms: LOCKED_MS };

export type FileContext = Pick<LedgerContext, 'clock' | 'sleep' | 'random' | 'patience'>;

const { O_NOFOLLOW = 0, O_RDONLY, O_RDWR } = constants;

/** Absolute path of the ledger's file. */
export function ledgerPath(stateDir: string): string {
  return resolve(stateDir, 'ledger.sqlite');
}

export interface OpenFile {
  readonly db: Database;
  readonly access: LedgerAccess;
}

/**
 * Opens the ledger in `stateDir` for `use`. Only `create` creates a file or a folder.
 * @throws LedgerError if it cannot be opened, is not a ledger, or was written by a later version of this program.
 */
export async function openLedgerFile(
  stateDir: string,
  use: LedgerUse,
  context: FileContext,
): Promise<OpenFile> {
  const path = ledgerPath(stateDir);
  // Opening must report a wrong setting soon.
  const opening = waitingFor(path, context, openingPatience(context.patience ?? PATIENCE));
  return await opening.for(() =>
    openNow(path, use, () => waitingFor(path, context, context.patience ?? PATIENCE)),
  );
}

/** Each connection gets a Waiting of its own, which ends with the connection. */
type MakeWaiting = () => Waiting;

function waitingFor(path: string, context: FileContext, patience: Patience): Waiting {
  return new Waiting(context, patience, {
    what: whatIs(path),
    backoff: { baseMs: 5, maxMs: 100 },
    tellAfterMs: 1_000,
    isAway: (error) => error instanceof LedgerBusyError,
    isLocked: () => true,
    error: (error) => error as LedgerBusyError,
    explain: (error) => error,
    sayAway: () => 'is locked by another process',
    sayBack: (seconds) => `is free again after ${seconds} s`,
  });
}

/** @throws LedgerBusyError while another process has the file locked: then nothing is open. */
function openNow(path: string, use: LedgerUse, waiting: MakeWaiting): OpenFile {
  const found = use === 'create' ? create(path) : accessTo(path);
  if (found === 'none') {
    const db = new Database(() => new DatabaseSync(':memory:'), whatIs(path), waiting());
    migrate(db, path);
    return { db, access: found };
  }
  try {
    if (found === 'write') return { db: openForWriting(path, waiting), access: found };
  } catch (error) {
    // The file may be writable but not its folder, or the disk is full: SQLite keeps new data in files beside it at first.
    if (use !== 'read' || !isWithoutRoom(error)) throw error;
  }
  if (use === 'read') return { db: openForReading(path, waiting), access: 'read' };
  throw new LedgerError(
    `${whatIs(path)} is read-only for this user. Run the command as the user who owns it, or let this user write the file and its folder.`,
  );
}

/**
 * Checks whether the ledger in `stateDir` can be used. Changes nothing, not even its schema.
 * @returns undefined if there is none; else why it cannot be used, as a sentence, or that it can.
 */
export async function tryLedgerFile(
  stateDir: string,
  context: FileContext,
): Promise<{ readonly fault: string | undefined } | undefined> {
  const path = ledgerPath(stateDir);
  const make = (): Waiting => waitingFor(path, context, context.patience ?? PATIENCE);
  return await make()
    .for(() => tryNow(path, make))
    .catch(faultOf);
}

function faultOf(error: unknown): { readonly fault: string } {
  if (error instanceof LedgerError) return { fault: error.message.replace(/\.$/, '') };
  throw error;
}

function tryNow(path: string, waiting: MakeWaiting): { readonly fault: string | undefined } | undefined {
  const access = accessTo(path);
  if (access === 'none') return undefined;
  // Without this file nobody has the ledger open, and a reader would have to create the file.
  const db = existsSync(`${path}-wal`)
    ? new Database(() => new DatabaseSync(path, { ...NO_WAIT, readOnly: true }), whatIs(path), waiting())
    : openAlone(path, waiting);
  opened(db, () => {
    refuseOthers(db, path);
    if (versionOf(db) > 0) db.prepare('SELECT 1 FROM jobs LIMIT 1').get();
  }).close();
  return { fault: access === 'write' ? undefined : `${whatIs(path)} is read-only for this user` };
}

/** For a file that nobody else has open: SQLite then does not watch for other processes. */
function openAlone(path: string, waiting: MakeWaiting): Database {
  const url = pathToFileURL(path);
  url.searchParams.set('immutable', '1');
  return new Database(() => new DatabaseSync(url, { readOnly: true }), whatIs(path), waiting(), path);
}

function whatIs(path: string): string {
  return `The ledger ${printable(path)}`;
}

const { readOnly, cannotOpen, inputOutput, full } = sqliteCodes;
const withoutRoom: ReadonlySet<number | undefined> = new Set([readOnly, cannotOpen, inputOutput, full]);

/** Whether SQLite may be unable to create its files beside the ledger's, while the ledger itself can be read. */
function isWithoutRoom(error: unknown): boolean {
  return error instanceof LedgerError && withoutRoom.has(sqliteCode(error.cause));
}

function create(path: string): 'write' {
  try {
    ensurePrivate(path);
    return 'write';
  } catch (error) {
    throw unusable(path, error);
  }
}

function accessTo(path: string): LedgerAccess {
  if (isOpened(path, O_RDWR)) return 'write';
  return isOpened(path, O_RDONLY) ? 'read' : 'none';
}

/** @returns false if the file does not exist, or may not be opened for writing. */
function isOpened(path: string, flags: number): boolean {
  try {
    closeSync(openSync(path, flags | O_NOFOLLOW));
    return true;
  } catch (error) {
    const code = errorCode(error);
    if (code === 'ENOENT') return false;
    if (flags === O_RDWR && (code === 'EACCES' || code === 'EPERM' || code === 'EROFS')) return false;
    throw unusable(path, error);
  }
}

function unusable(path: string, error: unknown): LedgerError {
  const remedy =
    errorCode(error) === 'ENOSPC' || errorCode(error) === 'EDQUOT'
      ? 'Free some space'
      : 'Set STATE_DIR to a folder in which this user may make and write files';
  return new LedgerError(`${whatIs(path)} cannot be used: ${printable(causeOf(error))}. ${remedy}.`);
}

function openForWriting(path: string, waiting: MakeWaiting): Database {
  const db = new Database(() => new DatabaseSync(path, NO_WAIT), whatIs(path), waiting());
  return opened(db, () => {
    refuseOthers(db, path);
    // FULL: an outcome is deleted from its queue once it is stored, so it must survive a power cut from then on.
    db.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL');
    migrate(db, path);
  });
}

function openForReading(path: string, waiting: MakeWaiting): Database {
  const watched = new Database(
    () => new DatabaseSync(path, { ...NO_WAIT, readOnly: true }),
    whatIs(path),
    waiting(),
  );
  const check = (db: Database) => () => {
    refuseOthers(db, path);
    const version = versionOf(db);
    if (version === schemaSteps.length) return;
    throw new LedgerError(
      `${whatIs(path)} is from an earlier version of this program, and this user may only read it. ` +
        'Run the command `jobs list` once as the user who owns it.',
    );
  };
  try {
    return opened(watched, check(watched));
  } catch (error) {
    // Otherwise nobody has it open, and SQLite cannot create the files through which it watches for other processes.
    if (!isWithoutRoom(error) || holdsMore(path)) throw error;
    const alone = openAlone(path, waiting);
    return opened(alone, check(alone));
  }
}

/** Whether a process ended before everything it wrote was in the file itself. */
function holdsMore(path: string): boolean {
  return (statSync(`${path}-wal`, { throwIfNoEntry: false })?.size ?? 0) > 0;
}

function opened(db: Database, prepare: () => void): Database {
  try {
    prepare();
    return db;
  } catch (error) {
    db.close();
    throw error;
  }
}

function versionOf(db: Database): number {
  return Number(db.prepare('PRAGMA user_version').get()?.user_version);
}

/** @throws LedgerError for a database of another program, or of a later version of this one. */
function refuseOthers(db: Database, path: string): void {
  const version = versionOf(db);
  const present = schemaSteps.length;
  if (version > present) {
    throw new LedgerError(
      `${whatIs(path)} is from a later version of this program: its schema is ${version}, and this version knows only ${present}. Use the later version.`,
      undefined,
      exitCodes.misuse,
    );
  }
  const isEmpty = db.prepare('SELECT 1 FROM sqlite_master LIMIT 1').get() === undefined;
  // Other programs also set a version on their files.
  const isOurs =
    version > 0 && db.prepare("SELECT 1 FROM sqlite_master WHERE name = 'tallies'").get() !== undefined;
  if (isEmpty || isOurs) return;
  throw new LedgerError(
    `${printable(path)} is a database of another program, not a ledger. It was not changed. Set STATE_DIR to another folder.`,
  );
}

/** Migrates the file from its version to the present one, step by step, all or nothing. */
function migrate(db: Database, path: string): void {
  const present = schemaSteps.length;
  if (versionOf(db) === present) return;
  db.transaction(() => {
    // Checked again: another process may have migrated meanwhile.
    refuseOthers(db, path);
    for (const step of schemaSteps.slice(versionOf(db))) db.exec(step);
    db.exec(`PRAGMA user_version = ${present}`);
  });
}
