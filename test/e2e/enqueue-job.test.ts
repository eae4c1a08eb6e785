/** Files enqueued under a job's name: a job that can be followed. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'csv-parse/sync';
import { expect, onTestFinished, test } from 'vitest';
import { configureEnqueue } from '../../src/enqueue/command.ts';
import { sleep, systemClock } from '../../src/time/clock.ts';
import { startSqsProxy } from '../../testing/sqs/proxy.ts';
import { fakeContext, runConfigured } from '../../testing/stages/context.ts';
import { setJobs } from '../../testing/stages/jobs-stage.ts';
import type { Stage } from '../../testing/stages/stage.ts';

async function setEnqueue(...options: Parameters<typeof setJobs>) {
  const jobs = await setJobs(...options);
  const { stage, folder } = jobs;
  const enqueue = (args: readonly string[], env: Record<string, string> = {}, interrupt?: Promise<void>) => {
    const context = fakeContext({
      env: {
        ...stage.environment({ STATE_DIR: 'state', AWS_ENDPOINT_URL_SQS: undefined }),
        ...env,
      },
      cwd: folder.path,
      clock: systemClock,
      sleep,
      random: Math.random,
      onSignal: (listener) => {
        void interrupt?.then(() => listener('SIGINT'));
        return () => {};
      },
    });
    return runConfigured(configureEnqueue, 'enqueue', args, context);
  };
  return { ...jobs, enqueue };
}

const queued = (stage: Stage): number => stage.left().ready;

test('files enqueued under one job: every row has its own end in status, report and list', async () => {
  const { stage, folder, run, standing, enqueue } = await setEnqueue({
    tasks: { kind: 'all', exceptPrefix: 'gone' },
  });
  await stage.worker.start();
  // One RequestId for five rows, as a file of which every row says `row-000002`.
  folder.file(
    'one.csv',
    `Identifier,Description,RequestId\n${['a', 'gone1', 'c', 'd', 'gone2'].map((id) => `${id},x,row-000002\n`).join('')}`,
  );
  folder.file('two.csv', 'Identifier,Description\ne,y\nbad id,y\ngone3,y\n');
  const first = await enqueue(['one.csv', '--job', 'fleet']);
  expect(first).toMatchObject({ exitCode: 0, stderr: '' });
  expect(first.stdout).toContain('next: ota-updater jobs status fleet --watch\n      follows them');
  expect((await enqueue(['two.csv', '--job', 'fleet'])).exitCode).toBe(3);
  await stage.ended(7);

  const { json, exitCode } = await standing(['status', 'fleet']);
  expect(exitCode).toBe(0);
  expect(json).toMatchObject({ rows: 7, applied: 4, failed: 3, inFlight: 0, notSent: 0, complete: true });
  expect(json).toMatchObject({ leftOut: { refused: 1 }, source: 'one.csv, two.csv', foreignOutcomes: 0 });
  const report = parse((await run(['report', 'fleet'])).stdout, { columns: true }) as Record<
    string,
    string
  >[];
  const cells = report.map((row) =>
    [row.Row, row.Identifier, row.State, row.ErrorName, row.RequestId].join(),
  );
  expect(cells).toEqual([
    '2,a,applied,,row-000002',
    '3,gone1,dead-lettered,ResourceNotFoundException,row-000002',
    '4,c,applied,,row-000002',
    '5,d,applied,,row-000002',
    '6,gone2,dead-lettered,ResourceNotFoundException,row-000002',
    '8,e,applied,,r000008.1',
    '9,bad id,refused,,',
    '10,gone3,dead-lettered,ResourceNotFoundException,r000010.1',
  ]);
  expect((await run(['list'])).stdout).toMatch(/^fleet +7 +3 +0 +done /m);

  stage.api.configure({ tasks: { kind: 'all' } });
  expect((await standing(['retry', 'fleet', '--only-failed'])).json).toMatchObject({ applied: 7, failed: 0 });
  expect(stage.api.task('gone1')?.Description).toBe('x');
});

test('an interrupted file goes on where it stopped when it is enqueued again', async () => {
  const { stage, folder, standing, enqueue, run } = await setEnqueue();
  const proxy = await startSqsProxy();
  onTestFinished(() => proxy.close());
  proxy.upstream = stage.sqsUrl;
  const { promise: interrupt, resolve: pressCtrlC } = Promise.withResolvers<void>();
  proxy.rule = async ({ action }, forward) => {
    if (action === 'SendMessageBatch' && proxy.count('SendMessageBatch', 'updates') > 10) pressCtrlC();
    return await forward();
  };
  folder.file(
    'rows.csv',
    `Identifier,Description\n${Array.from({ length: 900 }, (_, i) => `t${i},x\n`).join('')}`,
  );
  const env = { QUEUE_URL: `${proxy.url}/000000000000/updates` };
  const cut = await enqueue(['rows.csv', '--job', 'fleet'], env, interrupt);
  expect(cut.exitCode).toBe(130);
  expect(cut.error).toMatch(
    /^Interrupted\. \d+ of 900 rows were sent; the same command continues: job fleet knows which rows were sent, and does not send them again\.$/,
  );
  const before = queued(stage);
  expect(before).toBeLessThan(900);
  expect((await standing(['status', 'fleet'])).json).toMatchObject({
    rows: 900,
    inFlight: before,
    notSent: 900 - before,
    complete: false,
  });
  expect(await run(['resume', 'fleet'])).toMatchObject({
    exitCode: 2,
    error:
      'Job fleet was not sent completely: enqueue rows.csv with --job fleet again; sending continues where it stopped.',
  });

  // Lines that --from-line leaves out are no rows of this run, whether they were sent or not.
  const rest = await enqueue(['rows.csv', '--job', 'fleet', '--from-line', '900']);
  expect(rest.exitCode).toBe(0);
  const again = await enqueue(['rows.csv', '--job', 'fleet', '--json']);
  expect(JSON.parse(again.stdout)).toMatchObject({
    sent: 900 - before - 2,
    sentBefore: before + 2,
    job: 'fleet',
  });
  expect(queued(stage)).toBe(900);
  expect((await standing(['status', 'fleet'])).json).toMatchObject({
    rows: 900,
    inFlight: 900,
    complete: true,
  });
});

test('a file that was sent whole is not sent again, and leaves its job as it is', async () => {
  const { stage, folder, run, standing, enqueue } = await setEnqueue();
  await stage.worker.start();
  folder.file('rows.csv', 'Identifier,Description\na,x\nb,x\n');
  await enqueue(['rows.csv', '--job', 'fleet']);
  await stage.ended(2);
  const before = await standing(['status', 'fleet']);
  expect(before.json).toMatchObject({ applied: 2, state: { name: 'done' } });
  const log = (await run(['log', 'fleet'])).stdout;
  const again = await enqueue(['rows.csv', '--job', 'fleet']);
  expect(again).toMatchObject({ exitCode: 0, stderr: '' });
  expect(again.stdout).toMatch(
    /^ +sent +0\n +sent before +2 +by an earlier run of job fleet: the whole file\. Nothing was changed$/m,
  );
  const json = JSON.parse((await enqueue(['rows.csv', '--job', 'fleet', '--json'])).stdout) as object;
  expect(json).toMatchObject({ sent: 0, sentBefore: 2, outcome: 'done' });
  expect((await standing(['status', 'fleet'])).json).toEqual(before.json);
  expect((await run(['log', 'fleet'])).stdout).toBe(log);
  expect(stage.api.stats().calls).toBe(2);

  folder.file('more.csv', 'Identifier,Description\nc,x\n');
  expect((await enqueue(['more.csv', '--job', 'fleet'])).exitCode).toBe(0);
  await stage.ended(3);
  expect((await standing(['status', 'fleet'])).json).toMatchObject({ applied: 3, state: { name: 'done' } });
});

test('a job that was moved or cancelled takes no file, and is as it was', async () => {
  const { stage, folder, run, standing, enqueue } = await setEnqueue();
  folder.file('rows.csv', 'Identifier,Description\na,x\n');
  folder.file('more.csv', 'Identifier,Description\nb,x\n');
  await enqueue(['rows.csv', '--job', 'fleet']);
  await run(['stop', 'fleet']);
  await run(['export', 'fleet', '--out', 'fleet.job']);
  const before = await standing(['status', 'fleet']);
  const moved = await enqueue(['more.csv', '--job', 'fleet']);
  expect([moved.exitCode, moved.error]).toEqual([
    2,
    expect.stringMatching(/^Job fleet was moved from here by /),
  ]);
  expect((await standing(['status', 'fleet'])).json).toEqual(before.json);
  await run(['import', 'fleet.job', '--take-over']);
  await run(['cancel', 'fleet', '--yes']);
  const cancelled = await enqueue(['more.csv', '--job', 'fleet']);
  expect([cancelled.exitCode, cancelled.error]).toEqual([
    2,
    'Job fleet was cancelled: give another --job. Nothing was sent.',
  ]);
  expect((await standing(['status', 'fleet'])).json).toMatchObject({ rows: 1, source: 'rows.csv' });
  expect(queued(stage)).toBe(1);
});

test('without a usable ledger nothing is sent, and a job that has a plan takes no file', async () => {
  const { stage, folder, plan, run, enqueue } = await setEnqueue();
  folder.file('rows.csv', 'Identifier,Description\na,x\n');
  writeFileSync(join(folder.path, 'file'), '');
  const refused = await enqueue(['rows.csv', '--job', 'fleet'], { STATE_DIR: 'file' });
  expect(refused.exitCode).toBe(1);
  expect(refused.error).toMatch(
    /^The ledger \S+ledger\.sqlite cannot be used: .*\. Set STATE_DIR to a folder in which this user may make and write files\. --job keeps its rows there; --set JobId=fleet sends without that\. Nothing was sent\.$/,
  );
  const tagged = await enqueue(['rows.csv', '--set', 'JobId=fleet'], { STATE_DIR: 'file' });
  expect(tagged.exitCode).toBe(0);
  expect(queued(stage)).toBe(1);

  await plan(['b']);
  const applying = run(['apply', 'j.jsonl', '--yes']);
  await stage.worker.start();
  await applying;
  const taken = await enqueue(['rows.csv', '--job', 'j']);
  expect(taken).toMatchObject({
    exitCode: 2,
    error:
      'Job j was made by `jobs plan`: give another --job, or --set JobId=j to send without following the rows.',
  });
});
