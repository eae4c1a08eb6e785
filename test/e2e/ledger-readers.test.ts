/** A user who may read the ledger and not write it: root reads and writes everything, so this user has a process of its own. */
import { execFile } from 'node:child_process';
import { chmodSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, onTestFinished, test } from 'vitest';
import { otaProgram, surroundings } from '../../testing/processes/ota.ts';
import { openFileLedger } from '../../testing/stages/file-ledger.ts';
import { newJob } from '../jobs/ledger/contract.ts';

const NOBODY = 65_534;
const queues = {
  QUEUE_URL: 'http://127.0.0.1:1/0/updates',
  OUTCOME_QUEUE_URL: 'http://127.0.0.1:1/0/outcomes',
  AWS_REGION: 'eu-west-1',
};
const other = process.getuid?.() === 0 ? { uid: NOBODY, gid: NOBODY } : {};

test('a user who may only read the ledger sees the jobs, also while another process has it open', async () => {
  const state = mkdtempSync(join(tmpdir(), 'ledger-'));
  onTestFinished(() => rmSync(state, { recursive: true }));
  const openOne = () => openFileLedger(state, Date.now);
  const readOnly = (): void => {
    for (const name of readdirSync(state)) chmodSync(join(state, name), 0o444);
    chmodSync(state, 0o555);
  };
  const run = async (...args: readonly string[]) => {
    readOnly();
    const env = { ...surroundings, STATE_DIR: state, ...queues };
    const program = [...otaProgram(), 'jobs', ...args];
    const ran = await promisify(execFile)(process.execPath, program, { env, ...other }).catch(
      (error: { stdout: string; stderr: string; code: number }) => error,
    );
    chmodSync(state, 0o755);
    return ran;
  };
  const first = await openOne();
  const { key } = await first.begin(newJob);
  await first.enter(key, [{ Row: 1, Identifier: 't1', Description: 'new' }]);
  await first.close();

  const status = await run('status', 'j');
  expect(status.stdout).toContain('job j: 0 of 1 row ended');
  expect(status.stderr).toBe(
    'Outcomes that wait on the queue are not collected: the ledger is read-only here.\n',
  );
  const resume = await run('resume', 'j');
  expect(resume).toMatchObject({
    code: 1,
    stderr: `The ledger ${state}/ledger.sqlite is read-only for this user. Run the command as the user who owns it, or let this user write the file and its folder.\n`,
  });
  expect(readdirSync(state)).toEqual(['ledger.sqlite']);

  chmodSync(join(state, 'ledger.sqlite'), 0o644);
  const second = await openOne();
  onTestFinished(() => second.close());
  await second.enter(key, [{ Row: 2, Identifier: 't2', Description: 'new' }]);
  const report = await run('report', 'j');
  expect(report.stdout).toMatch(/^2,t2,new/m);
});

test('a ledger on a full disk can be read, and not taken for one where there is more in its log', async () => {
  const state = mkdtempSync(join(tmpdir(), 'ledger-'));
  onTestFinished(() => rmSync(state, { recursive: true }));
  const ledger = await openFileLedger(state, Date.now);
  await ledger.begin(newJob);
  await ledger.close();
  // No file may grow: SQLite's requests fail as on a full disk.
  const list = () =>
    promisify(execFile)(
      'sh',
      ['-c', 'ulimit -f 0; exec "$@"', 'sh', process.execPath, ...otaProgram(), 'jobs', 'list'],
      {
        env: { ...surroundings, STATE_DIR: state, ...queues },
      },
    ).catch((error: { stdout: string; stderr: string; code: number }) => error);
  expect((await list()).stdout).toMatch(/^j +1 /m);
  writeFileSync(join(state, 'ledger.sqlite-wal'), 'what a process wrote that was killed');
  expect(await list()).toMatchObject({
    code: 1,
    stdout: '',
    stderr: expect.stringMatching(/^The ledger \S+ cannot be read or written: the disk/),
  });
});
