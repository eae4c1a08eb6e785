/** Jobs tell of their ends: also when their sender is killed before it could. */
import { randomBytes } from 'node:crypto';
import { Webhook } from 'standardwebhooks';
import { expect, onTestFinished, test, vi } from 'vitest';
import type { NoticeBody } from '../../src/notices/notice.ts';
import { systemClock } from '../../src/time/clock.ts';
import { eventsTaken, snsInput, snsTaken } from '../../testing/notices/aws.ts';
import { type StandIn, type StandInRule, startStandIn } from '../../testing/notices/stand-in.ts';
import { spawnCommand } from '../../testing/processes/process.ts';
import { openFileLedger } from '../../testing/stages/file-ledger.ts';
import { setJobs } from '../../testing/stages/jobs-stage.ts';
import { leaseOf, outcome, send } from '../jobs/ledger/contract.ts';

const secret = `whsec_${randomBytes(32).toString('base64')}`;

async function standIn(rule: StandInRule): Promise<StandIn> {
  const server = await startStandIn(rule);
  onTestFinished(() => server.close());
  return server;
}

const webhookAt = ({ url }: StandIn) => ({
  NOTIFY_WEBHOOK_URL: `${url}/jobs`,
  NOTIFY_WEBHOOK_SECRET: secret,
});

/** What a receiver makes of a request. @throws Error for one that is not signed rightly. */
function read({ requests }: StandIn, index: number): NoticeBody {
  const { body = '', headers } = requests[index] ?? {};
  return new Webhook(secret).verify(body, headers as Record<string, string>) as NoticeBody;
}

/** A stand-in for each kind of target, and the variables that name them. */
async function everyTarget() {
  const webhook = await standIn(() => ({ status: 200 }));
  const [sns, events] = [await standIn(() => snsTaken), await standIn(eventsTaken)];
  vi.stubEnv('AWS_ENDPOINT_URL_SNS', sns.url);
  vi.stubEnv('AWS_ENDPOINT_URL_EVENTBRIDGE', events.url);
  const env = {
    ...webhookAt(webhook),
    NOTIFY_TOPIC_ARN: 'arn:aws:sns:eu-west-1:000000000000:jobs',
    NOTIFY_EVENT_BUS: 'fleet',
  };
  return { webhook, sns, events, env };
}

test('a job that is done or aborted is told of to every target, with its counts', async () => {
  const { stage, run, plan, ids } = await setJobs();
  const { webhook, sns, events, env } = await everyTarget();
  await stage.worker.start();
  await plan(ids(5), 'good');
  await run(['apply', 'good.jsonl', '--yes'], { env });
  expect(read(webhook, 0)).toMatchObject({
    type: 'job.done',
    data: { jobId: 'good', state: 'done', counts: { total: 5, applied: 5, failed: 0 }, failedByError: [] },
  });
  expect(JSON.parse(snsInput(sns.requests[0] ?? { path: '', headers: {}, body: '' }).Message ?? '')).toEqual(
    read(webhook, 0),
  );
  const { Entries } = JSON.parse(events.requests[0]?.body ?? '{}') as { Entries: [{ Detail: string }] };
  expect(JSON.parse(Entries[0].Detail)).toEqual(read(webhook, 0).data);

  for (const id of ids(5, 'bad')) stage.api.script(id, [{ status: 400, errorType: 'ValidationException' }]);
  await plan(ids(5, 'bad'), 'bad');
  const aborted = await run(['apply', 'bad.jsonl', '--yes', '--abort-when', 'failed>10%/2'], { env });
  expect(aborted.exitCode).toBe(4);
  expect(read(webhook, 1)).toMatchObject({
    type: 'job.aborted',
    data: {
      jobId: 'bad',
      state: 'aborted',
      why: expect.stringContaining('failed'),
      failedByError: [{ error: 'ValidationException' }],
    },
  });
  expect([webhook, sns, events].map(({ requests }) => requests.length)).toEqual([2, 2, 2]);
});

test('a job of which nothing ends is told of as stuck, and as done once that is over', async () => {
  const { stage, run, plan, ids } = await setJobs();
  const webhook = await standIn(() => ({ status: 200 }));
  await plan(ids(3));
  let later = 0;
  const clock = { wall: Date.now, monotonic: () => systemClock.monotonic() + later };
  const applying = run(['apply', 'j.jsonl', '--yes'], { env: webhookAt(webhook), clock });
  await expect.poll(() => stage.left().ready).toBe(3);
  const stop = setInterval(() => {
    later += 300_000;
  }, 1_000);
  onTestFinished(() => clearInterval(stop));
  await webhook.arrived(1);
  clearInterval(stop);
  await stage.worker.start();
  await applying;
  expect(read(webhook, 0)).toMatchObject({
    type: 'job.stuck',
    data: { state: 'running', why: '3 rows are in flight, and none has ended for 10 minutes' },
  });
  expect(read(webhook, 1)).toMatchObject({ type: 'job.done' });
});

test('a job that its devices hold up is told of as stuck', async () => {
  const { stage, run, plan, ids } = await setJobs({ devices: { perTask: 1 } });
  const webhook = await standIn(() => ({ status: 200 }));
  await plan(ids(4));
  await stage.worker.start();
  stage.api.configure({ deniedOperations: ['GetOtaTask'] });
  let later = 0;
  const clock = { wall: Date.now, monotonic: () => systemClock.monotonic() + later };
  const rules = ['--stages', '2', '--verify-each', '--abort-when', 'devices-failed>1'];
  const applying = run(['apply', 'j.jsonl', '--yes', ...rules], { env: webhookAt(webhook), clock });
  const stop = setInterval(() => {
    later += 300_000;
  }, 1_000);
  onTestFinished(() => clearInterval(stop));
  await webhook.arrived(1);
  clearInterval(stop);
  stage.api.configure({ deniedOperations: [] });
  later += 1_200_000;
  expect(await applying).toMatchObject({ exitCode: 0 });
  expect(read(webhook, 0)).toMatchObject({
    type: 'job.stuck',
    data: {
      state: 'running',
      why: 'It waits for its devices: for 10 minutes they could not be looked at, or for 60 none has ended',
    },
  });
  expect(read(webhook, 1)).toMatchObject({ type: 'job.done' });
});

test('a webhook that does not take it is named, without its path, and the job is done all the same', async () => {
  const { stage, run, plan, ids } = await setJobs();
  const webhook = await standIn(() => ({ status: 404 }));
  await stage.worker.start();
  await plan(ids(2));
  const env = { ...webhookAt(webhook), NOTIFY_WEBHOOK_URL: `${webhook.url}/secret-path` };
  const { exitCode, stderr } = await run(['apply', 'j.jsonl', '--yes'], { env });
  expect(exitCode).toBe(0);
  expect(stderr).toContain(
    `The notice that job j is done could not be delivered to the webhook at ${new URL(webhook.url).host}: it answered 404`,
  );
  expect(stderr).not.toMatch(/secret-path|whsec_/);
});

test('killed between the end and the notice, the next sender tells it, with the same id', async () => {
  const jobs = await setJobs();
  const { stage, plan, ids, standing } = jobs;
  const webhook = await standIn((_, count) => (count === 1 ? 'hang' : { status: 204 }));
  await stage.worker.start();
  await plan(ids(3));
  const env = stage.environment({ STATE_DIR: `${jobs.folder.path}/state`, ...webhookAt(webhook) });
  const start = (...args: readonly string[]) => {
    const child = spawnCommand(args, env);
    onTestFinished(() => child.end());
    return child;
  };
  const first = start('jobs', 'apply', `${jobs.folder.path}/j.jsonl`, '--yes');
  await webhook.arrived(1);
  await first.end('SIGKILL');
  expect((await standing(['status', 'j'])).json).toMatchObject({ applied: 3, state: { name: 'done' } });
  start('jobs', 'send');
  await webhook.arrived(2);
  expect(read(webhook, 1)).toEqual(read(webhook, 0));
  expect(read(webhook, 1)).toMatchObject({ type: 'job.done', data: { jobId: 'j', counts: { applied: 3 } } });
});

test('a job that somebody without targets finds at its end is told of by the next sender that has some', async () => {
  const { env, run, standing, plan, ids } = await setJobs();
  const webhook = await standIn(() => ({ status: 204 }));
  await plan(ids(1));
  await run(['apply', 'j.jsonl', '--yes', '--detach']);
  // What a sender leaves that is killed while its row is in flight, and a worker that ends it.
  const ledger = await openFileLedger(String(env.STATE_DIR), Date.now);
  const { key = 0 } = (await ledger.job('j')) ?? {};
  await ledger.change(key, { event: 'release', who: 'ann@ops1' });
  const lease = await leaseOf(ledger, key);
  await send(lease, 1);
  await lease.release();
  await ledger.end([outcome({ Identifier: ids(1)[0] ?? '' })]);
  await ledger.close();
  expect((await standing(['status', 'j'])).json).toMatchObject({ applied: 1, state: { name: 'done' } });
  for (let i = 0; i < 2; i++) await run(['send', '--once'], { env: webhookAt(webhook) });
  expect(webhook.requests).toHaveLength(1);
  expect(read(webhook, 0)).toMatchObject({ type: 'job.done', data: { jobId: 'j', counts: { applied: 1 } } });
});

test('a job that a rule pauses is told of to every target, each time, and as done at its end', async () => {
  const { stage, run, standing, plan, ids } = await setJobs();
  const { webhook, sns, events, env } = await everyTarget();
  await stage.worker.start();
  await plan(ids(12));
  const applying = run(['apply', 'j.jsonl', '--yes', '--stages', '3,6', '--confirm-each'], { env });
  await Promise.all([webhook, sns, events].map((target) => target.arrived(1)));
  expect(read(webhook, 0)).toMatchObject({
    type: 'job.paused-by-rule',
    data: {
      jobId: 'j',
      state: 'paused',
      why: 'It waits for confirmation after stage 1 of 3: 3 rows ended, none failed',
      who: expect.stringMatching(/, a rule$/),
      counts: { total: 12, applied: 3, failed: 0 },
    },
  });
  const published = snsInput(sns.requests[0] ?? { path: '', headers: {}, body: '' });
  expect(published.Subject).toBe('Job j was paused by a rule');
  expect(JSON.parse(published.Message ?? '')).toEqual(read(webhook, 0));
  const { Entries } = JSON.parse(events.requests[0]?.body ?? '{}') as {
    Entries: [{ Detail: string; DetailType: string }];
  };
  expect(Entries[0].DetailType).toBe('Job Paused By Rule');
  expect(JSON.parse(Entries[0].Detail)).toEqual(read(webhook, 0).data);
  await run(['resume', 'j']);
  await webhook.arrived(2);
  expect(read(webhook, 1)).toMatchObject({ type: 'job.paused-by-rule', data: { counts: { applied: 6 } } });
  await run(['resume', 'j']);
  await applying;
  expect((await standing(['status', 'j'])).json).toMatchObject({ applied: 12, state: { name: 'done' } });
  expect(read(webhook, 2)).toMatchObject({ type: 'job.done' });
  expect([webhook, sns, events].map(({ requests }) => requests.length)).toEqual([3, 3, 3]);
});
