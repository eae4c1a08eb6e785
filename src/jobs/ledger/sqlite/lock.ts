/** The lock on a job's sending: the operating system's, on a file of its own, so it ends with the process, however that ends. */
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { causeOf } from '../../../errors.ts';
import { ensurePrivate } from '../../../files/private.ts';
import { printable } from '../../../text/printable.ts';
import { LedgerError } from '../shared/error.ts';
import { explainSqlite, sqliteCode, sqliteCodes } from './errors.ts';

/** A process that only asks whether a job is being sent has its lock for a moment. */
const PATIENCE_MS = 250;

/**
 * Locks a job's sending for this process.
 * @returns unlocks it, also when called again; or undefined while another process has the lock.
 * @throws LedgerError when the file of the lock cannot be used.
 */
export function lockSending(stateDir: string, key: number): (() => void) | undefined {
  const path = pathOf(stateDir, key);
  try {
    ensurePrivate(path);
  } catch (error) {
    throw new LedgerError(
      `${whatIs(path)} cannot be used: ${printable(causeOf(error))}. This user must be allowed to make and write files in STATE_DIR.`,
    );
  }
  // Waiting is for those who only ask: a process that has the lock keeps it.
  if (isSendingLocked(stateDir, key)) return undefined;
  return asked(path, () => {
    const db = new DatabaseSync(path, { timeout: PATIENCE_MS });
    try {
      db.exec('PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE');
    } catch (error) {
      db.close();
      throw error;
    }
    return () => {
      if (db.isOpen) db.close();
    };
  });
}

/** Whether a process has the lock. Only reads, and never waits: everything else would wait with it. */
export function isSendingLocked(stateDir: string, key: number): boolean {
  const path = pathOf(stateDir, key);
  if (!existsSync(path)) return false;
  const read = asked(path, () => {
    const db = new DatabaseSync(path, { readOnly: true });
    try {
      return db.prepare('SELECT count(*) FROM sqlite_master').get();
    } finally {
      db.close();
    }
  });
  return read === undefined;
}

function pathOf(stateDir: string, key: number): string {
  return resolve(stateDir, `sending-${key}.lock`);
}

function whatIs(path: string): string {
  return `The lock ${printable(path)}`;
}

/** What `use` gives; undefined while another process has the lock. */
function asked<T>(path: string, use: () => T): T | undefined {
  try {
    return use();
  } catch (error) {
    if (sqliteCode(error) === sqliteCodes.busy) return undefined;
    throw explainSqlite(error, whatIs(path));
  }
}
