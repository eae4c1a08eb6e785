/** The lock on sending a job: an operating-system lock on a separate file, which ends with the process, however it ends. */
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { causeOf } from '../../../errors.ts';
import { ensurePrivate } from '../../../files/private.ts';
import { printable } from '../../../text/printable.ts';
import { LedgerBusyError, LedgerError } from '../shared/error.ts';
import type { Database } from './database.ts';
import { explainSqlite, sqliteCode, sqliteCodes } from './errors.ts';

/** A process that only checks whether a job is being sent holds its lock for a moment. In milliseconds. */
const ASKED_MS = 250;

/**
 * Locks a job's sending for this process; other work goes on meanwhile.
 * @returns a function that unlocks it and may be called again; undefined while another process has the lock.
 * @throws LedgerError if the lock file cannot be used.
 */
export async function lockedSoon(
  db: Database,
  stateDir: string,
  key: number,
): Promise<(() => void) | undefined> {
  return await db.whenFree(() => lockSending(stateDir, key, 0), { ms: ASKED_MS }).catch(nothingIfBusy);
}

/** The same, for a caller that cannot wait asynchronously. */
export function lockedNow(stateDir: string, key: number): (() => void) | undefined {
  try {
    return lockSending(stateDir, key, ASKED_MS);
  } catch (error) {
    return nothingIfBusy(error);
  }
}

function nothingIfBusy(error: unknown): undefined {
  if (!(error instanceof LedgerBusyError)) throw error;
}

/**
 * @returns a function that unlocks it; undefined while another process has the lock and keeps it.
 * @throws LedgerBusyError if another process has the lock for a moment, most likely only to check it.
 */
function lockSending(stateDir: string, key: number, waitMs: number): (() => void) | undefined {
  const path = pathOf(stateDir, key);
  try {
    ensurePrivate(path);
  } catch (error) {
    throw new LedgerError(
      `${whatIs(path)} cannot be used: ${printable(causeOf(error))}. This user must be allowed to make and write files in STATE_DIR.`,
    );
  }
  if (isSendingLocked(stateDir, key)) return undefined;
  let db: DatabaseSync | undefined;
  try {
    db = new DatabaseSync(path, { timeout: waitMs });
    db.exec('PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE');
  } catch (error) {
    db?.close();
    throw explainSqlite(error, whatIs(path));
  }
  const held = db;
  return () => {
    if (held.isOpen) held.close();
  };
}

/** Whether a process has the lock. Only reads, and never waits: the whole program would wait with it. */
export function isSendingLocked(stateDir: string, key: number): boolean {
  const path = pathOf(stateDir, key);
  if (!existsSync(path)) return false;
  let db: DatabaseSync | undefined;
  try {
    db = new DatabaseSync(path, { readOnly: true, timeout: 0 });
    db.prepare('SELECT count(*) FROM sqlite_master').get();
    return false;
  } catch (error) {
    if (sqliteCode(error) === sqliteCodes.busy) return true;
    throw explainSqlite(error, whatIs(path));
  } finally {
    db?.close();
  }
}

function pathOf(stateDir: string, key: number): string {
  return resolve(stateDir, `sending-${key}.lock`);
}

function whatIs(path: string): string {
  return `The lock ${printable(path)}`;
}
