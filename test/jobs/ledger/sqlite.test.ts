import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { expect, onTestFinished, test, vi } from 'vitest';
import { CommandError } from '../../../src/errors.ts';
import { schemaSteps } from '../../../src/jobs/ledger/sqlite/schema.ts';
import { openFileLedger } from '../../../testing/stages/file-ledger.ts';
import { describeLedger, type LedgerStore, leaseOf, newJob, now, outcome } from './contract.ts';

function sqliteStore(): LedgerStore & { readonly folder: string } {
  const folder = mkdtempSync(join(tmpdir(), 'ledger-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const open = async (wall = () => now) => {
    const ledger = await openFileLedger(folder, wall);
    onTestFinished(() => ledger.close());
    return ledger;
  };
  return { folder, open };
}

describeLedger('the ledger in SQLite', sqliteStore);

function change(folder: string, sql: string): void {
  const db = new DatabaseSync(join(folder, 'ledger.sqlite'));
  db.exec(sql);
  db.close();
}

// An outcome is deleted from its queue once it is stored.
test('what is stored is to survive a power cut from then on', async () => {
  const asked = vi.spyOn(DatabaseSync.prototype, 'exec');
  onTestFinished(() => asked.mockRestore());
  await sqliteStore().open();
  expect(asked).toHaveBeenCalledWith(expect.stringContaining('PRAGMA synchronous = FULL'));
});

test('a ledger of a later version is left alone', async () => {
  const { folder, open } = sqliteStore();
  await open();
  change(folder, `PRAGMA user_version = ${schemaSteps.length + 1}`);
  await expect(openFileLedger(folder, Date.now)).rejects.toThrow(CommandError);
});

test.each([1, 2])('a ledger of version %i is migrated, step by step', async (version) => {
  const { folder, open } = sqliteStore();
  change(
    folder,
    `${schemaSteps.slice(0, version).join('')} PRAGMA user_version = ${version};
    INSERT INTO jobs (job_id, path, source, digest, issued_at, rows, complete, created_at, updated_at)
      VALUES ('j', 'p', 's', 'd', '2026-11-25T07:00:00.000Z', 2, 1, 0, 0);
    INSERT INTO rows (job, row, identifier, description) VALUES (1, 1, 't1', 'new'), (1, 2, 't2', 'new');
    UPDATE rows SET state = 'sent', sends = 1;
    INSERT INTO parked (job, name, state) VALUES (1, 'row-000017', 'applied'), (0, 'm-7', 'applied');`,
  );
  const ledger = await open();
  const job = await ledger.job('j');
  expect(job?.plan).toMatchObject({ rows: 2, leftOut: undefined, state: { name: 'stopped', since: 0 } });
  const values = { Description: 'new', IssuedAt: '2026-11-25T07:00:00.000Z' };
  await ledger.end([outcome(values), outcome({ MessageId: 'row-000017', RequestId: 'row-000017' })]);
  expect(await ledger.count(1)).toMatchObject({ total: 2, applied: 1 });
  expect((await Array.fromAsync(ledger.unmatched(1))).flat()).toMatchObject([{ name: 'row-000017' }]);
  await ledger.enter(1, [{ Row: 3, LeftOut: 'refused', Reason: 'no' }]);
  const rows = (await Array.fromAsync(ledger.pages(1))).flat();
  expect(rows[2]).toEqual({ Row: 3, LeftOut: 'refused', Reason: 'no' });
  expect(await ledger.lastRow(1)).toBe(3);
});

test('a ledger of version 9 that has sent rows knows when the last of them was, and goes on from there', async () => {
  const { folder, open } = sqliteStore();
  change(
    folder,
    `${schemaSteps.slice(0, 9).join('')} PRAGMA user_version = 9;
    INSERT INTO jobs (job_id, path, source, digest, issued_at, rows, complete, created_at, updated_at)
      VALUES ('j', 'p', 's', 'd', '2026-11-25T07:00:00.000Z', 3, 1, 0, 0);
    INSERT INTO rows (job, row, identifier, description, state, sent_at)
      VALUES (1, 1, 't1', 'new', 'sent', ${now + 8}), (1, 2, 't2', 'new', 'sent', ${now + 9}), (1, 3, 't3', 'new', 'planned', NULL);`,
  );
  const ledger = await open(() => now);
  expect(await ledger.lastSent(1)).toBe(now + 9);
  await (await leaseOf(ledger, 1)).claim(1);
  expect(await ledger.lastSent(1)).toBe(now + 10);
  const db = new DatabaseSync(join(folder, 'ledger.sqlite'), { readOnly: true });
  expect(db.prepare('PRAGMA user_version').get()).toEqual({ user_version: schemaSteps.length });
  db.close();
});

test.each([8, schemaSteps.length - 1])(
  'a ledger of version %i gives no key of a deleted job again either',
  async (earlier) => {
    const { folder, open } = sqliteStore();
    change(
      folder,
      `${schemaSteps.slice(0, earlier).join('')} PRAGMA user_version = ${earlier};
    INSERT INTO jobs (job_id, path, source, digest, issued_at, rows, complete, state, state_why, created_at, updated_at)
      VALUES ('j', 'p', 's', 'd', '2026-11-25T07:00:00.000Z', 2, 1, 'done', 'why', 0, 0);`,
    );
    const ledger = await open(() => now);
    const before = await ledger.job('j');
    expect(before?.plan).toMatchObject({ rows: 2, state: { name: 'done', why: 'why' } });
    while ((await ledger.pruneJob(before?.key ?? 0, now, 5)) === 'more');
    const { key } = await ledger.begin(newJob);
    expect(key).toBeGreaterThan(before?.key ?? 0);
  },
);
