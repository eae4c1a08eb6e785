import { expect, test } from 'vitest';
import { systemClock } from '../../../src/time/clock.ts';
import { openFileLedger } from '../../../testing/stages/file-ledger.ts';
import { setJobs } from '../../../testing/stages/jobs-stage.ts';

const DAY = 86_400_000;
/** So much later. */
const after = (days: number) => ({
  clock: { wall: () => Date.now() + days * DAY, monotonic: systemClock.monotonic },
});

/** A job that is done, one that is cancelled, and one that is left to `jobs send`. */
async function setOld() {
  const jobs = await setJobs();
  const { stage, plan, run, ids } = jobs;
  await stage.worker.start();
  await plan([...ids(12), 'no such!'], 'done');
  await run(['apply', 'done.jsonl', '--yes']);
  for (const name of ['cancelled', 'waiting']) {
    await plan(ids(3, name), name);
    await run(['apply', `${name}.jsonl`, '--yes', '--detach']);
  }
  await run(['cancel', 'cancelled', '--yes']);
  const names = async () =>
    (await run(['list', '--json'])).stdout
      .trimEnd()
      .split('\n')
      .map((line) => (JSON.parse(line) as { job: string }).job)
      .toSorted();
  return { ...jobs, names };
}

test('prune shows, asks, and deletes what is over for so long, and nothing else', async () => {
  const { run, names } = await setOld();
  const prune = ['prune', '--older-than', '90d'];
  expect(await run(prune, after(89))).toMatchObject({
    exitCode: 0,
    stdout: 'No job has been over for 90d or longer.\nDeleted: 0 jobs.\n',
  });
  const dry = await run([...prune, '--dry-run'], after(91));
  expect(dry.stdout).toMatch(
    /^JOB +STATE +LAST CHANGED +ROWS\ndone +done {7}\S+ \S+ UTC +13\ncancelled +cancelled .* 3\n$/,
  );
  const unasked = await run(prune, after(91));
  expect(unasked).toMatchObject({
    exitCode: 1,
    error: 'Nothing was deleted. To delete without being asked, give --yes.',
  });
  const refused = await run(prune, { ...after(91), terminal: true, stdin: 'n\n' });
  expect(refused.stderr).toContain('Delete 2 jobs with 16 rows for good? [y/N]');
  expect(await names()).toEqual(['cancelled', 'done', 'waiting']);

  const said = ['--by', 'ann', '--reason', 'a year is over'];
  const pruned = await run([...prune, ...said], { ...after(91), terminal: true, stdin: 'y\n' });
  expect(pruned, pruned.error).toMatchObject({ exitCode: 0 });
  expect(pruned.stdout).toMatch(/Deleted: 2 jobs\.\n$/);
  expect(await names()).toEqual(['waiting']);
  expect(JSON.parse((await run(['log', 'done', '--max', '1', '--json'])).stdout)).toMatchObject({
    what: 'prune',
    who: 'ann@bench',
    why: 'a year is over',
  });
  expect((await run(['report', 'done'])).error).toMatch(/^There is no job done in the ledger/);
  expect((await run(['send', '--once'])).exitCode).toBe(0);
  const { stdout } = await run(['status', 'waiting', '--json']);
  expect(JSON.parse(stdout)).toMatchObject({ applied: 3 });
});

test('prune that is interrupted says how far it came, and goes on when it is run again', async () => {
  const { run, names } = await setOld();
  const prune = ['prune', '--older-than', '90d', '--yes'];
  const stopped = await run(prune, { ...after(91), interrupt: Promise.resolve() });
  expect(stopped).toMatchObject({
    exitCode: 130,
    error: expect.stringMatching(/^Interrupted: 0 jobs deleted\./),
  });
  await run(prune, after(91));
  expect(await names()).toEqual(['waiting']);
});

test('the log of a job that was deleted says who deleted it', async () => {
  const { run } = await setOld();
  await run(['prune', '--older-than', '90d', '--yes'], after(91));
  const { exitCode, stdout } = await run(['log', 'done', '--json']);
  expect(exitCode).toBe(0);
  expect(JSON.parse(stdout.split('\n')[0] ?? '{}')).toMatchObject({ what: 'prune', subject: 'done' });
  expect(await run(['log', 'none'])).toMatchObject({
    exitCode: 2,
    error: expect.stringContaining('no job none'),
  });
});

test('prune leaves a job that a process has the lease of', async () => {
  const { run, names, folder } = await setOld();
  const ledger = await openFileLedger(`${folder.path}/state`, Date.now, 'write');
  const lease = await ledger.lease((await ledger.job('done'))?.key ?? 0);
  const pruned = await run(['prune', '--older-than', '90d', '--yes'], after(91));
  await lease?.release();
  await ledger.close();
  expect(pruned.stderr).toBe(
    'Job done was not deleted: it has changed meanwhile, or a process is sending it.\n',
  );
  expect(await names()).toEqual(['done', 'waiting']);
});

test.each([
  [['prune'], "required option '--older-than <age>' not specified"],
  [['prune', '--older-than', '3'], '--older-than 3: give a time such as 90s, 10m, 8h or 2d, up to 365d.'],
  [['prune', '--older-than', '-1d'], 'give a time such as'],
])('%j is refused', async (args, why) => {
  const { run } = await setJobs();
  const refused = await run(args).catch((error: Error) => ({ exitCode: 2, error: error.message }));
  expect(refused.exitCode).toBe(2);
  expect(refused.error).toContain(why);
});
