/** The ledger's file: its schema, its migration, its transactions and the lock on a job's sending. */
import { join, resolve } from 'node:path';
import { DatabaseSync, type StatementSync } from 'node:sqlite';
import { CommandError, messageOf } from '../../../errors.ts';
import { ensurePrivate } from '../../../files/private.ts';
import { printable } from '../../../text/printable.ts';
import { schemaSteps } from './schema.ts';

/** Other processes keep the file locked for a short transaction at most. */
const BUSY_MS = 20_000;
/** A process that only asks whether a job is being sent has its lock for a moment. */
const LOCK_PATIENCE_MS = 250;

/** The ledger's file, from the root. */
export function ledgerPath(stateDir: string): string {
  return resolve(stateDir, 'ledger.sqlite');
}

/**
 * Opens the ledger in `stateDir`; creates folder and file if needed.
 * @throws CommandError when it cannot be opened, or a later version of this program has written it.
 */
export function openLedgerFile(stateDir: string): DatabaseSync {
  const path = ledgerPath(stateDir);
  let db: DatabaseSync | undefined;
  try {
    ensurePrivate(path);
    db = new DatabaseSync(path, { timeout: BUSY_MS });
    // FULL: an outcome is deleted from its queue once it is stored, so it must survive a power cut from then on.
    db.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL');
    migrate(db, path);
    return db;
  } catch (error) {
    db?.close();
    if (error instanceof CommandError) throw error;
    throw new CommandError(`The ledger ${printable(path)} cannot be opened: ${printable(messageOf(error))}.`);
  }
}

/** Takes the file from the version it has to the present one, step by step and all or nothing. */
function migrate(db: DatabaseSync, path: string): void {
  const version = (): number => Number(db.prepare('PRAGMA user_version').get()?.user_version);
  const present = schemaSteps.length;
  if (version() === present) return;
  transaction(db, () => {
    // Asked again: another process may have done it meanwhile.
    const found = version();
    if (found > present) {
      throw new CommandError(
        `The ledger ${printable(path)} has schema ${found}; this program knows ${present}. Use the later one.`,
      );
    }
    for (const step of schemaSteps.slice(found)) db.exec(step);
    db.exec(`PRAGMA user_version = ${present}`);
  });
}

/** Each of the texts as a prepared statement. */
export function prepareAll<Name extends string>(
  db: DatabaseSync,
  texts: Readonly<Record<Name, string>>,
): Readonly<Record<Name, StatementSync>> {
  const prepared = Object.entries<string>(texts).map(([name, text]) => [name, db.prepare(text)]);
  return Object.fromEntries(prepared) as Record<Name, StatementSync>;
}

/** Runs `work` as one transaction. When it throws, nothing of it has happened. */
export function transaction<T>(db: DatabaseSync, work: () => T): T {
  db.exec('BEGIN IMMEDIATE');
  try {
    const result = work();
    db.exec('COMMIT');
    return result;
  } catch (error) {
    if (db.isTransaction) db.exec('ROLLBACK');
    throw error;
  }
}

/**
 * Locks a job's sending for this process, by the operating system's lock on a file of its own: so it ends with the
 * process, however that ends.
 * @returns unlocks it, also when called again; or undefined while another process has the lock.
 */
export function lockSending(stateDir: string, key: number): (() => void) | undefined {
  const path = join(stateDir, `sending-${key}.lock`);
  ensurePrivate(path);
  const db = new DatabaseSync(path, { timeout: LOCK_PATIENCE_MS });
  try {
    db.exec('PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE');
    return () => {
      if (db.isOpen) db.close();
    };
  } catch {
    db.close();
    return undefined;
  }
}
