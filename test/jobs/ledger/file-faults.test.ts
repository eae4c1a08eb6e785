/** A ledger's file that cannot be used, by what SQLite and the system really answer. */
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { expect, onTestFinished, test } from 'vitest';
import { Waiting } from '../../../src/jobs/ledger/shared/waiting.ts';
import { Database } from '../../../src/jobs/ledger/sqlite/database.ts';
import { tryLedgerFile } from '../../../src/jobs/ledger/sqlite/file.ts';
import { schemaSteps } from '../../../src/jobs/ledger/sqlite/schema.ts';
import { sleep, systemClock } from '../../../src/time/clock.ts';
import { openFileLedger } from '../../../testing/stages/file-ledger.ts';
import { newJob, now } from './contract.ts';

function folder(): string {
  const path = mkdtempSync(join(tmpdir(), 'ledger-'));
  onTestFinished(() => rmSync(path, { recursive: true }));
  return path;
}

const context = { clock: systemClock, sleep, random: Math.random };
const unlocked = new Waiting(
  context,
  { ms: 0 },
  {
    backoff: { baseMs: 0, maxMs: 0 },
    tellAfterMs: 0,
    what: 'The ledger',
    isLocked: () => false,
    isAway: () => false,
    error: () => expect.fail(),
    explain: (error) => error,
    sayAway: () => '',
    sayBack: () => '',
  },
);

/** A database with one table, made by `make`, and opened as the ledger opens its own. */
function database(make: (db: DatabaseSync) => void, open: (path: string) => DatabaseSync): Database {
  const path = join(folder(), 'x.sqlite');
  const db = new DatabaseSync(path);
  make(db);
  const found = new Database(() => open(path), 'The ledger x', unlocked);
  onTestFinished(() => {
    found.close();
    if (db.isOpen) db.close();
  });
  return found;
}

const table = (db: DatabaseSync): void => db.exec('CREATE TABLE t (x TEXT)');

test.each<[string, (db: DatabaseSync) => void, (path: string) => DatabaseSync, RegExp]>([
  [
    'full',
    table,
    (path) => {
      const db = new DatabaseSync(path);
      db.exec('PRAGMA max_page_count = 2');
      return db;
    },
    /^The ledger x has no space left: the disk is full \(database or disk is full\)\. What it holds is kept: free some space and run the command again\.$/,
  ],
  [
    'locked',
    (db) => {
      table(db);
      db.exec('BEGIN EXCLUSIVE');
    },
    (path) => new DatabaseSync(path, { timeout: 0 }),
    /^The ledger x is locked by another process \(database is locked\)\. Run the command again when/,
  ],
  [
    'read-only',
    table,
    (path) => new DatabaseSync(path, { readOnly: true }),
    /^The ledger x cannot be written \(.*readonly database\)\. Run the command as the user who owns it/,
  ],
  [
    'without its table',
    (db) => db.exec('CREATE TABLE u (x TEXT)'),
    (path) => new DatabaseSync(path),
    /^The ledger x is incomplete \(no such table: t\)\. Restore a copy of it, or move it away/,
  ],
  [
    'malformed',
    (db) => {
      table(db);
      db.close();
    },
    (path) => {
      const bytes = readFileSync(path);
      writeFileSync(path, bytes.fill(0xff, 4_096));
      return new DatabaseSync(path);
    },
    /^The ledger x is damaged \(database disk image is malformed\)\./,
  ],
])('a ledger that is %s is told in a sentence', (_what, make, open, sentence) => {
  const db = database(make, open);
  expect(() => db.transaction(() => db.prepare('INSERT INTO t VALUES (?)').run('x'.repeat(50_000)))).toThrow(
    expect.objectContaining({ name: 'LedgerError', exitCode: 1, message: expect.stringMatching(sentence) }),
  );
});

test.each<[string, (state: string) => void, RegExp]>([
  [
    'STATE_DIR is a file',
    (state) => writeFileSync(state, ''),
    /cannot be used: a part of the path is not a folder \(ENOTDIR\)\. Set STATE_DIR/,
  ],
  [
    'the ledger is a folder',
    (state) => mkdirSync(join(state, 'ledger.sqlite'), { recursive: true }),
    /it is a folder \(EISDIR\)/,
  ],
  [
    'the ledger is a link',
    (state) => {
      mkdirSync(state);
      symlinkSync('/etc/hostname', join(state, 'ledger.sqlite'));
    },
    /cannot be used: it is a symbolic link, or .* \(ELOOP\)/,
  ],
  [
    'the ledger is of another program',
    (state) => {
      mkdirSync(state);
      new DatabaseSync(join(state, 'ledger.sqlite')).exec('CREATE TABLE theirs (x)');
    },
    /^\/.*ledger\.sqlite is a database of another program, not a ledger\. It was not changed\. Set STATE_DIR to another folder\.$/,
  ],
])('%s: the sentence says so', async (_what, make, sentence) => {
  const state = join(folder(), 'state');
  make(state);
  for (const use of ['create', 'read'] as const) {
    await expect(openFileLedger(state, () => now, use)).rejects.toThrow(
      expect.objectContaining({ name: 'LedgerError', exitCode: 1, message: expect.stringMatching(sentence) }),
    );
  }
});

test.each([0, 1, schemaSteps.length])(
  'a database of another program, which has given it the version %d, stays as it is',
  async (version) => {
    const state = folder();
    const path = join(state, 'ledger.sqlite');
    const db = new DatabaseSync(path);
    db.exec(`CREATE TABLE jobs (id, what); CREATE TABLE rows (x); PRAGMA user_version = ${version}`);
    db.close();
    const before = readFileSync(path);
    for (const use of ['create', 'write', 'read'] as const)
      await expect(openFileLedger(state, () => now, use)).rejects.toThrow(
        'ledger.sqlite is a database of another program, not a ledger. It was not changed.',
      );
    expect(await tryLedgerFile(state, context)).toEqual({
      fault: expect.stringContaining('of another program'),
    });
    expect(readFileSync(path).equals(before)).toBe(true);
    expect(readdirSync(state)).toEqual(['ledger.sqlite']);
  },
);

test('the lock of a job that cannot be used is not taken for another process', async () => {
  const state = folder();
  const ledger = await openFileLedger(state, () => now);
  onTestFinished(() => ledger.close());
  writeFileSync(join(state, 'sending-1.lock'), 'x'.repeat(2_000));
  mkdirSync(join(state, 'sending-2.lock'));
  const sentence = (what: RegExp) =>
    expect.objectContaining({ name: 'LedgerError', message: expect.stringMatching(what) });
  await expect(ledger.lease(1)).rejects.toThrow(sentence(/^The lock \/.*sending-1\.lock .* not a database/));
  await expect(ledger.isLeased(1)).rejects.toThrow(
    sentence(/^The lock \/.*sending-1\.lock .* not a database/),
  );
  await expect(ledger.lease(2)).rejects.toThrow(
    sentence(/^The lock \/.*sending-2\.lock cannot be used: it is a folder \(EISDIR\)\./),
  );
});

test('a ledger that is not there is read as an empty one, and nothing is made', async () => {
  const path = folder();
  const ledger = await openFileLedger(join(path, 'state'), () => now, 'read');
  expect(ledger.access).toBe('none');
  expect(await ledger.jobs()).toEqual([]);
  expect(await ledger.isLeased(1)).toBe(false);
  await ledger.close();
  expect(readdirSync(path)).toEqual([]);
});

test('a value that is not as the ledger wrote it is damage, and no bug', async () => {
  const state = folder();
  const ledger = await openFileLedger(state, () => now);
  onTestFinished(() => ledger.close());
  await ledger.begin(newJob);
  const db = new DatabaseSync(join(state, 'ledger.sqlite'));
  db.exec("UPDATE jobs SET guards = '{oops'");
  db.close();
  await expect(ledger.jobs()).rejects.toThrow(
    expect.objectContaining({
      name: 'LedgerError',
      exitCode: 1,
      message: expect.stringMatching(/^The ledger is damaged: .*\. Restore an earlier copy of it\.$/),
    }),
  );
});
