import { expect, test } from 'vitest';
import { setJobs } from '../../../testing/stages/jobs-stage.ts';

test('a job is exported once nobody may send it, and goes on in the other ledger', async () => {
  const { stage, folder, run, standing, plan, ids } = await setJobs();
  await plan(ids(8));
  await run(['apply', 'j.jsonl', '--yes', '--detach']);
  const early = await run(['export', 'j', '--out', 'j.job']);
  expect(early).toMatchObject({ exitCode: 2, stdout: '' });
  expect(early.error).toBe(
    'Job j is being sent, or may be at any time. `ota-updater jobs stop j` stops it; then export it. Nothing was written.',
  );
  await run(['stop', 'j']);
  expect(await run(['export', 'j', '--out', 'j.job'])).toMatchObject({
    exitCode: 0,
    stdout:
      'Job j, 8 rows, is in j.job. `ota-updater jobs import j.job` enters it in another ledger; from then on send it from there only.\n',
  });
  expect((await run(['export', 'j', '--out', 'j.job'])).error).toMatch(/j\.job is there already/);
  expect((await run(['export', 'j', '--out', 'j.job', '--force'])).exitCode).toBe(0);

  const env = { STATE_DIR: `${folder.path}/other` };
  const there = `the ledger ${folder.path}/other/ledger.sqlite`;
  expect(await run(['import', 'j.job'], { env })).toMatchObject({
    exitCode: 0,
    stdout: `Job j is in ${there}. \`ota-updater jobs status j\` says where it stands.\n`,
  });
  expect(await run(['import', 'j.job'], { env })).toMatchObject({
    exitCode: 2,
    error: `Job j is in ${there} already. Nothing was changed.`,
  });
  await stage.worker.start();
  const ended = await standing(['resume', 'j'], { env });
  expect(ended).toMatchObject({ exitCode: 0, json: { rows: 8, applied: 8 } });
  expect((await run(['log', 'j'], { env })).stdout).toMatch(/import[\s\S]*begin|begin[\s\S]*import/);
});

test('what is no exported job is refused, and nothing of it is entered', async () => {
  const { folder, run } = await setJobs();
  folder.file('rows.csv', 'Identifier,Description\na,b\n');
  const { exitCode, error } = await run(['import', 'rows.csv']);
  expect(exitCode).toBe(2);
  expect(error).toBe(
    "rows.csv is no exported job: its first line is not one's. `jobs export` writes such files.",
  );
  expect((await run(['list', '--json'])).stdout).toBe('');
});
