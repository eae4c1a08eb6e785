/** The ledger's file: SQLite, its schema, its transactions. The one place that imports `node:sqlite`. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { EnqueueFailure } from '../../input/faults.ts';
import { printable } from '../../text/printable.ts';

export type { DatabaseSync, StatementSync } from 'node:sqlite';

const VERSION = 2;
/** Another process holds the file for the length of a short transaction, never longer. */
const BUSY_MS = 20_000;
/** Whoever only looks whether a job is being sent holds its lock for a moment. */
const LOCK_PATIENCE_MS = 250;

/**
 * Triggers keep the tallies, so that whoever changes a row, in whichever process, keeps the counts true and reading
 * them costs nothing. Open rows have an index of their own, which is small whatever the job's size.
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

/** Since form 2: the rows of the source that a job's plan left out. They have ended before it began. */
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
 * Opens the ledger in `stateDir`; makes both when they are not there.
 * @throws EnqueueFailure when it cannot be opened, or was made by a later version of this program.
 */
export function openLedgerFile(stateDir: string): DatabaseSync {
  const path = join(stateDir, 'ledger.sqlite');
  let db: DatabaseSync | undefined;
  try {
    mkdirSync(stateDir, { recursive: true, mode: 0o700 });
    db = new DatabaseSync(path, { timeout: BUSY_MS });
    // FULL: an outcome is deleted from its queue once it is here, so "here" has to survive a power cut.
    db.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL');
    migrate(db, path);
    return db;
  } catch (error) {
    db?.close();
    if (error instanceof EnqueueFailure) throw error;
    const reason = error instanceof Error ? error.message : String(error);
    throw new EnqueueFailure(`The ledger ${printable(path)} cannot be opened: ${printable(reason)}.`);
  }
}

function migrate(db: DatabaseSync, path: string): void {
  const version = (): number => Number(db.prepare('PRAGMA user_version').get()?.user_version);
  if (version() === VERSION) return;
  transaction(db, () => {
    const found = version();
    if (found > VERSION) {
      throw new EnqueueFailure(
        `The ledger ${printable(path)} has schema ${found}; this program knows ${VERSION}. Use the later one.`,
      );
    }
    // Another process may have made it meanwhile.
    if (found === VERSION) return;
    db.exec(`${found === 0 ? SCHEMA : ''} ${LEFT_OUT} PRAGMA user_version = ${VERSION}`);
  });
}

/** Runs `work` as one transaction; when it throws, nothing of it has happened. */
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
 * The right to send a job's rows, for one process at a time. Held by the operating system's lock on a file of its
 * own, so that it ends with the process, however that ends.
 * @returns gives it back, or undefined when another process has it.
 */
export function lockSending(stateDir: string, key: number): (() => void) | undefined {
  const db = new DatabaseSync(join(stateDir, `sending-${key}.lock`), { timeout: LOCK_PATIENCE_MS });
  try {
    db.exec('PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE');
    return () => db.close();
  } catch {
    db.close();
    return undefined;
  }
}
