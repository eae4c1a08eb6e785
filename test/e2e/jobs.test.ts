/** Bulk jobs with a real SQS server, the simulated API and a worker, from apply to undo. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { PlanFooter, PlanHeader, PlanRow } from '../../src/jobs/plan/format.ts';
import { systemClock } from '../../src/time/clock.ts';
import { proveJobs } from '../../testing/proof/prove-jobs.ts';
import { openFileLedger } from '../../testing/stages/file-ledger.ts';
import { setJobs } from '../../testing/stages/jobs-stage.ts';
import { REGION } from '../../testing/stages/stage.ts';

test('a job with every kind of outcome survives kills, and its report agrees with the API row by row', async () => {
  const proof = await proveJobs({ rows: 500, rate: 250, say: () => {} });
  expect(proof.mismatches).toEqual([]);
  expect(proof.ends).toEqual({
    applied: 481,
    refused: 5,
    'as-wanted': 10,
    'dead-lettered AccessDeniedException': 1,
    'dead-lettered ResourceNotFoundException': 3,
  });
  expect(proof.exitCode).toBe(3);
});

test('a failing canary is a sample, sends exactly its rows and names those that failed; a resume sends the others, and a retry only the failed ones', async () => {
  const { stage, run, standing, plan, ids } = await setJobs({ tasks: { kind: 'all', exceptPrefix: 'gone' } });
  await stage.worker.start();
  await plan([...ids(40), 'gone1', ...ids(3, 'more')]);
  const stopped = await standing(['apply', 'j.jsonl', '--yes', '--canary', '6'], { random: () => 0.5 });
  expect(stopped.exitCode).toBe(4);
  expect(stopped.error).toMatch(/^The canary failed.*jobs report j --state failed` says why rows failed\.$/);
  expect(stopped.json).toMatchObject({ applied: 5, failed: 1, notSent: 38, inFlight: 0 });
  expect(stopped.json).toMatchObject({
    lastFailed: [{ row: 41, identifier: 'gone1', error: 'ResourceNotFoundException' }],
  });
  expect((await run(['status', 'j'])).stdout).toMatch(
    /^stopped: The canary failed: .*\n {9}row 41 \(gone1\): ResourceNotFoundException\nnow: nobody is sending its rows$/m,
  );
  expect(stage.api.stats().calls).toBe(6);

  const resumed = await standing(['resume', 'j']);
  expect(resumed.exitCode).toBe(3);
  expect(resumed.json).toMatchObject({ rows: 44, applied: 43, failed: 1, stopped: null });

  stage.api.configure({ tasks: { kind: 'all' } });
  const retried = await standing(['retry', 'j', '--only-failed']);
  expect(retried.exitCode).toBe(0);
  expect(retried.json).toMatchObject({ applied: 44, failed: 0 });
  expect(stage.api.stats().calls).toBe(45);
  expect(stage.api.callsFor('gone1').map(({ status }) => status)).toEqual([404, 204]);

  const { stdout } = await run(['report', 'j', '--format', 'json']);
  const rows = JSON.parse(stdout) as { State: string; RequestId: string }[];
  expect(rows).toHaveLength(44);
  expect(rows[40]).toMatchObject({
    Row: 41,
    Identifier: 'gone1',
    State: 'applied',
    Try: 2,
    RequestId: 'r000041.2',
  });
  expect((await run(['apply', 'j.jsonl', '--yes'])).exitCode).toBe(0);
  expect(stage.api.stats().calls).toBe(45);
});

test("a job is not begun with a clock that is off from SQS's: it says when its updates were decided on", async () => {
  const { run, plan, ids, stage } = await setJobs();
  await plan(ids(1));
  const clock = { ...systemClock, wall: () => Date.now() - 3_600_000 };
  const { exitCode, error } = await run(['apply', 'j.jsonl', '--yes'], { clock });
  expect([exitCode, stage.left()]).toEqual([1, { ready: 0, inFlight: 0 }]);
  expect(error).toMatch(/^This machine's clock is .* behind that of SQS: .* Set the clock\.$/);
});

test('the canary of a resume consists of the rows that it sends', async () => {
  const { stage, standing, plan, ids } = await setJobs({ tasks: { kind: 'all', exceptPrefix: 'gone' } });
  await plan([...ids(10), ...ids(20, 'gone')]);
  const { promise: interrupt, resolve: pressCtrlC } = Promise.withResolvers<void>();
  const applying = standing(['apply', 'j.jsonl', '--yes', '--window', '10'], { interrupt });
  await expect.poll(() => stage.left().ready).toBe(10);
  pressCtrlC();
  expect((await applying).json).toMatchObject({ inFlight: 10, notSent: 20 });
  await stage.worker.start();
  await stage.ended(10);
  const { exitCode, json } = await standing(['resume', 'j', '--canary', '5']);
  expect(exitCode).toBe(4);
  expect(json).toMatchObject({ applied: 10, failed: 5, notSent: 15 });
});

test('an apply that cannot send names the setting of the queue', async () => {
  const { stage, standing, plan, ids } = await setJobs();
  await plan(ids(5));
  stage.sqs.deleteQueue('updates', { region: REGION });
  const { exitCode, error } = await standing(['apply', 'j.jsonl', '--yes']);
  expect(exitCode).toBe(1);
  expect(error).toMatch(/^there is no queue \S+\/updates: check QUEUE_URL and the region\. Continue with/);
});

test('an apply that is interrupted during the verification of the plan says that nothing was changed', async () => {
  const { stage, standing, plan, ids } = await setJobs();
  await plan(ids(5));
  const { exitCode, error } = await standing(['apply', 'j.jsonl', '--yes'], { interrupt: Promise.resolve() });
  expect({ exitCode, error }).toEqual({ exitCode: 130, error: 'Interrupted. Nothing was changed.' });
  expect(stage.left().ready).toBe(0);
});

test('a second apply of a plan is refused while the first one runs, with a hint at the first', async () => {
  const { stage, run, standing, plan, ids } = await setJobs();
  await plan(ids(20));
  const { promise: interrupt, resolve: pressCtrlC } = Promise.withResolvers<void>();
  const first = standing(['apply', 'j.jsonl', '--yes'], { interrupt });
  await expect.poll(() => stage.left().ready).toBe(20);
  const second = await standing(['apply', 'j.jsonl', '--yes']);
  expect(second).toMatchObject({
    exitCode: 1,
    error: expect.stringMatching(/^Another process is sending job j\. .*jobs status j --watch/),
    stdout: '',
  });
  const asked = await run(['apply', 'j.jsonl'], { terminal: true, stdin: 'y\n' });
  expect([asked.error, asked.stderr]).toEqual([second.error, '']);
  // It does not consume outcomes that the first one waits for.
  expect(stage.left().ready).toBe(20);
  await stage.worker.start();
  expect((await standing(['status', 'j', '--watch'])).json).toMatchObject({ applied: 20 });
  expect((await first).json).toMatchObject({ applied: 20 });
  pressCtrlC();
  expect(stage.api.stats().calls).toBe(20);
});

test('an abort rule stops the sending within the window', async () => {
  // One call at a time, so that rows end in the order of the calls.
  const { stage, standing, plan, ids } = await setJobs(
    { tasks: { kind: 'all', exceptPrefix: 'gone' } },
    { env: { MAX_CONCURRENCY: '1' } },
  );
  await stage.worker.start();
  const all = [...ids(30), ...ids(15, 'gone'), ...ids(255, 'more')];
  await plan(all);
  const { exitCode, error, json } = await standing([
    'apply',
    'j.jsonl',
    '--yes',
    '--abort-when',
    'failed>10%/20',
    '--window',
    '20',
  ]);
  expect(exitCode).toBe(4);
  expect(error).toMatch(/^\d+ of \d+ ended rows failed, more than /);
  const calls = all.flatMap((id) => stage.api.callsFor(id)).toSorted((a, b) => a.at - b.at);
  const failed = calls.map((_, i) => calls.slice(0, i + 1).filter(({ status }) => status === 404).length);
  const passedAt = failed.findIndex((count, i) => i + 1 >= 20 && count > 0.1 * (i + 1));
  expect(passedAt).toBeGreaterThan(0);
  expect(calls.length - (passedAt + 1)).toBeLessThanOrEqual(20);
  expect(json.rows - json.notSent).toBe(calls.length);
  expect(json.inFlight).toBe(0);
});

test('a rule that is broken by the last rows of a job ends it with exit 4, and what is left to do is said once', async () => {
  const { stage, standing, run, plan, ids } = await setJobs({ tasks: { kind: 'all', exceptPrefix: 'gone' } });
  await stage.worker.start();
  await plan(ids(12, 'gone'));
  const { exitCode, error, json } = await standing([
    'apply',
    'j.jsonl',
    '--yes',
    '--abort-when',
    'failed>10%/12',
  ]);
  expect([exitCode, json.failed, json.notSent]).toEqual([4, 12, 0]);
  expect(error).toMatch(/^12 of 12 ended rows failed, more than /);
  expect(error).not.toContain('jobs resume');
  // The reason has been seen: what is asked for next is judged anew.
  expect((await run(['resume', 'j'])).exitCode).toBe(3);
});

test('a job goes through FIFO queues from plan to retry', async () => {
  const { stage, standing, plan, ids } = await setJobs(
    { tasks: { kind: 'all', exceptPrefix: 'gone' } },
    { fifo: true },
  );
  await stage.worker.start();
  await plan([...ids(23), 'gone1', 'gone2']);
  const applied = await standing(['apply', 'j.jsonl', '--yes']);
  expect(applied).toMatchObject({ exitCode: 3, json: { rows: 25, applied: 23, failed: 2 } });
  stage.api.configure({ tasks: { kind: 'all' } });
  // Within the five minutes of SQS's deduplication: a retry is another message.
  const retried = await standing(['retry', 'j', '--only-failed']);
  expect(retried).toMatchObject({ exitCode: 0, json: { applied: 25, failed: 0 } });
  expect(stage.api.stats().calls).toBe(27);
});

test.each(['resume', 'reconcile'])(
  'a %s registers the rows that a killed apply had not registered, and sends them',
  async (command) => {
    const { stage, folder, standing, plan, ids } = await setJobs();
    await stage.worker.start();
    await plan(ids(25));
    const path = join(folder.path, 'j.jsonl');
    const ledger = await openFileLedger(`${folder.path}/state`, Date.now);
    const [header, ...lines] = readFileSync(path, 'utf8').trimEnd().split('\n');
    const { Digest: digest, Counts: leftOut } = JSON.parse(lines.at(-1) ?? '') as PlanFooter;
    const { Source: source } = JSON.parse(header ?? '') as PlanHeader;
    const { key } = await ledger.begin({ jobId: 'j', path, source, digest, rows: 25, leftOut, who: 'a@b' });
    await ledger.enter(
      key,
      lines.slice(0, 10).map((line) => JSON.parse(line) as PlanRow),
    );
    await ledger.close();
    const { exitCode, json } = await standing([command, 'j']);
    expect(exitCode).toBe(0);
    expect(json).toMatchObject({ rows: 25, applied: 25, notSent: 0 });
  },
);
