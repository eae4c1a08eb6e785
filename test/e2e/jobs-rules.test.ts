/** Jobs in stages, by rules, and at their time, with a real SQS server, the simulated API and a worker. */
import { expect, test } from 'vitest';
import { systemClock } from '../../src/time/clock.ts';
import { allCases } from '../../testing/cases.ts';
import { setJobs } from '../../testing/stages/jobs-stage.ts';

interface Seen {
  readonly state: { readonly name: string; readonly why: string | null; readonly who: string };
  readonly stage: { readonly stage: number | string; readonly of: number } | null;
  readonly waitsFor: string | null;
  readonly waitsUntil: string | null;
}

async function setStaged(rows: number, api: Parameters<typeof setJobs>[0] = {}, failing = 0) {
  const jobs = await setJobs({ tasks: { kind: 'all', exceptPrefix: 'gone' }, ...api });
  await jobs.stage.worker.start();
  await jobs.plan([...jobs.ids(rows - failing), ...jobs.ids(failing, 'gone')]);
  const seen = async (): Promise<Seen> => (await jobs.standing(['status', 'j'])).json as unknown as Seen;
  return { ...jobs, seen };
}

const seldom = { interval: 200 };

test('a job waits for a word after each stage, and goes on when it is given', async () => {
  const { standing, run, seen, stage } = await setStaged(40);
  const applying = standing(['apply', 'j.jsonl', '--yes', '--stages', '25%,+15', '--confirm-each']);
  await expect.poll(async () => (await seen()).state.name, seldom).toBe('paused');
  expect(await seen()).toMatchObject({
    state: {
      why: 'It waits for confirmation after stage 1 of 3: 10 rows ended, none failed',
      who: /, a rule$/ as unknown,
    },
    stage: { stage: 1, of: 3 },
    waitsFor: 'word',
  });
  expect(stage.api.stats().applied).toBe(10);
  expect((await run(['status', 'j'])).stdout).toMatch(
    /^next: ota-updater jobs resume j\n {6}continues with the next stage$/m,
  );
  await run(['resume', 'j']);
  await expect.poll(async () => (await seen()).stage, seldom).toMatchObject({ stage: 2 });
  await expect.poll(async () => (await seen()).state.name, seldom).toBe('paused');
  expect(stage.api.stats().applied).toBe(25);
  await run(['resume', 'j']);
  expect((await applying).json).toMatchObject({ applied: 40, end: 'done' });
});

test('rules that name an error stop a job within its stage, and a resume counts from there', async () => {
  const { standing } = await setStaged(60, {}, 30);
  // A stage is a sample of all rows: with this one, every other row of it fails.
  const stopped = await standing(
    [
      'apply',
      'j.jsonl',
      '--yes',
      '--stages',
      '20,+20',
      '--abort-when',
      'failed:ResourceNotFoundException>4',
      '--abort-when',
      'failed>90%/20',
    ],
    { random: () => 0.5 },
  );
  expect(stopped.exitCode).toBe(4);
  expect(stopped.error).toMatch(
    /^\d+ of \d+ ended rows failed by ResourceNotFoundException, more than --abort-when 'failed:ResourceNotFoundException>4' allows\./,
  );
  const { json } = stopped;
  expect(json.applied + json.failed).toBeLessThanOrEqual(20);
  expect(json.failed).toBeGreaterThan(4);
  expect(json.inFlight).toBe(0);
  const resumed = await standing(['resume', 'j', '--abort-when', 'failed>100', '--stages', '100%']);
  expect(resumed.json).toMatchObject({ applied: 30, failed: 30, end: 'done' });
});

test('a job sends in its window only, and waits for it as scheduled; a deadline stops it', async () => {
  const { standing, run, seen, stage } = await setStaged(5);
  // Now, and a quarter of an hour later by the clock of the process that sends.
  let ahead = 0;
  const clock = { ...systemClock, wall: () => Date.now() + ahead };
  const time = (ms: number): string => new Date(Date.now() + ms).toISOString().slice(11, 16);
  const between = `${time(10 * 60_000)}-${time(20 * 60_000)}`;
  const applying = standing(['apply', 'j.jsonl', '--yes', '--between', between, '--tz', 'UTC'], { clock });
  await expect.poll(async () => (await seen()).state.name, seldom).toBe('scheduled');
  const waiting = await seen();
  expect(waiting).toMatchObject({
    waitsFor: 'opening',
    waitsUntil: expect.stringContaining(between.slice(0, 5)),
  });
  expect(stage.api.stats().calls).toBe(0);
  expect((await run(['status', 'j'])).stdout).toMatch(/^ {2}sends {9}between \d\d:\d\d-\d\d:\d\d UTC$/m);
  ahead = 15 * 60_000;
  expect((await applying).json).toMatchObject({ applied: 5, end: 'done' });
});

test('a deadline stops what is not sent', async () => {
  const { standing, stage } = await setStaged(30);
  let late = 0;
  const clock = { ...systemClock, wall: () => Date.now() + late };
  const applying = standing(
    ['apply', 'j.jsonl', '--yes', '--stages', '10,100%', '--soak', '1h', '--deadline', '2h'],
    { clock },
  );
  await stage.ended(10);
  late = 7_300_000;
  const applied = await applying;
  expect(applied.exitCode).toBe(4);
  expect(applied.error).toMatch(/^Its deadline has passed\. /);
  expect(applied.json).toMatchObject({ applied: 10, notSent: 20, state: { name: 'stopped' } });
});

test.each([
  [['--between', '05:00-05:00', '--tz', 'UTC'], /^--between .*never opens/],
  [
    ['--between', '01:00-05:00', '--tz', 'Europe/Bern'],
    /no such time zone\. Did you mean "Europe\/Berlin"\?/,
  ],
  [['--ramp', '50:x1/200'], /^--ramp .*never grows/],
  [['--abort-when', 'failed>2%/200', '--abort-when', 'failed>5%/500'], /can never act/],
  [['--soak', '5m'], /give --stages or --canary/],
  [['--priority', '12'], /^--priority 12: give a whole number from 1/],
])('%j is refused with exit 2 before anything is sent', async (flags, fault) => {
  const { run, stage } = await setStaged(2);
  const { exitCode, error } = await run(['apply', 'j.jsonl', '--yes', ...flags]);
  expect([exitCode, stage.api.stats().calls]).toEqual([2, 0]);
  expect(error).toMatch(fault);
});

test.each([
  [['--soak', '5m'], /give --stages or --canary/],
  [['--abort-when', 'failed>2%/200', '--abort-when', 'failed>5%/500'], /can never act/],
])(
  'a job that stands still, and is to go on with %j, is refused with exit 2 and left as it was',
  async (flags, fault) => {
    const { standing, run, seen, stage } = await setStaged(3, {}, 2);
    await run(['apply', 'j.jsonl', '--yes', '--detach']);
    await run(['stop', 'j', '--reason', 'first look']);
    const refused = async (command: readonly string[]): Promise<void> => {
      const { exitCode, error } = await run([...command, ...flags]);
      expect({ exitCode, error }).toMatchObject({ exitCode: 2, error: expect.stringMatching(fault) });
    };
    const before = await seen();
    expect(before.state).toMatchObject({ name: 'stopped', why: 'first look' });
    for (const command of ['resume', 'reconcile']) await refused([command, 'j']);
    expect(await seen()).toEqual(before);
    expect(stage.api.stats().calls).toBe(0);
    const { json } = await standing(['resume', 'j']);
    expect(json).toMatchObject({ applied: 1, failed: 2, end: 'done' });
    await refused(['retry', 'j', '--only-failed']);
    expect(await seen()).toMatchObject({ state: { name: 'done' }, failed: 2 });
  },
);

test('settings are changed and taken back in a running job, and those of its flags are told before it is sent', async () => {
  const { run, standing, stage, ids, plan } = await setJobs();
  await plan(ids(30));
  const asked = await run(
    ['apply', 'j.jsonl', '--rate', '2', '--stages', '10,+10', '--abort-when', 'failed>3'],
    { terminal: true, stdin: '\n' },
  );
  expect(asked.stderr).toMatch(/^ {2}stages {8}10, \+10$/m);
  expect(asked.stderr).toMatch(/^ {2}stops when {4}failed>3$/m);
  await stage.worker.start();
  const applying = standing(['apply', 'j.jsonl', '--yes', '--rate', '0.01', '--stages', '10,+10']);
  await expect
    .poll(async () => (await standing(['status', 'j'])).json, seldom)
    .toMatchObject({ settings: { rate: 0.01 } });
  await expect(run(['set', 'j', '--unset', 'rates'])).rejects.toThrow(/Allowed choices are canary, /);
  await run(['set', 'j', '--unset', 'rate', '--unset', 'stages']);
  expect((await applying).json).toMatchObject({ applied: 30, settings: { rate: null, stages: null } });
});

// With 50,000 rows: `npm run prove-stages`.
test.each(allCases() ? [1, 150, 350] : [1, 150])(
  'with stages of 100, at most one stage fails after the threshold where errors begin at update %i',
  async (first) => {
    const { standing, stage } = await setStaged(allCases() ? 600 : 400);
    const rule = ['--stages', '+100', '--abort-when', 'failed>2%/100'];
    const applying = standing(['apply', 'j.jsonl', '--yes', ...rule]);
    await stage.ended(first - 1);
    stage.api.configure({ tasks: { kind: 'listed', identifiers: [] } });
    const { json, exitCode, error } = await applying;
    expect(exitCode).toBe(4);
    expect(error).toMatch(/^\d+ of \d+ ended rows failed, more than --abort-when 'failed>2%\/100' allows\./);
    const threshold = Math.floor(0.02 * Math.max(100, json.applied)) + 1;
    expect(json.failed - threshold).toBeLessThanOrEqual(100);
    expect(json.applied).toBeGreaterThanOrEqual(first - 1);
  },
);
