/** The ledger's file: its schema, its migration, its transactions and the lock on a job's sending. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync, type StatementSync } from 'node:sqlite';
import { CommandError, messageOf } from '../../../errors.ts';
import { printable } from '../../../text/printable.ts';

const SCHEMA_VERSION = 2;
/** Other processes keep the file locked for a short transaction at most. */
const BUSY_MS = 20_000;
/** A process that only asks whether a job is being sent has its lock for a moment. */
const LOCK_PATIENCE_MS = 250;

/**
 * Triggers keep the tallies, so that every process that changes a row keeps the counts right and reading them is cheap.
 * Rows that have not ended have indexes of their own, which are small whatever the job's size.
 *
 * `parked` has the outcomes of no row, `strays` the messages that were no outcomes.
 */
const SCHEMA = `
CREATE TABLE jobs (
  key INTEGER PRIMARY KEY,
  job_id TEXT NOT NULL UNIQUE,
  path TEXT, source TEXT, digest TEXT, issued_at TEXT,
  rows INTEGER NOT NULL DEFAULT 0,
  complete INTEGER NOT NULL DEFAULT 0,
  guards TEXT NOT NULL DEFAULT '{}',
  counting TEXT NOT NULL DEFAULT '{"good":0,"failed":0,"canaryPassed":false}',
  maybe_twice INTEGER NOT NULL DEFAULT 0,
  stopped TEXT,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL
) STRICT;

CREATE TABLE rows (
  job INTEGER NOT NULL,
  row INTEGER NOT NULL,
  identifier TEXT NOT NULL,
  description TEXT,
  configuration TEXT,
  former TEXT,
  state TEXT NOT NULL DEFAULT 'planned',
  try INTEGER NOT NULL DEFAULT 1,
  sends INTEGER NOT NULL DEFAULT 0,
  sent_at INTEGER,
  cause TEXT NOT NULL DEFAULT '',
  reason TEXT, error TEXT, attempts INTEGER, at TEXT,
  reconciled INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (job, row)
) STRICT, WITHOUT ROWID;
CREATE INDEX rows_planned ON rows (job, row) WHERE state = 'planned';
CREATE INDEX rows_sending ON rows (job, row) WHERE state = 'sending';
CREATE INDEX rows_sent ON rows (job, row) WHERE state = 'sent';

CREATE TABLE tallies (
  job INTEGER NOT NULL, state TEXT NOT NULL, cause TEXT NOT NULL,
  rows INTEGER NOT NULL, calls INTEGER NOT NULL, calls_of INTEGER NOT NULL,
  PRIMARY KEY (job, state, cause)
) STRICT, WITHOUT ROWID;
CREATE TRIGGER rows_added AFTER INSERT ON rows BEGIN
  INSERT INTO tallies VALUES (new.job, new.state, new.cause, 1, 0, 0)
    ON CONFLICT DO UPDATE SET rows = rows + 1;
END;
CREATE TRIGGER rows_changed AFTER UPDATE OF state, cause, attempts ON rows BEGIN
  UPDATE tallies SET rows = rows - 1, calls = calls - ifnull(old.attempts, 0),
    calls_of = calls_of - (ifnull(old.attempts, 0) > 0)
    WHERE job = old.job AND state = old.state AND cause = old.cause;
  INSERT INTO tallies VALUES
    (new.job, new.state, new.cause, 1, ifnull(new.attempts, 0), ifnull(new.attempts, 0) > 0)
    ON CONFLICT DO UPDATE SET rows = rows + 1, calls = calls + excluded.calls,
      calls_of = calls_of + excluded.calls_of;
END;

CREATE TABLE parked (
  seq INTEGER PRIMARY KEY,
  job INTEGER NOT NULL,
  name TEXT NOT NULL,
  identifier TEXT, state TEXT NOT NULL, reason TEXT, error TEXT, attempts INTEGER, at TEXT,
  UNIQUE (job, name)
) STRICT;

CREATE TABLE strays (
  seq INTEGER PRIMARY KEY,
  message_id TEXT NOT NULL UNIQUE,
  received_at INTEGER NOT NULL,
  fault TEXT NOT NULL,
  body TEXT NOT NULL
) STRICT;
`;

/** Since version 2: the rows that a job's plan left out. */
const LEFT_OUT = `
ALTER TABLE jobs ADD COLUMN left_out TEXT;

CREATE TABLE left_out (
  job INTEGER NOT NULL,
  row INTEGER NOT NULL,
  state TEXT NOT NULL,
  identifier TEXT, description TEXT, configuration TEXT, reason TEXT,
  PRIMARY KEY (job, row)
) STRICT, WITHOUT ROWID;
`;

/**
 * Opens the ledger in `stateDir`; creates folder and file if needed.
 * @throws CommandError when it cannot be opened, or a later version of this program has written it.
 */
export function openLedgerFile(stateDir: string): DatabaseSync {
  const path = join(stateDir, 'ledger.sqlite');
  let db: DatabaseSync | undefined;
  try {
    mkdirSync(stateDir, { recursive: true, mode: 0o700 });
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

function migrate(db: DatabaseSync, path: string): void {
  const version = (): number => Number(db.prepare('PRAGMA user_version').get()?.user_version);
  if (version() === SCHEMA_VERSION) return;
  transaction(db, () => {
    const found = version();
    if (found > SCHEMA_VERSION) {
      throw new CommandError(
        `The ledger ${printable(path)} has schema ${found}; this program knows ${SCHEMA_VERSION}. Use the later one.`,
      );
    }
    // Another process may have done it meanwhile.
    if (found === SCHEMA_VERSION) return;
    db.exec(`${found === 0 ? SCHEMA : ''} ${LEFT_OUT} PRAGMA user_version = ${SCHEMA_VERSION}`);
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
  const db = new DatabaseSync(join(stateDir, `sending-${key}.lock`), { timeout: LOCK_PATIENCE_MS });
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
