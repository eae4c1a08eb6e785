import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { expect, onTestFinished, test } from 'vitest';
import { CommandError } from '../../../src/errors.ts';
import { openLedger } from '../../../src/jobs/ledger/sqlite/ledger.ts';
import { describeLedger, enterJob, type LedgerStore, leaseOf, now, outcome } from './contract.ts';

function sqliteStore(): LedgerStore & { readonly folder: string } {
  const folder = mkdtempSync(join(tmpdir(), 'ledger-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const open = async () => {
    const ledger = await openLedger(folder, () => now);
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

test('a ledger of a later version is left alone', async () => {
  const { folder, open } = sqliteStore();
  await open();
  change(folder, 'PRAGMA user_version = 3');
  await expect(openLedger(folder, Date.now)).rejects.toThrow(CommandError);
});

test('a ledger of an earlier version is migrated', async () => {
  const { folder, open } = sqliteStore();
  const before = await open();
  const key = await enterJob(before, 2);
  await (await leaseOf(before, key)).claim(1);
  await before.end([outcome({})]);
  change(folder, 'DROP TABLE left_out; ALTER TABLE jobs DROP COLUMN left_out; PRAGMA user_version = 1');
  const ledger = await open();
  expect((await ledger.job('j'))?.plan).toMatchObject({ rows: 2, leftOut: undefined });
  expect(await ledger.count(key)).toMatchObject({ total: 2, applied: 1 });
  await ledger.enter(key, [{ Row: 3, LeftOut: 'refused', Reason: 'no' }]);
  const rows = (await Array.fromAsync(ledger.pages(key))).flat();
  expect(rows[2]).toEqual({ Row: 3, LeftOut: 'refused', Reason: 'no' });
  expect(await ledger.lastRow(key)).toBe(3);
});
