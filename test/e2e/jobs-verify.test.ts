/** Jobs whose devices are looked at after the API has taken every update. */
import { expect, test } from 'vitest';
import { systemClock } from '../../src/time/clock.ts';
import { apiHeaders } from '../../testing/stages/api.ts';
import { setJobs } from '../../testing/stages/jobs-stage.ts';

const failures = [{ configuration: 'new', share: 0.06, afterSeconds: 30 }];

/** A job of `tasks` tasks with ten devices each, applied; and the API's clock. */
async function applied(tasks: number) {
  const clock = { now: 1_700_000_000_000 };
  const jobs = await setJobs(
    { devices: { perTask: 10, takeSeconds: 20, failures } },
    { apiNow: () => clock.now },
  );
  await jobs.stage.worker.start();
  await jobs.plan(jobs.ids(tasks));
  expect((await jobs.standing(['apply', 'j.jsonl', '--yes'])).json).toMatchObject({ applied: tasks });
  const verify = async (...args: readonly string[]) => {
    // What is waited for comes on the API's clock.
    const sleep = async (ms: number): Promise<void> => {
      clock.now += ms;
    };
    const result = await jobs.run(['verify', 'j', '--json', ...args], { sleep });
    return {
      ...result,
      found: result.stdout
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line)),
    };
  };
  return { ...jobs, clock, verify };
}

test('a configuration makes 6% of the devices fail after 30 s, which the API says nothing of when it takes it', async () => {
  const { run, verify, clock } = await applied(200);

  const at0 = await verify();
  expect(at0.exitCode).toBe(0);
  expect(at0.found).toMatchObject([{ tasks: 200, devicesFailed: 0, devicesUnderWay: 2_000, whole: true }]);

  clock.now += 29_000;
  const [at29] = (await verify()).found;
  expect(at29).toMatchObject({ devicesFailed: 0 });
  expect(at29.devicesUnderWay).toBeGreaterThan(80);

  clock.now += 1_000;
  const at30 = await verify();
  const [found] = at30.found;
  expect(at30.exitCode).toBe(3);
  expect(found).toMatchObject({ devicesEnded: 2_000, devicesUnderWay: 0, notHolding: 0, unread: 0 });
  expect(found.devicesFailed / found.devicesEnded).toBeGreaterThan(0.04);
  expect(found.devicesFailed / found.devicesEnded).toBeLessThan(0.08);
  expect(found.worst[0].failed).toBeGreaterThanOrEqual(found.worst.at(-1).failed);

  const { stdout } = await run(['verify', 'j']);
  expect(stdout).toMatch(/^job j: 200 tasks read at .* UTC\n {2}devices +2,000\n/m);
  expect(stdout).toMatch(/^ {2}failed +\d+ {2}\d\.\d% of those that have ended$/m);
  expect(stdout).toMatch(/^ +task\d+: \d of 10 devices failed$/m);
  expect(stdout).toMatch(/^next: ota-updater jobs undo j$/m);
});

test('devices are asked one by one where that is wanted, with the same sum, and some that failed are named', async () => {
  const { verify, clock, stage } = await applied(20);
  clock.now += 30_000;
  const [counted] = (await verify()).found;
  const before = stage.api.stats().reads.calls;
  const [asked] = (await verify('--executions')).found;
  expect(stage.api.stats().reads.calls - before).toBe(40);
  expect(asked.devices).toEqual(counted.devices);
  expect(counted.failedDevices).toEqual([]);
  expect(asked.failedDevices.length).toBeGreaterThan(0);
  expect(asked.failedDevices[0]).toEqual({
    identifier: expect.stringMatching(/^task\d+$/),
    thing: expect.stringMatching(/^task\d+-\d+$/),
    state: 'failed',
  });
});

test('tasks that hold something else by now, are gone or cannot be read are named', async () => {
  const { stage, run, verify, clock } = await applied(6);
  clock.now += 60_000;
  await fetch(`${stage.api.url}/ota-tasks/task2`, {
    method: 'PUT',
    headers: apiHeaders,
    body: '{"TaskConfigurationId":"other"}',
  });
  stage.api.configure({ tasks: { kind: 'all', except: ['task3'] }, denied: ['task4'] });
  const { exitCode, found } = await verify();
  expect(exitCode).toBe(3);
  expect(found).toMatchObject([
    {
      tasks: 4,
      gone: 1,
      unread: 1,
      unreadWhy: expect.stringContaining('GetOtaTask is denied'),
      notHolding: 1,
      someNotHolding: [
        { row: 3, identifier: 'task2', field: 'TaskConfigurationId', set: 'new', now: 'other' },
      ],
    },
  ]);
  expect((await run(['verify', 'j'])).stdout).toMatch(
    /^ +task2 \(row 3\): TaskConfigurationId is "other", not "new"$/m,
  );
  stage.api.configure({ denied: 'all' });
  expect(await run(['verify', 'j'])).toMatchObject({
    exitCode: 1,
    error: expect.stringContaining('No task could be read: GetOtaTask is denied'),
  });
});

test('--watch looks until every device has ended', async () => {
  const { verify } = await applied(10);
  const { found, exitCode } = await verify('--watch');
  expect(exitCode).toBe(3);
  // At 0, 10, 20 and 30 s.
  expect(found.map(({ devicesEnded }) => devicesEnded === 100)).toEqual([false, false, false, true]);
  expect(found.map(({ devicesUnderWay }) => devicesUnderWay).toSorted((a, b) => b - a)).toEqual(
    found.map(({ devicesUnderWay }) => devicesUnderWay),
  );
});

test('a job stops in its stage when its devices fail, and undone it leaves every task as it was', async () => {
  const clock = { now: 1_700_000_000_000 };
  const { stage, run, standing, plan, ids } = await setJobs(
    { devices: { perTask: 10, takeSeconds: 20, failures } },
    { apiNow: () => clock.now },
  );
  const configurations = (): (string | undefined)[] =>
    ids(200).map((id) => stage.api.task(id)?.TaskConfigurationId);
  const before = configurations();
  await plan(ids(200), 'j', '--refresh');
  await stage.worker.start();
  // When the last row of the first stage is applied, the devices of all have had their time.
  let calls = 0;
  stage.api.onCall(() => {
    calls += 1;
    if (calls === 50) clock.now += 60_000;
  });
  const flags = ['--stages', '25%,100%', '--verify-each', '--abort-when', 'devices-failed>2%/300'];
  const applied = await run(['apply', 'j.jsonl', '--yes', ...flags]);
  expect(applied.exitCode).toBe(4);
  expect(applied.error).toMatch(
    /^\d+ of 500 ended devices failed, more than --abort-when 'devices-failed>2%\/300' allows\./,
  );
  expect(applied.error).toContain('`ota-updater jobs verify j` says which devices failed.');
  expect((await standing(['status', 'j'])).json).toMatchObject({
    applied: 50,
    failed: 0,
    notSent: 150,
    devices: { ended: 500 },
    inFlight: 0,
  });
  expect(calls).toBe(50);

  expect((await run(['undo', 'j', '--out', 'undo.jsonl'])).exitCode).toBe(0);
  expect((await run(['apply', 'undo.jsonl', '--yes'])).exitCode).toBe(0);
  expect(configurations()).toEqual(before);
});

test('devices that fail when the last row has been sent abort the job, too', async () => {
  const clock = { now: 1_700_000_000_000 };
  const { stage, run, standing, plan, ids } = await setJobs(
    { devices: { perTask: 10, takeSeconds: 20, failures } },
    { apiNow: () => clock.now },
  );
  await plan(ids(40));
  await stage.worker.start();
  let calls = 0;
  stage.api.onCall(() => {
    calls += 1;
    if (calls === 40) clock.now += 60_000;
  });
  const applied = await run(['apply', 'j.jsonl', '--yes', '--abort-when', 'devices-failed>2%/300']);
  expect(applied.exitCode).toBe(4);
  expect(applied.error).toMatch(/^\d+ of 400 ended devices failed, more than/);
  const { json } = await standing(['status', 'j']);
  expect(json).toMatchObject({ applied: 40, devices: { ended: 400 }, state: { name: 'aborted' } });
  // Whoever resumes it has seen that.
  expect((await standing(['resume', 'j'])).json).toMatchObject({ applied: 40, state: { name: 'done' } });
});

test('a job whose sender is gone before its devices were looked at is not done before they are', async () => {
  const { stage, run, standing, plan, ids } = await setJobs({ devices: { perTask: 1 } });
  await plan(ids(4));
  stage.api.configure({ deniedOperations: ['GetOtaTask'] });
  await stage.worker.start();
  const { promise: interrupt, resolve: pressCtrlC } = Promise.withResolvers<void>();
  const applying = run(['apply', 'j.jsonl', '--yes', '--abort-when', 'devices-failed>1'], { interrupt });
  await expect
    .poll(async () => (await standing(['status', 'j'])).json, { interval: 200 })
    .toMatchObject({ applied: 4, waitsFor: 'verify', state: { name: 'running' } });
  pressCtrlC();
  expect((await applying).error).toMatch(
    /^Interrupted\. `ota-updater jobs resume j` checks its devices against its rules/,
  );
  expect((await standing(['status', 'j'])).json).toMatchObject({ state: { name: 'stopped' } });
  stage.api.configure({ deniedOperations: [] });
  expect(await run(['resume', 'j'])).toMatchObject({ exitCode: 0 });
  expect((await standing(['status', 'j'])).json).toMatchObject({ state: { name: 'done' }, waitsFor: null });
});

test('a stage waits for devices under way where too few have ended to judge by, says so, and goes on when all are well', async () => {
  const clock = { now: 1_700_000_000_000 };
  const { stage, run, standing, plan, ids } = await setJobs(
    { devices: { perTask: 10, takeSeconds: 20 } },
    { apiNow: () => clock.now },
  );
  await plan(ids(40));
  await stage.worker.start();
  const flags = ['--stages', '25%,100%', '--verify-each', '--abort-when', 'devices-failed>2%/300'];
  let later = 0;
  const waits = { wall: Date.now, monotonic: () => systemClock.monotonic() + later };
  const applying = run(['apply', 'j.jsonl', '--yes', ...flags], { clock: waits });
  await expect
    .poll(async () => (await run(['status', 'j'])).stdout, { interval: 200 })
    .toMatch(
      /stage\s+1\s+of\s+2:\s+10\s+of\s+10\s+rows\s+ended;\s+continues\s+when\s+300\s+of\s+its\s+devices\s+have\s+ended\s+or\s+none\s+is\s+under\s+way:\s+0\s+ended,\s+100\s+under\s+way;\s+otherwise\s+it\s+is\s+paused\s+in\s+/,
    );
  expect((await standing(['status', 'j'])).json).toMatchObject({
    applied: 10,
    waitsFor: 'verify',
    devices: { ended: 0, underWay: 100 },
  });
  clock.now += 60_000;
  // It looks again after a while.
  later += 20_000;
  const applied = await applying;
  expect({ exitCode: applied.exitCode, error: applied.error }).toEqual({ exitCode: 0, error: '' });
  expect((await standing(['status', 'j'])).json).toMatchObject({ applied: 40 });
  // Ten tasks were read once; more only if a look was begun before the stage waited for it.
  expect(stage.api.stats().reads.calls).toBeGreaterThanOrEqual(10);
});

test('each stage waits for its own devices, and is paused where they keep it waiting for too long', async () => {
  const clock = { now: 1_700_000_000_000 };
  const { stage, run, standing, plan, ids } = await setJobs(
    { devices: { perTask: 10, takeSeconds: 20 } },
    { apiNow: () => clock.now },
  );
  await plan(ids(40));
  await stage.worker.start();
  const rules = ['--stages', '25%,50%,100%', '--abort-when', 'devices-failed>10'];
  let later = 0;
  const waits = { wall: () => Date.now() + later, monotonic: () => systemClock.monotonic() + later };
  const flags = ['--yes', ...rules, '--verify-each', '--verify-within', '1h'];
  const applying = run(['apply', 'j.jsonl', ...flags], { clock: waits });
  const shows = (what: object) =>
    expect.poll(async () => (await standing(['status', 'j'])).json, { interval: 200 }).toMatchObject(what);
  await shows({ applied: 10, waitsFor: 'verify', devices: { ended: 0, underWay: 100 } });
  clock.now += 60_000;
  later += 20_000;
  // Those of the first stage have ended, and say nothing of the second.
  await shows({ applied: 20, waitsFor: 'verify', devices: { ended: 100, underWay: 100 } });
  expect((await run(['status', 'j'])).stdout).toMatch(
    /continues\s+when\s+all\s+of\s+its\s+devices\s+have\s+ended:\s+0\s+ended,\s+100\s+under\s+way/,
  );
  later += 3_600_000;
  await shows({
    applied: 20,
    waitsFor: 'word',
    state: {
      name: 'paused',
      why: expect.stringMatching(/^100 of 100 devices of its stage did not end within .*--verify-within/),
    },
  });
  expect((await run(['resume', 'j', '--detach'], { clock: waits })).error).toBe('');
  const applied = await applying;
  expect({ exitCode: applied.exitCode, error: applied.error }).toEqual({ exitCode: 0, error: '' });
  expect((await standing(['status', 'j'])).json).toMatchObject({ applied: 40, state: { name: 'done' } });
});
