/** Who and why, of every command that changes the ledger. */
import { expect, test } from 'vitest';
import { setJobs } from '../../../testing/stages/jobs-stage.ts';

const said = ['--by', 'ann', '--reason', 'ticket 7'];
const deed = { who: 'ann@bench', why: 'ticket 7' };

async function lines(run: Awaited<ReturnType<typeof setJobs>>['run'], job = 'j') {
  const { stdout } = await run(['log', job, '--json']);
  return stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>);
}

test('apply and retry say who and why, from the first line on', async () => {
  const { stage, run, plan, ids } = await setJobs({ tasks: { kind: 'all', exceptPrefix: 'gone' } });
  await stage.worker.start();
  await plan([...ids(1), ...ids(1, 'gone')]);
  await run(['apply', 'j.jsonl', '--yes', ...said]);
  await run(['retry', 'j', '--only-failed', ...said]);
  const log = await lines(run);
  for (const what of ['begin', 'release', 'retry'])
    expect(log).toContainEqual(expect.objectContaining({ what, ...deed }));
});

test('export and import say who and why', async () => {
  const { run, plan, ids, folder } = await setJobs();
  await plan(ids(1));
  await run(['apply', 'j.jsonl', '--yes', '--detach']);
  await run(['stop', 'j']);
  await run(['export', 'j', '--out', 'j.job', ...said]);
  expect(await lines(run)).toContainEqual(
    expect.objectContaining({ what: 'move', who: deed.who, why: `Moved to ${folder.path}/j.job: ticket 7` }),
  );
  const env = { STATE_DIR: `${folder.path}/other` };
  await run(['import', 'j.job', ...said], { env });
  const { stdout } = await run(['log', 'j', '--json'], { env });
  expect(JSON.parse(stdout.split('\n')[0] ?? '')).toMatchObject({ what: 'import', ...deed });
});

test.each(['--reason', '--by'])('%s in which nothing can be seen is refused', async (flag) => {
  const { run, plan, ids } = await setJobs();
  await plan(ids(1));
  for (const text of ['\u200b', '\u0000', '\ud800'])
    await expect(run(['apply', 'j.jsonl', '--yes', '--detach', flag, text])).rejects.toThrow('visible');
});
