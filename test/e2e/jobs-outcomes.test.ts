/** Jobs whose outcomes are late, lost or unreadable. */
import { expect, onTestFinished, test } from 'vitest';
import { startSqsProxy } from '../../testing/sqs/proxy.ts';
import { apiHeaders } from '../../testing/stages/api.ts';
import { openFileLedger } from '../../testing/stages/file-ledger.ts';
import { setJobs } from '../../testing/stages/jobs-stage.ts';
import { REGION } from '../../testing/stages/stage.ts';
import { newJob } from '../jobs/ledger/contract.ts';

test('every command sees a row that was applied after a redrive', async () => {
  const { stage, run, standing, plan, ids } = await setJobs({ tasks: { kind: 'all', exceptPrefix: 'gone' } });
  await stage.worker.start();
  await plan(ids(4, 'gone'));
  expect((await standing(['apply', 'j.jsonl', '--yes'])).json).toMatchObject({ failed: 4 });
  stage.api.configure({ tasks: { kind: 'all' } });
  const letters = await stage.deadLetters();
  const redrive = async (number: number): Promise<void> => {
    await stage.send(letters[number]?.body ?? '');
    await stage.ended(5 + number);
  };

  await redrive(0);
  expect((await run(['list'])).stdout).toMatch(/^j +4 +3 +0 +done /m);
  expect((await standing(['status', 'j'])).json).toMatchObject({ applied: 1, failed: 3 });
  await redrive(1);
  const { stdout } = await run(['report', 'j', '--json']);
  expect(JSON.parse(stdout).filter(({ State }: { State: string }) => State === 'applied')).toHaveLength(2);
  await redrive(2);
  expect((await standing(['resume', 'j'])).json).toMatchObject({ applied: 3, failed: 1 });
  await redrive(3);
  const applied = await standing(['apply', 'j.jsonl', '--yes']);
  expect(applied.json).toMatchObject({ applied: 4, failed: 0 });
  expect(applied.exitCode).toBe(0);
});

test('an update of somebody else that names a row ends no row, and the row is sent and applied', async () => {
  const { stage, run, standing, plan, ids } = await setJobs();
  await plan(ids(2));
  const { promise: interrupt, resolve: pressCtrlC } = Promise.withResolvers<void>();
  const applying = standing(['apply', 'j.jsonl', '--yes', '--canary', '1'], { interrupt });
  await expect.poll(() => stage.left().ready).toBe(1);
  pressCtrlC();
  expect((await applying).json).toMatchObject({ inFlight: 1, notSent: 1 });

  const named = { JobId: 'j', RequestId: 'r000002.1', IssuedAt: '2026-01-01T00:00:00Z' };
  await stage.send({ Identifier: 'task1', TaskConfigurationId: 'evil', ...named });
  await stage.worker.start();
  await stage.ended(2);
  expect((await standing(['status', 'j'])).json).toMatchObject({
    applied: 1,
    notSent: 1,
    foreignOutcomes: 1,
  });
  const { exitCode, stdout } = await run(['resume', 'j']);
  expect(exitCode).toBe(0);
  expect(stdout).toMatch(/^ {2}applied +2$/m);
  expect(stdout).toMatch(/^ {2}foreign +1 {2}outcomes of messages that this ledger did not send$/m);
  expect(stage.api.task('task1')?.TaskConfigurationId).toBe('new');
});

test('status reports an unreadable outcome queue, and what the ledger knows', async () => {
  const { stage, run, plan, ids } = await setJobs();
  await stage.worker.start();
  await plan(ids(2));
  await run(['apply', 'j.jsonl', '--yes']);
  stage.sqs.deleteQueue('outcomes', { region: REGION });
  const { exitCode, stdout, stderr } = await run(['status', 'j']);
  expect(exitCode).toBe(0);
  expect(stdout).toContain('job j: 2 of 2 rows ended');
  expect(stderr).toMatch(
    /^Outcomes cannot be read: there is no queue .*OUTCOME_QUEUE_URL.*\. The ledger may be out of date\.\n$/,
  );
});

test('where SQS cannot be reached, the sentence is about the outcome queue, or says why another one is asked', async () => {
  const { stage, run, plan, ids } = await setJobs();
  await stage.worker.start();
  await plan(ids(1));
  await run(['apply', 'j.jsonl', '--yes']);
  const nowhere = (queue: string): string => `http://127.0.0.1:9/000000000000/${queue}`;
  const DEAD_LETTER_QUEUE_URL = nowhere('dead');
  const env = {
    QUEUE_URL: nowhere('updates'),
    DEAD_LETTER_QUEUE_URL,
    OUTCOME_QUEUE_URL: nowhere('outcomes'),
  };
  const away = await run(['status', 'j'], { env });
  expect(away.stderr).toMatch(
    /^Outcomes cannot be read: SQS cannot be reached for http:\S+\/outcomes: .*The ledger may be out of date\.\n$/,
  );
  const { stderr } = await run(['list'], { env: { DEAD_LETTER_QUEUE_URL } });
  expect(stderr).toMatch(
    /^Outcomes are not read until it is known that OUTCOME_QUEUE_URL and DEAD_LETTER_QUEUE_URL are different queues: SQS cannot be reached for http:\S+\/dead: /,
  );
});

test('a reconcile completes a job whose outcome queue was deleted and recreated while it ran', async () => {
  const { stage, run, standing, plan, ids } = await setJobs();
  const proxy = await startSqsProxy();
  onTestFinished(() => proxy.close());
  proxy.upstream = stage.sqsUrl;
  const made = Promise.withResolvers<void>();
  const env = { OUTCOME_QUEUE_URL: `${proxy.url}/000000000000/outcomes` };
  const receives = (): number => proxy.count('ReceiveMessage', 'outcomes');
  let received = 0;
  proxy.rule = async ({ action }, forward) => {
    // The command receives a few outcomes before the queue is deleted.
    if (action === 'ReceiveMessage' && received > 0) await made.promise;
    const answer = await forward();
    if (action === 'ReceiveMessage') received += ((answer.output.Messages as unknown[]) ?? []).length;
    return answer;
  };
  await plan(ids(60));
  await stage.worker.start();
  const { promise: interrupt, resolve: pressCtrlC } = Promise.withResolvers<void>();
  const applying = standing(['apply', 'j.jsonl', '--yes'], { interrupt, env });
  await stage.ended(60);
  stage.sqs.deleteQueue('outcomes', { region: REGION });
  stage.sqs.createQueue('outcomes', { region: REGION });
  const before = receives();
  made.resolve();
  await proxy.waitFor(() => receives() > before);
  pressCtrlC();
  const { exitCode, json } = await applying;
  expect(exitCode).toBe(130);
  expect(json.applied).toBeLessThan(60);
  expect(json.inFlight).toBe(60 - json.applied);

  // On a busy machine a call may time out and be made again.
  const { calls } = stage.api.stats();
  const reconciled = await standing([
    'reconcile',
    'j',
    '--by',
    'ann',
    '--reason',
    'the queue was made again',
  ]);
  expect(reconciled.exitCode).toBe(0);
  expect(reconciled.stderr).toContain(`reconciled: ${json.inFlight} applied according to their tasks`);
  expect((await run(['log', 'j', '--json'])).stdout).toContain(
    '"who":"ann@bench","what":"retry","subject":"j","why":"the queue was made again"',
  );
  expect(reconciled.json).toMatchObject({ rows: 60, applied: 60, inFlight: 0, reconciled: json.inFlight });
  expect(stage.api.stats().calls).toBe(calls);
});

test('rows whose outcomes were lost are reconciled by the state of their tasks, or sent again', async () => {
  const { stage, run, standing, plan, ids } = await setJobs();
  await plan(ids(25), 'j', '--refresh');
  const { promise: interrupt, resolve: pressCtrlC } = Promise.withResolvers<void>();
  const applying = standing(['apply', 'j.jsonl', '--yes', '--window', '100'], { interrupt });
  await expect.poll(() => stage.left().ready).toBe(25);
  pressCtrlC();
  const interrupted = await applying;
  expect(interrupted.exitCode).toBe(130);
  expect(interrupted.error).toBe('Interrupted. Continue with `ota-updater jobs resume j`.');
  expect(interrupted.json).toMatchObject({ inFlight: 25, notSent: 0 });

  await stage.worker.start();
  await stage.ended(25);
  stage.sqs.deleteQueue('outcomes', { region: REGION });
  stage.sqs.createQueue('outcomes', { region: REGION });
  // One task was changed without the queue, another by an update newer than the job.
  await fetch(`${stage.api.url}/ota-tasks/task7`, {
    method: 'PUT',
    headers: apiHeaders,
    body: JSON.stringify({ TaskConfigurationId: 'other' }),
  });
  await stage.send({ Identifier: 'task8', TaskConfigurationId: 'newer' });
  await stage.ended(26);
  const reconciled = await standing(['reconcile', 'j']);
  expect(reconciled.exitCode).toBe(0);
  expect(reconciled.stderr).toMatch(
    /reconciled: 23 applied according to their tasks, 0 without a task, 2 to be sent again/,
  );
  expect(reconciled.json).toMatchObject({
    rows: 25,
    applied: 24,
    superseded: 1,
    inFlight: 0,
    reconciled: 23,
  });
  expect(stage.api.task('task7')?.TaskConfigurationId).toBe('new');
  expect(stage.api.task('task8')?.TaskConfigurationId).toBe('newer');

  await run(['undo', 'j', '--out', 'u.jsonl']);
  const undone = await standing(['apply', 'u.jsonl', '--yes']);
  expect(undone.json).toMatchObject({ rows: 24, applied: 24 });
  expect(ids(25).map((id) => stage.api.task(id)?.TaskConfigurationId)).not.toContain('new');
});

test('two ledgers on one outcome queue: outcomes of the other job are left, and told; what is no outcome is left, too', async () => {
  const { stage, folder, run, standing, plan, ids } = await setJobs();
  const waiting = (): number => {
    const { ready = [], inflight = [] } = stage.sqs.inspectQueue('outcomes')?.messages ?? {};
    return ready.length + inflight.length;
  };
  await plan(ids(3));
  const { promise: interrupt, resolve: pressCtrlC } = Promise.withResolvers<void>();
  const applying = standing(['apply', 'j.jsonl', '--yes'], { interrupt });
  await expect.poll(() => stage.left().ready).toBe(3);
  pressCtrlC();
  await applying;
  await stage.worker.start();
  await stage.ended(3);

  const other = { env: { STATE_DIR: `${folder.path}/other` } };
  const ledger = await openFileLedger(other.env.STATE_DIR, Date.now);
  await ledger.begin({ ...newJob, jobId: 'k' });
  await ledger.close();
  // Outcomes are collected before the job is looked up.
  const { exitCode, stderr, error } = await run(['report', 'j'], other);
  expect(exitCode).toBe(2);
  expect(error).toMatch(/^There is no job j in the ledger /);
  expect(stderr).toMatch(
    /^The queue has outcomes of job j, which the ledger \S+ledger\.sqlite does not have, or which was moved from it\. They are left on the queue for the ledger that has the job: for an hour, or, if the job was moved from here, until that ledger takes them\. Give each ledger its own OUTCOME_QUEUE_URL: two ledgers on one queue are both slow\.\n$/,
  );
  expect(waiting()).toBe(3);

  await stage
    .queue('outcomes')
    .send(Array.from({ length: 10 }, (_, i) => ({ key: String(i), body: '{"Identifier":"a"}' })));
  const stopped = await run(['report', 'j']);
  expect(stopped.exitCode).toBe(1);
  expect(stopped.error).toMatch(
    /^The queue of OUTCOME_QUEUE_URL holds messages that are not outcomes: 10 so far/,
  );
  expect(waiting()).toBe(13);
});
