/** Jobs that are steered from another process than the one that sends them. */
import { expect, test } from 'vitest';
import { setJobs } from '../../testing/stages/jobs-stage.ts';

/** The state of a job, and who changed it, as `status --json` says it. */
interface State {
  readonly state: { readonly name: string; readonly towards: string | null; readonly why: string | null };
}

async function setSteered(rows: number, perSecond = 'unlimited') {
  const jobs = await setJobs({}, { env: { RATE_LIMIT: perSecond } });
  await jobs.plan(jobs.ids(rows));
  const state = async () => {
    const { json } = await jobs.standing(['status', 'j']);
    return (json as unknown as State).state;
  };
  return { ...jobs, state };
}

test('a job is paused, changed, resumed and stopped from another shell, and its sender follows', async () => {
  const { stage, run, standing, state } = await setSteered(60, '20');
  const applying = standing(['apply', 'j.jsonl', '--yes', '--window', '10']);
  await expect.poll(() => stage.left().ready).toBe(10);
  const paused = await run(['pause', 'j', '--reason', 'the API is being changed', '--by', 'ann']);
  expect(paused.stdout).toMatch(/^state: paused, since .* UTC by ann@.*: the API/m);
  await stage.worker.start();
  await stage.ended(10);
  // In the time that the ten take to end the sender has looked several times.
  expect(await state()).toMatchObject({ name: 'paused', why: 'the API is being changed' });
  expect((await standing(['status', 'j'])).json).toMatchObject({ notSent: 50, sending: true });
  const again = await run(['pause', 'j']);
  expect(again.error).toMatch(/^Job j is paused: pause changes nothing\.$/);

  expect(await run(['set', 'j', '--window', '20'])).toMatchObject({ exitCode: 0, error: '' });
  const same = await run(['set', 'j', '--window', '20']);
  expect([same.exitCode, same.stderr]).toEqual([
    0,
    expect.stringContaining('already has these settings: nothing changes.'),
  ]);
  // Another process sends it: this one needs no queues.
  const noQueues = { QUEUE_URL: undefined, OUTCOME_QUEUE_URL: undefined };
  expect(await run(['resume', 'j'], { env: noQueues })).toMatchObject({ exitCode: 0, error: '' });
  await stage.ended(30);
  await run(['stop', 'j', '--reason', 'enough for today']);
  const applied = await applying;
  expect(applied.exitCode).toBe(4);
  expect(applied.error).toMatch(/^enough for today\. /);
  expect(applied.json).toMatchObject({ inFlight: 0, end: 'stopped', state: { name: 'stopped' } });

  expect(await run(['resume', 'j'], { env: noQueues })).toMatchObject({
    exitCode: 2,
    error: expect.stringContaining('QUEUE_URL'),
  });
  const resumed = await standing(['resume', 'j']);
  expect(resumed.json).toMatchObject({ applied: 60, state: { name: 'done' }, stopped: null });
  expect(stage.api.stats().applied).toBe(60);
  const { stdout } = await run(['log', 'j', '--json']);
  const log = stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as { what: string });
  expect(log.map(({ what }) => what).toReversed()).toEqual([
    'begin',
    'set',
    'release',
    'pause',
    'set',
    'resume',
    'stop',
    'settle',
    'resume',
    'finish',
  ]);
  expect((await run(['log'])).stdout).toMatch(
    /^\S+ \S+ +j +pause +ann@\S+ +\S+ → paused +the API is being changed$/m,
  );
});

test('a cancelled job ends its unsent rows as not-sent, and is neither resumed nor applied again', async () => {
  const { stage, run, standing } = await setSteered(30);
  const applying = standing(['apply', 'j.jsonl', '--yes', '--window', '10']);
  await expect.poll(() => stage.left().ready).toBe(10);
  const refused = await run(['cancel', 'j']);
  expect(refused.error).toMatch(/^Nothing was changed\. To cancel it without being asked, give --yes\.$/);
  await run(['cancel', 'j', '--yes', '--reason', 'wrong file']);
  await stage.worker.start();
  const applied = await applying;
  expect(applied.exitCode).toBe(4);
  expect(applied.json).toMatchObject({
    applied: 10,
    cancelled: 20,
    notSent: 0,
    state: { name: 'cancelled' },
  });
  // Before anything is asked.
  expect(await run(['cancel', 'j'])).toMatchObject({
    exitCode: 1,
    stderr: '',
    error: 'Job j is cancelled: cancel changes nothing.',
  });
  const report = await run(['report', 'j', '--state', 'not-sent']);
  expect(report.stdout.trimEnd().split('\n')).toHaveLength(21);
  for (const command of [
    ['resume', 'j'],
    ['apply', 'j.jsonl', '--yes'],
  ])
    expect(await run(command)).toMatchObject({
      exitCode: 2,
      error: expect.stringMatching(/^Job j was cancelled/),
    });
});

test('a job that was left to `jobs send` is sent by it, and a cancelled one without a sender comes to rest at once', async () => {
  const { stage, run, standing, plan, ids, state } = await setSteered(20);
  await stage.worker.start();
  const left = await standing(['apply', 'j.jsonl', '--yes', '--detach']);
  expect(left).toMatchObject({
    exitCode: 0,
    json: { notSent: 20, state: { name: 'running' }, sending: false },
  });
  await plan(ids(5, 'other'), 'k');
  await run(['apply', 'k.jsonl', '--yes', '--detach']);
  expect((await standing(['cancel', 'k', '--yes'])).json).toMatchObject({
    cancelled: 5,
    state: { name: 'cancelled' },
  });
  await run(['pause', 'j']);
  await run(['resume', 'j', '--detach']);
  const sent = await run(['send', '--once']);
  expect(sent.exitCode, sent.stderr).toBe(0);
  const lines = sent.stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>);
  expect(lines).toContainEqual(expect.objectContaining({ event: 'job.ended', jobId: 'j', state: 'done' }));
  expect(await state()).toMatchObject({ name: 'done' });
});
