/** A job that a rule stops is undone, also when its sender is gone before it has made the undo. */
import { expect, test } from 'vitest';
import { setJobs } from '../../testing/stages/jobs-stage.ts';

const flags = ['--yes', '--stages', '20,+20', '--abort-when', 'failed>3', '--undo-on-abort'];

/** Of 60 tasks that could be planned, 20 are gone by now: of a sample, every third. */
async function setFailing() {
  const jobs = await setJobs({ tasks: { kind: 'all' } });
  await jobs.stage.worker.start();
  const rows = Array.from({ length: 20 }, (_, i) => [`task${i}`, `task${20 + i}`, `gone${i}`]).flat();
  await jobs.plan(rows, 'j', '--refresh');
  jobs.stage.api.configure({ tasks: { kind: 'all', exceptPrefix: 'gone' } });
  const configurations = () => jobs.ids(40).map((id) => jobs.stage.api.task(id)?.TaskConfigurationId);
  return { ...jobs, configurations, before: configurations() };
}

test('a rule stops a job, and every task is as it was before', async () => {
  const { standing, run, stage, configurations, before } = await setFailing();
  const applied = await standing(['apply', 'j.jsonl', ...flags], { random: () => 0.5 });
  expect(applied.exitCode).toBe(4);
  expect(applied.json).toMatchObject({ end: 'aborted', inFlight: 0, state: { name: 'aborted' } });
  const changed = applied.json.applied;
  expect(changed).toBeGreaterThan(5);
  expect(applied.stderr).toContain(`undo of j: ${changed} tasks to restore, as job j-undo`);
  expect(applied.stderr).toContain(
    `undo j-undo: ${changed} of ${changed} tasks restored, 0 superseded, 0 failed. Firmware that devices already have stays on them.`,
  );
  expect(configurations()).toEqual(before);
  const undo = await standing(['status', 'j-undo']);
  expect(undo.json).toMatchObject({ applied: changed, state: { name: 'done' }, settings: { priority: 9 } });

  // Resumed, it goes on with the rows that were not sent; stopped again, it is undone again.
  const again = await standing(['resume', 'j', '--abort-when', 'failed>2'], { random: () => 0.5 });
  expect(again.json).toMatchObject({ end: 'aborted' });
  expect(again.stderr).toContain('as job j-undo-2');
  expect(configurations()).toEqual(before);
  expect(stage.api.stats().calls).toBeGreaterThan(2 * changed);
  expect((await run(['list'])).stdout).toMatch(/^j-undo-2 /m);
});

test('an undo that could not be made is made by whoever goes on with the job', async () => {
  const { standing, run, stage, configurations, before } = await setFailing();
  stage.api.configure({ deniedOperations: ['GetOtaTask'] });
  const { promise: interrupt, resolve: pressCtrlC } = Promise.withResolvers<void>();
  const reads = stage.api.stats().calls;
  const applying = standing(['apply', 'j.jsonl', ...flags], { interrupt, random: () => 0.5 });
  await expect
    .poll(async () => (await standing(['status', 'j'])).json, { interval: 200 })
    .toMatchObject({ inFlight: 0, state: { name: 'stopping', towards: 'aborted' } });
  expect(stage.api.stats().calls).toBeGreaterThan(reads);
  pressCtrlC();
  const applied = await applying;
  expect(applied.json).toMatchObject({ end: 'interrupted', state: { name: 'stopping' } });
  expect(applied.error).toMatch(
    /^Interrupted\. `ota-updater jobs resume j` undoes it first, as --undo-on-abort requires\.$/,
  );
  expect(configurations()).not.toEqual(before);
  expect((await run(['status', 'j-undo'])).exitCode).toBe(2);

  stage.api.configure({ deniedOperations: [] });
  const resumed = await standing(['resume', 'j']);
  expect(resumed.json).toMatchObject({ end: 'aborted', state: { name: 'aborted' } });
  expect(configurations()).toEqual(before);
});

test('a job that could not be undone is not sent with it', async () => {
  const { run, plan, ids, stage } = await setJobs();
  await plan(ids(3));
  const refused = await run(['apply', 'j.jsonl', ...flags]);
  expect([refused.exitCode, stage.api.stats().calls]).toEqual([2, 0]);
  expect(refused.error).toMatch(
    /^--undo-on-abort: job j could not be undone, .* Nothing was sent\. Make the plan again with --refresh/,
  );
  const nothing = await run(['apply', 'j.jsonl', '--yes', '--undo-on-abort']);
  expect(nothing.error).toMatch(/^--undo-on-abort can never act, as nothing aborts the job/);
});

test('a configuration that makes devices fail stops the job in its stage, and every task has its former one again', async () => {
  const clock = { now: 1_700_000_000_000 };
  const failures = [{ configuration: 'new', share: 0.06, afterSeconds: 30 }];
  const jobs = await setJobs(
    { devices: { perTask: 10, takeSeconds: 20, failures } },
    { apiNow: () => clock.now },
  );
  const { stage, plan, ids, standing, run } = jobs;
  const configurations = () => ids(300).map((id) => stage.api.task(id)?.TaskConfigurationId);
  await stage.worker.start();
  await plan(ids(300), 'j', '--refresh');
  const before = configurations();
  const devices = ['--verify-each', '--soak', '5s', '--abort-when', 'devices-failed>4%/500'];
  const applying = standing([
    'apply',
    'j.jsonl',
    '--yes',
    '--stages',
    '100,100%',
    '--undo-on-abort',
    ...devices,
  ]);
  await stage.ended(100);
  // While it soaks, and nothing that it has sent so far looks wrong.
  clock.now += 31_000;
  const applied = await applying;
  expect(applied.error).toMatch(
    /^\d+ of [\d,]+ ended devices failed, more than --abort-when 'devices-failed>4%\/500' allows\./,
  );
  expect(applied.json).toMatchObject({ end: 'aborted', applied: 100, failed: 0, notSent: 200 });
  expect(configurations()).toEqual(before);
  expect((await standing(['status', 'j-undo'])).json).toMatchObject({
    applied: 100,
    state: { name: 'done' },
  });

  // Resumed with the same configuration, it stops again in its stage, though the undone tasks are well.
  const status = await run(['status', 'j']);
  expect(status.stdout.replaceAll(/\n +/g, ' ')).toContain(
    'note: 100 tasks have their former values again, restored by j-undo: the rows count as applied here, and are not sent',
  );
  expect(status.stdout).toMatch(/^next: ota-updater jobs status j-undo/m);
  const resuming = standing(['resume', 'j']);
  await stage.ended(300);
  clock.now += 31_000;
  const again = await resuming;
  expect(again.stderr).toContain('100 tasks have their former values again, restored by j-undo');
  expect(again.error).toMatch(/^\d+ of [\d,]+ ended devices failed/);
  expect(again.json).toMatchObject({ end: 'aborted', applied: 200, failed: 0, notSent: 100 });
  expect(again.stderr).toContain('as job j-undo-2');
  expect(configurations()).toEqual(before);
});
