import { join } from 'node:path';
import { expect, test } from 'vitest';
import { addUndo } from '../../../src/jobs/commands/undo.ts';
import type { Lease } from '../../../src/jobs/ledger/ledger.ts';
import { startApi } from '../../../testing/stages/api.ts';
import { openFileLedger } from '../../../testing/stages/file-ledger.ts';
import { JobsFolder, useApi } from '../../../testing/stages/jobs.ts';
import { anotherTry, leaseOf, newJob, outcome } from '../ledger/contract.ts';

/** A folder with a job `j` of so many rows, whose states `arrange` makes by sending and ending rows. */
async function folderWithJob(
  rows: number,
  arrange: (lease: Lease, end: (row: number, facts?: object) => Promise<unknown>) => Promise<void>,
  known: object = { Former: { TaskConfigurationId: 'old' } },
) {
  const folder = new JobsFolder();
  const STATE_DIR = join(folder.path, 'state');
  const ledger = await openFileLedger(STATE_DIR, Date.now);
  const { key } = await ledger.begin(newJob);
  await ledger.enter(
    key,
    Array.from({ length: rows }, (_, i) => ({
      Row: i + 1,
      Identifier: `task${i + 1}`,
      TaskConfigurationId: 'new',
      ...(i + 1 !== 5 && known),
    })),
  );
  await ledger.complete(key);
  const lease = await leaseOf(ledger, key);
  await arrange(lease, (row, facts) => {
    const ids = { Identifier: `task${row}`, RequestId: `r${String(row).padStart(6, '0')}.1` };
    return ledger.end([outcome({ ...ids, ...facts })]);
  });
  await lease.release();
  await ledger.close();
  const undo = (job: string, ...flags: readonly string[]) =>
    folder.run(addUndo, ['undo', job, ...flags], { env: { STATE_DIR } });
  const log = async () => {
    const reader = await openFileLedger(STATE_DIR, Date.now, 'read');
    const lines = await reader.audit(10, 'j-undo');
    await reader.close();
    return lines;
  };
  return { folder, undo, log };
}

test('jobs undo plans what restores the tasks, and lists what cannot be restored', async () => {
  const api = await startApi();
  useApi(api);
  const update = async (id: string, TaskConfigurationId: string): Promise<void> => {
    await fetch(`${api.url}/ota-tasks/${id}`, {
      method: 'PUT',
      headers: { authorization: 'x', 'content-type': 'application/json' },
      body: JSON.stringify({ TaskConfigurationId }),
    });
  };
  for (const id of ['task1', 'task2', 'task5', 'task8', 'task9']) await update(id, 'new');
  await update('task3', 'changedSince');
  await update('task4', 'old');
  const { folder, undo } = await folderWithJob(10, async (lease, end) => {
    const settled = { sent: [], refused: [], untouched: [], maybeTwice: 0 };
    // Row 9: refused by SQS in its first try, and in its second.
    await lease.claim(10);
    const others = [1, 2, 3, 4, 5, 6, 7, 8, 10];
    await lease.settle({ ...settled, refused: [{ row: 9, reason: 'no' }], untouched: others });
    await lease.retryFailed(anotherTry);
    await lease.claim(10);
    const refused = [9, 10].map((row) => ({ row, reason: 'no' }));
    await lease.settle({
      ...settled,
      sent: [1, 2, 3, 4, 5, 6].map((row) => ({ row, messageId: `m-r00000${row}.1` })),
      refused,
      untouched: [7],
    });
    // Row 8: planned again, and what became of its first sending is not known.
    await lease.recover();
    for (const row of [1, 3, 4, 5]) await end(row);
    await end(2, { Outcome: 'dead-lettered', Reason: 'RetriesExhausted' });
  });
  const { exitCode, stdout, stderr } = await undo('j');
  expect(exitCode).toBe(3);
  expect(stderr).toBe('undo: 6 calls of GetOtaTask\n');
  const plan = await folder.plan('j-undo.plan.jsonl');
  expect(plan.header).toMatchObject({ JobId: 'j-undo', Source: 'undo of j' });
  const restored = { TaskConfigurationId: 'old', Former: { TaskConfigurationId: 'new' } };
  expect(plan.all).toEqual([
    { Row: 1, Identifier: 'task1', ...restored },
    { Row: 2, Identifier: 'task2', ...restored },
    { Row: 8, Identifier: 'task8', ...restored },
    { Row: 9, Identifier: 'task9', ...restored },
  ]);
  expect(plan.leftOut.map(({ Row, LeftOut }) => `${Row} ${LeftOut}`)).toEqual([
    '3 refused',
    '4 as-wanted',
    '5 refused',
    '6 refused',
    '7 as-wanted',
    '10 as-wanted',
  ]);
  expect(plan.footer.Counts).toEqual({ toChange: 4, alreadyAsWanted: 3, refused: 3, duplicates: 0 });
  expect(stdout).toMatch(/^undo of j: 10 rows read$/m);
  expect(stdout).toMatch(/^ {2}to undo +4 {2}in j-undo.plan.jsonl$/m);
  expect(stdout).toMatch(/^ {2}as before +3 {2}nothing to restore/m);
  expect(stdout).toMatch(/^ {2}cannot +3 {2}in j-undo.refused.csv$/m);
  expect(stdout).toMatch(/^ +1 {2}TaskConfigurationId: the task was changed since \(line 3\)$/m);
  expect(folder.read('j-undo.refused.csv')).toMatch(/^6,.*has not ended/m);
});

test('jobs undo says in the log of changes who made the plan, and why', async () => {
  const api = await startApi();
  useApi(api);
  await fetch(`${api.url}/ota-tasks/task1`, {
    method: 'PUT',
    headers: { authorization: 'x', 'content-type': 'application/json' },
    body: JSON.stringify({ TaskConfigurationId: 'new' }),
  });
  const { undo, log } = await folderWithJob(1, async (lease, end) => {
    await lease.claim(1);
    const sent = [{ row: 1, messageId: 'm-r000001.1' }];
    await lease.settle({ sent, refused: [], untouched: [], maybeTwice: 0 });
    await end(1);
  });
  expect(await undo('j', '--reason', 'devices fail', '--by', 'ann')).toMatchObject({ exitCode: 0 });
  expect(await log()).toMatchObject([
    {
      what: 'plan',
      who: expect.stringMatching(/^ann@/),
      why: 'devices fail',
      detail: { source: 'the undo of j' },
    },
  ]);
  expect(await undo('j', '--force')).toMatchObject({ exitCode: 0 });
  expect(await log()).toMatchObject([{ why: undefined }, { why: 'devices fail' }]);
});

test('jobs undo refuses at once a job of which no former value was read', async () => {
  const api = await startApi();
  useApi(api);
  const { folder, undo } = await folderWithJob(1, async (lease) => void (await lease.claim(1)), {});
  expect(await undo('j')).toMatchObject({
    exitCode: 2,
    error:
      'Job j cannot be undone: its plan did not read the values that it replaced. To be able to undo a job, plan it with --refresh. No task was read.',
  });
  expect([folder.files(), api.stats().calls]).toEqual([['state'], 0]);
});

test('jobs undo writes no plan when there is nothing to restore', async () => {
  useApi(await startApi());
  const { folder, undo, log } = await folderWithJob(1, async () => {});
  const { exitCode, stdout } = await undo('j');
  expect(exitCode).toBe(0);
  expect(await log()).toEqual([]);
  expect(stdout).toContain('next: nothing: there is nothing that can be restored');
  expect(folder.files()).toEqual(['state']);
});

test('jobs undo refuses a job that is not known', async () => {
  const { folder, undo } = await folderWithJob(1, async () => {});
  expect(await undo('other')).toMatchObject({
    exitCode: 2,
    error: `There is no job other in the ledger ${folder.path}/state/ledger.sqlite. All jobs: \`ota-updater jobs list\`.`,
  });
});
