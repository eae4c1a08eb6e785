import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, expect, onTestFinished, test } from 'vitest';
import { tryState as tryPlace } from '../../src/check/state-folder.ts';
import { sleep, systemClock } from '../../src/time/clock.ts';
import { freePort } from '../../testing/redis/ports.ts';
import { openFileLedger } from '../../testing/stages/file-ledger.ts';

const context = { clock: systemClock, sleep, random: Math.random };

const tryState = (stateDir: string, room?: Parameters<typeof tryPlace>[2]) =>
  tryPlace({ stateDir, ledgerUrl: undefined }, context, room);

function folder(): string {
  const path = mkdtempSync(join(tmpdir(), 'state-'));
  onTestFinished(() => rmSync(path, { recursive: true }));
  return path;
}

test('a folder that is there, and one that can be made, are well; none is made', async () => {
  const path = folder();
  expect(await tryState(path)).toMatchObject({ path, fault: undefined });
  expect(await tryState(join(path, 'a', 'b'))).toMatchObject({ fault: undefined });
  expect(existsSync(join(path, 'a'))).toBe(false);
});

test('a file in its place is named, with the path of what is wrong', async () => {
  const file = join(folder(), 'file');
  writeFileSync(file, '');
  expect((await tryState(file)).fault).toBe('it is not a folder');
  expect((await tryState(join(file, 'a'))).fault).toBe('a part of the path is not a folder (ENOTDIR)');
});

test('on a full disk nothing can be kept; a file system without a size is not full', async () => {
  const path = folder();
  const room = (blocks: number) => async () => ({ blocks, bavail: 0 });
  expect((await tryState(path, room(64))).fault).toBe('the disk is full');
  expect((await tryState(join(path, 'a'), room(64))).fault).toBe(`${path}: the disk is full`);
  expect((await tryState(path, room(0))).fault).toBeUndefined();
});

describe('the ledger of jobs', () => {
  /** What the folder holds, and every byte of it. */
  const contents = (path: string) =>
    readdirSync(path).map((name) => [name, readFileSync(join(path, name)).toString('base64')]);

  test('that is there is looked at and left as it is, whoever has it open', async () => {
    const path = folder();
    const ledger = await openFileLedger(path, Date.now);
    expect(await tryState(path)).toMatchObject({ ledger: { fault: undefined } });
    await ledger.close();
    const before = contents(path);
    expect(await tryState(path)).toMatchObject({ ledger: { fault: undefined } });
    expect(contents(path)).toEqual(before);
  });

  test.each<[string, (path: string) => void, RegExp]>([
    ['no database', (path) => writeFileSync(path, 'x'.repeat(5_000)), /not a database/],
    [
      'of a later version',
      (path) => {
        const db = new DatabaseSync(path);
        db.exec('CREATE TABLE jobs (a); PRAGMA user_version = 99');
        db.close();
      },
      /later version/,
    ],
    [
      'without its tables',
      (path) => {
        const db = new DatabaseSync(path);
        db.exec('PRAGMA user_version = 1');
        db.close();
      },
      /no such table: jobs/,
    ],
  ])('that is %s is a sentence', async (_, make, sentence) => {
    const path = folder();
    make(join(path, 'ledger.sqlite'));
    const before = contents(path);
    const { fault, ledger } = await tryState(path);
    expect(fault).toBeUndefined();
    expect(ledger?.fault).toMatch(sentence);
    expect(contents(path)).toEqual(before);
  });

  test('in a PostgreSQL that is away is a sentence without its password, whatever the folder', async () => {
    const port = await freePort();
    const ledgerUrl = `postgres://ann:hunter2@127.0.0.1:${port}/jobs`;
    const { ledger } = await tryPlace({ stateDir: folder(), ledgerUrl }, context);
    expect(ledger).toEqual({
      setting: 'LEDGER_URL',
      fault: expect.stringMatching(
        new RegExp(
          `^The ledger postgres://127\\.0\\.0\\.1:${port}/jobs cannot be reached: connection refused`,
        ),
      ),
    });
    expect(JSON.stringify(ledger)).not.toContain('hunter2');
  });
});
