/** What a job says and asks before it sends, and that what it says of its end is so. */
import { expect, test } from 'vitest';
import { PLAN_FORM } from '../../src/jobs/plan/format.ts';
import { PlanWriter } from '../../src/jobs/plan/writer.ts';
import { openFileLedger } from '../../testing/stages/file-ledger.ts';
import { setJobs } from '../../testing/stages/jobs-stage.ts';

const HOUR_MS = 3_600_000;

test('apply shows counts and old to new values and asks; without a terminal it needs --yes', async () => {
  const { stage, run, plan, ids } = await setJobs();
  await stage.worker.start();
  await plan(ids(3), 'j', '--refresh');
  const noPlan = await run(['apply', 'rows.csv']);
  expect([noPlan.exitCode, noPlan.error]).toEqual([2, expect.stringContaining('rows.csv is not a plan')]);
  const nobody = await run(['apply', 'j.jsonl']);
  expect([nobody.exitCode, nobody.error]).toEqual([
    2,
    'Nothing was sent: without a terminal nobody can confirm it. To send the plan, give --yes: `ota-updater jobs apply j.jsonl --yes`.',
  ]);
  const no = await run(['apply', 'j.jsonl', '--canary', '1'], { terminal: true, stdin: '\n' });
  expect([no.exitCode, no.error, no.stdout]).toEqual([1, 'Nothing was sent.', '']);
  expect(no.stderr.split('\n').map((line) => line.replace(/http\S+/, '<queue>'))).toEqual([
    'job j, made from rows.csv',
    '  to send               3  to <queue>',
    '  TaskConfigurationId',
    '            1  cfgA0 -> new',
    '            1  cfgA8 -> new',
    '            1  cfgA9 -> new',
    '  undo          possible: the values before are known',
    '  time          as fast as the API allows, if RATE_LIMIT is unlimited for the',
    '                workers as it is here',
    '  canary        1 row first, and the rest if it does not fail',
    'Send 3 updates? [y/N] ',
  ]);
  expect(stage.left()).toEqual({ ready: 0, inFlight: 0 });
  // A no begins no job.
  expect((await run(['list'])).stderr).toContain('There is no job yet');
  const yes = await run(['apply', 'j.jsonl'], { terminal: true, stdin: 'y\n' });
  expect([yes.exitCode, stage.api.stats().calls]).toEqual([0, 3]);
  // Nothing is left to send, and so nothing to ask.
  expect((await run(['apply', 'j.jsonl'], { terminal: true })).exitCode).toBe(0);
});

test('an undo, or a whole job, of which rows were superseded ends with exit 3 and a sentence', async () => {
  const { stage, run, standing, plan, ids } = await setJobs();
  await stage.worker.start();
  const newer = async (...identifiers: string[]): Promise<void> => {
    const IssuedAt = new Date(Date.now() + 240_000).toISOString();
    const before = stage.events.filter(({ type }) => type === 'settled').length;
    await stage.send(
      ...identifiers.map((Identifier) => ({ Identifier, TaskConfigurationId: 'newer', IssuedAt })),
    );
    await stage.ended(before + identifiers.length);
  };
  await plan(ids(2), 'j', '--refresh');
  await run(['apply', 'j.jsonl', '--yes']);
  await run(['undo', 'j', '--out', 'u.jsonl']);
  await newer(...ids(2));
  const undone = await run(['apply', 'u.jsonl', '--yes']);
  expect(undone.exitCode).toBe(3);
  expect(undone.stdout).toMatch(/^note: 2 rows of j were not undone: something newer than this undo/m);

  await newer(...ids(2, 'other'));
  await plan(ids(2, 'other'), 'k');
  const { exitCode, json } = await standing(['apply', 'k.jsonl', '--yes']);
  expect(exitCode).toBe(3);
  expect(json).toMatchObject({ superseded: 2, notDone: expect.stringMatching(/^Nothing was changed: /) });
});

test('a job whose time is in the future is sent with one that works, and an undo of it waits', async () => {
  const { stage, folder, run, standing } = await setJobs();
  await stage.worker.start();
  const ledger = await openFileLedger(`${folder.path}/state`, () => Date.now() + HOUR_MS, 'create');
  const leftOut = { alreadyAsWanted: 0, refused: 0, duplicates: 0 };
  const { key } = await ledger.begin({
    jobId: 'j',
    path: 'p',
    source: 's',
    digest: 'd',
    rows: 2,
    leftOut,
    who: 'a@b',
  });
  await ledger.enter(key, [
    { Row: 1, Identifier: 'task1', TaskConfigurationId: 'new' },
    { Row: 2, Identifier: 'task2', TaskConfigurationId: 'new' },
  ]);
  await ledger.complete(key);
  const lease = await ledger.lease(key);
  const [first] = (await lease?.claim(2)) ?? [];
  const refused = [{ row: first?.Row ?? 0, reason: 'no' }];
  await lease?.settle({ sent: [], refused, untouched: [2], maybeTwice: 0 });
  await lease?.release();
  await ledger.close();

  const writer = new PlanWriter('u.jsonl', { cwd: folder.path });
  writer.begin({ Plan: PLAN_FORM, JobId: 'u', CreatedAt: '2026-11-25T07:00:00Z', Source: 's', Undoes: 'j' });
  writer.add({ Row: 1, Identifier: 'task1', TaskConfigurationId: 'old' });
  writer.finish();
  const early = await run(['apply', 'u.jsonl', '--yes']);
  expect([early.exitCode, early.error]).toEqual([
    1,
    expect.stringMatching(/^The time of job j, \S+Z, is .* in the future: .* Nothing was sent\./),
  ]);

  const resumed = await standing(['resume', 'j']);
  expect(resumed.stderr).toMatch(
    /^The time of job j, .* is in the future according to SQS's clock: its updates are sent with/,
  );
  expect(resumed.json).toMatchObject({ applied: 1, failed: 1 });
  expect((await standing(['retry', 'j', '--only-failed'])).json).toMatchObject({ applied: 2, failed: 0 });
});
