import { expect, test } from 'vitest';
import { addUndo } from '../../../src/jobs/commands/undo.ts';
import type { JobRow } from '../../../src/jobs/run/undo.ts';
import { startApi } from '../../../testing/stages/api.ts';
import { type AddCommand, JobsFolder, useApi } from '../../../testing/stages/jobs.ts';

function undo(rows: readonly JobRow[]): AddCommand {
  const open = () => ({ rows: (job: string) => (job === 'j' ? rows : undefined), close: () => {} });
  return (jobs, io, surroundings) => addUndo(jobs, io, open, surroundings);
}

const row = (row: number, facts: Partial<JobRow> = {}): JobRow => ({
  row,
  identifier: `task${row}`,
  change: { TaskConfigurationId: 'new' },
  former: { TaskConfigurationId: 'old' },
  state: 'applied',
  sends: 1,
  ...facts,
});

test('jobs undo plans what puts the job back, and lists what cannot be', async () => {
  const folder = new JobsFolder();
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
  const rows = [
    row(1),
    row(2, { state: 'dead-lettered' }),
    row(3),
    row(4),
    row(5, { former: undefined }),
    row(6, { state: 'sent' }),
    row(7, { state: 'planned', sends: 0 }),
    // Sent before, and to be sent again: what became of the first sending is not known.
    row(8, { state: 'planned' }),
    // Tried once, then refused by SQS.
    row(9, { state: 'refused', sends: 2 }),
    row(10, { state: 'refused' }),
  ];
  const { exitCode, stdout, stderr } = await folder.run(undo(rows), ['undo', 'j']);
  expect(exitCode).toBe(3);
  expect(stderr).toBe('undo: 7 calls of GetOtaTask\n');
  const plan = await folder.plan('j-undo.plan.jsonl');
  expect(plan.header).toMatchObject({ JobId: 'j-undo', Source: 'undo of j' });
  const putBack = { TaskConfigurationId: 'old', Former: { TaskConfigurationId: 'new' } };
  expect(plan.all).toEqual([
    { Row: 1, Identifier: 'task1', ...putBack },
    { Row: 2, Identifier: 'task2', ...putBack },
    { Row: 8, Identifier: 'task8', ...putBack },
    { Row: 9, Identifier: 'task9', ...putBack },
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
  expect(stdout).toMatch(/^ {2}as before +3 {2}nothing to put back/m);
  expect(stdout).toMatch(/^ {2}cannot +3 {2}in j-undo.refused.csv$/m);
  expect(stdout).toMatch(/^ +1 {2}TaskConfigurationId: the task was changed since \(line 3\)$/m);
  expect(folder.read('j-undo.refused.csv')).toMatch(/^6,.*has not ended/m);
});

test('jobs undo writes no plan when there is nothing to put back', async () => {
  const folder = new JobsFolder();
  useApi(await startApi());
  const { exitCode, stdout } = await folder.run(undo([row(1, { state: 'planned', sends: 0 })]), [
    'undo',
    'j',
  ]);
  expect(exitCode).toBe(0);
  expect(stdout).toContain('next: nothing: there is nothing that can be put back');
  expect(folder.files()).toEqual([]);
});

test('jobs undo refuses a job that is not known', async () => {
  const { exitCode, error } = await new JobsFolder().run(undo([]), ['undo', 'other']);
  expect({ exitCode, error }).toEqual({
    exitCode: 2,
    error: 'There is no job other: see `ota-updater jobs list`.',
  });
});
