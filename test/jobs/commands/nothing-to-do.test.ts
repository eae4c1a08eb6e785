/** Commands that find nothing to do: they say so, and change nothing. */
import { existsSync } from 'node:fs';
import { expect, test } from 'vitest';
import { setJobs } from '../../../testing/stages/jobs-stage.ts';

const logged = async ({ run }: Pick<Awaited<ReturnType<typeof setJobs>>, 'run'>): Promise<number> =>
  (await run(['log', 'j', '--json'])).stdout.split('\n').length;

test.each([
  [
    ['retry', 'j', '--only-failed', '--rate', '5'],
    'Job j has no failed rows: there is nothing to retry. Nothing was changed.',
  ],
  [
    ['reconcile', 'j', '--rate', '5'],
    'All rows of job j have ended: there is nothing to reconcile. Nothing was changed.',
  ],
  [['resume', 'j'], 'Job j is done: there is nothing to send. Nothing was changed.'],
])('%j of a job that is done changes neither its state nor its log', async (args, sentence) => {
  const { stage, run, standing, plan, ids } = await setJobs();
  await stage.worker.start();
  await plan(ids(3));
  await run(['apply', 'j.jsonl', '--yes']);
  const before = await standing(['status', 'j']);
  const lines = await logged({ run });
  const { stderr, exitCode, json } = await standing(args);
  expect([exitCode, stderr]).toEqual([0, expect.stringContaining(sentence)]);
  expect({ ...json, end: 'done' }).toEqual({
    ...before.json,
    end: 'done',
    ...(args[0] === 'retry' && { triedAgain: 0 }),
    ...(args[0] === 'resume' && { maybeSentTwiceNow: 0 }),
  });
  expect(await logged({ run })).toBe(lines);
});

test('an undo of a job that has changed nothing leaves no plan', async () => {
  const { run, plan, ids, folder } = await setJobs();
  await plan(ids(2), 'j', '--refresh');
  await run(['apply', 'j.jsonl', '--yes', '--detach']);
  await run(['cancel', 'j', '--yes']);
  const { stdout, exitCode } = await run(['undo', 'j']);
  expect(exitCode).toBe(0);
  expect(stdout).toMatch(/nothing|0 /i);
  expect(existsSync(`${folder.path}/j-undo.plan.jsonl`)).toBe(false);
});
