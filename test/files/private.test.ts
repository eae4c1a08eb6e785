/** What the program writes is for its own user alone, whichever command comes first, and never goes through a link. */
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, expect, onTestFinished, test } from 'vitest';
import { openAudit } from '../../src/dead-letters/changes/audit.ts';
import { withNewFile } from '../../src/dead-letters/commands/output.ts';
import { OutputFile } from '../../src/files/output-file.ts';
import { appendPrivate, createPrivate, ensurePrivate } from '../../src/files/private.ts';
import { RefusedFile } from '../../src/input/refused.ts';
import { PLAN_FORM } from '../../src/jobs/plan/format.ts';
import { PlanWriter } from '../../src/jobs/plan/writer.ts';
import { openFileLedger } from '../../testing/stages/file-ledger.ts';

let folder: string;
let state: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'private-'));
  state = join(folder, 'a', 'state');
  const before = process.umask(0);
  onTestFinished(() => {
    process.umask(before);
    rmSync(folder, { recursive: true });
  });
});

/** Mode of every file and folder, by its path. */
function modes(): Record<string, string> {
  const names = readdirSync(folder, { recursive: true, encoding: 'utf8' }).toSorted();
  return Object.fromEntries(
    names.map((name) => [name, (statSync(join(folder, name)).mode & 0o777).toString(8)]),
  );
}

const audit = async (): Promise<void> => {
  const log = await openAudit(state, { run: 'r', action: 'purge', by: 'me', reason: 'x' }, () => 0);
  await log.write({ event: 'begin', what: {} });
  await log.close();
};
const ledger = async (): Promise<void> => {
  const opened = await openFileLedger(state, () => 0);
  await opened.begin({
    jobId: 'j',
    path: 'p',
    source: 's',
    digest: 'd',
    rows: 1,
    leftOut: { alreadyAsWanted: 0, refused: 0, duplicates: 0 },
    who: 'ann@ops1',
  });
  const lease = await opened.lease(1);
  onTestFinished(async () => {
    await lease?.release();
    await opened.close();
  });
};

test.each([
  ['the log of changes', [audit, ledger]],
  ['the ledger', [ledger, audit]],
])('when %s is the first to need the state folder', async (_what, commands) => {
  for (const command of commands) await command();
  expect(modes()).toEqual({
    a: '700',
    'a/state': '700',
    'a/state/dead-letters.log': '600',
    'a/state/ledger.sqlite': '600',
    'a/state/ledger.sqlite-shm': '600',
    'a/state/ledger.sqlite-wal': '600',
    'a/state/sending-1.lock': '600',
    'a/state/sending-1.lock-journal': '600',
  });
});

test('a plan, an export, refused rows and what is on its way to them', async () => {
  const plan = new PlanWriter('plan', { cwd: folder });
  plan.begin({ Plan: PLAN_FORM, JobId: 'j', Source: 's', CreatedAt: '2026-11-25T07:00:00.000Z' });
  plan.add({ Row: 1, Identifier: 'a1', Description: 'x' });
  const refused = new RefusedFile(undefined, 'refused.csv', { cwd: folder });
  for (let line = 0; line < 300; line++) refused.add({ line, reason: 'r', raw: 'x' });
  expect(Object.keys(modes())).toEqual([
    expect.stringMatching(/^plan\.[0-9a-f]{12}\.part$/),
    expect.stringMatching(/^refused\.csv\.[0-9a-f]{12}\.part$/),
  ]);
  expect(new Set(Object.values(modes()))).toEqual(new Set(['600']));
  plan.finish();
  refused.finish();
  await withNewFile('export', folder, (write) => write('x'));
  expect(modes()).toEqual({ export: '600', plan: '600', 'refused.csv': '600' });
});

test('a folder that is there keeps its mode', async () => {
  mkdirSync(state, { recursive: true, mode: 0o770 });
  await audit();
  expect(modes()).toMatchObject({ 'a/state': '770', 'a/state/dead-letters.log': '600' });
});

const anything = { title: 'It', flag: '--out', replaces: { noun: 'one', isOurs: () => true } };

test('nothing is written through a link, and none is replaced', async () => {
  const target = join(folder, 'target');
  const link = join(folder, 'link');
  for (const kept of [true, false]) {
    if (kept) writeFileSync(target, 'kept');
    symlinkSync(target, link);
    await expect(appendPrivate(link)).rejects.toThrow('ELOOP');
    expect(() => ensurePrivate(link)).toThrow('ELOOP');
    expect(() => createPrivate(link)).toThrow('EEXIST');
    const output = () => new OutputFile(anything, 'link', { cwd: folder, force: true });
    expect(output).toThrow('it is a link');
    rmSync(link);
    const early = output();
    early.write('x');
    // Somebody puts a link there meanwhile.
    symlinkSync(target, link);
    expect(() => early.place()).toThrow('already exists');
    expect(existsSync(target) && readFileSync(target, 'utf8')).toBe(kept && 'kept');
    rmSync(link);
    rmSync(target, { force: true });
  }
  expect(readdirSync(folder)).toEqual([]);
});
