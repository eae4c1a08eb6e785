/** Bulk jobs against a real SQS server, the simulated API and a worker, from apply to undo. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import { proveJobs } from '../../scripts/prove-jobs.ts';
import { sleep, systemClock } from '../../src/clock.ts';
import { addApply } from '../../src/commands/jobs/apply.ts';
import { ledgerRows } from '../../src/commands/jobs/ledger-rows.ts';
import { addPlan } from '../../src/commands/jobs/plan.ts';
import { addReconcile } from '../../src/commands/jobs/reconcile.ts';
import { addReport } from '../../src/commands/jobs/report.ts';
import { addResume } from '../../src/commands/jobs/resume.ts';
import { addRetry } from '../../src/commands/jobs/retry.ts';
import { addStatus } from '../../src/commands/jobs/status.ts';
import { addUndo } from '../../src/commands/jobs/undo.ts';
import { openLedger } from '../../src/jobs/ledger.ts';
import { readOutcome } from '../../src/jobs/outcome-message.ts';
import type { PlanFooter, PlanHeader, PlanRow } from '../../src/jobs/plan-types.ts';
import type { SimulatedApiSettingsInput } from '../../src/sandbox/simulated-api/index.ts';
import { apiHeaders } from '../support/api.ts';
import { JobsFolder, type JobsRun, useApi } from '../support/jobs.ts';
import { startSqsProxy } from '../support/sqs-proxy.ts';
import { REGION, type StageOptions, setStage } from '../support/stage.ts';

interface Standing {
  readonly rows: number;
  readonly applied: number;
  readonly failed: number;
  readonly inFlight: number;
  readonly notSent: number;
  readonly reconciled: number;
  readonly stopped: string | null;
}

/** A stage with a folder of plans; the worker is started where a test wants it. */
async function setJobs(api: SimulatedApiSettingsInput = {}, options: StageOptions = {}) {
  const stage = await setStage({ outcomes: true, api, ...options });
  onTestFinished(() => stage.strike());
  useApi(stage.api);
  const folder = new JobsFolder();
  const env = stage.environment({ STATE_DIR: `${folder.path}/state`, AWS_ENDPOINT_URL_SQS: undefined });
  const run = (args: readonly string[], { env: more, ...rest }: Pick<JobsRun, 'interrupt' | 'env'> = {}) =>
    folder.run(
      (jobs, io, surroundings) => {
        const real = { ...surroundings, clock: systemClock, sleep, random: Math.random };
        for (const add of [addPlan, addApply, addResume, addRetry, addReconcile, addReport, addStatus])
          add(jobs, io, real);
        addUndo(jobs, io, ledgerRows, real);
      },
      args,
      { env: { ...env, ...more }, ...rest },
    );
  const standing = async (args: readonly string[], options?: Pick<JobsRun, 'interrupt' | 'env'>) => {
    const ran = await run([...args, '--json'], options);
    return { ...ran, json: JSON.parse(ran.stdout || '{}') as Standing };
  };
  const plan = async (identifiers: readonly string[], jobId = 'j', ...flags: readonly string[]) => {
    folder.file(
      'rows.csv',
      `Identifier,TaskConfigurationId\n${identifiers.map((id) => `${id},new\n`).join('')}`,
    );
    await run(['plan', 'rows.csv', '--job-id', jobId, '--out', `${jobId}.jsonl`, ...flags]);
  };
  const ids = (count: number, prefix = 'task') => Array.from({ length: count }, (_, i) => `${prefix}${i}`);
  return { stage, folder, run, standing, plan, ids };
}

test('a job of rows that end in every way survives kills, and its report agrees with the API row by row', async () => {
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

test('a failing canary sends exactly its rows, a resume goes on, and a retry sends the failed rows alone', async () => {
  const { stage, run, standing, plan, ids } = await setJobs({ tasks: { kind: 'all', exceptPrefix: 'gone' } });
  await stage.worker.start();
  await plan([...ids(3), 'gone1', ...ids(40, 'more')]);
  const stopped = await standing(['apply', 'j.jsonl', '--canary', '6']);
  expect(stopped.exitCode).toBe(4);
  expect(stopped.error).toMatch(/^The canary failed.*jobs resume j/);
  expect(stopped.json).toMatchObject({ applied: 5, failed: 1, notSent: 38, inFlight: 0 });
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
  expect(rows[3]).toMatchObject({
    Row: 4,
    Identifier: 'gone1',
    State: 'applied',
    Try: 2,
    RequestId: 'r000004.2',
  });
  expect((await run(['apply', 'j.jsonl'])).exitCode).toBe(0);
  expect(stage.api.stats().calls).toBe(45);
});

test('a canary asked for at a resume is of the rows that are sent then', async () => {
  const { stage, standing, plan, ids } = await setJobs({ tasks: { kind: 'all', exceptPrefix: 'gone' } });
  await plan([...ids(10), ...ids(20, 'gone')]);
  const { promise: interrupt, resolve: pressCtrlC } = Promise.withResolvers<void>();
  const applying = standing(['apply', 'j.jsonl', '--window', '10'], { interrupt });
  await vi.waitFor(() => expect(stage.left().ready).toBe(10));
  pressCtrlC();
  expect((await applying).json).toMatchObject({ inFlight: 10, notSent: 20 });
  await stage.worker.start();
  await stage.ended(10);
  const { exitCode, json } = await standing(['resume', 'j', '--canary', '5']);
  expect(exitCode).toBe(4);
  expect(json).toMatchObject({ applied: 10, failed: 5, notSent: 15 });
});

test('a row that a redrive made good is seen by whatever command comes next', async () => {
  const { stage, run, standing, plan, ids } = await setJobs({ tasks: { kind: 'all', exceptPrefix: 'gone' } });
  await stage.worker.start();
  await plan(ids(4, 'gone'));
  expect((await standing(['apply', 'j.jsonl'])).json).toMatchObject({ failed: 4 });
  stage.api.configure({ tasks: { kind: 'all' } });
  const letters = await stage.deadLetters();
  const redrive = async (number: number): Promise<void> => {
    await stage.send(letters[number]?.body ?? '');
    await stage.ended(5 + number);
  };

  await redrive(0);
  expect((await standing(['status', 'j'])).json).toMatchObject({ applied: 1, failed: 3 });
  await redrive(1);
  const { stdout } = await run(['report', 'j', '--format', 'json']);
  expect(JSON.parse(stdout).filter(({ State }: { State: string }) => State === 'applied')).toHaveLength(2);
  await redrive(2);
  expect((await standing(['resume', 'j'])).json).toMatchObject({ applied: 3, failed: 1 });
  await redrive(3);
  const applied = await standing(['apply', 'j.jsonl']);
  expect(applied.json).toMatchObject({ applied: 4, failed: 0 });
  expect(applied.exitCode).toBe(0);
});

test('a status says when the outcome queue cannot be read, and what the ledger knows', async () => {
  const { stage, run, plan, ids } = await setJobs();
  await stage.worker.start();
  await plan(ids(2));
  await run(['apply', 'j.jsonl']);
  stage.sqs.deleteQueue('outcomes', { region: REGION });
  const { exitCode, stdout, stderr } = await run(['status', 'j']);
  expect(exitCode).toBe(0);
  expect(stdout).toContain('job j: 2 of 2 rows ended');
  expect(stderr).toMatch(
    /^Outcomes cannot be read: there is no queue .*OUTCOME_QUEUE_URL.*\. The ledger may know less than there is\.\n$/,
  );
});

test('an apply that cannot send says which setting names the queue', async () => {
  const { stage, standing, plan, ids } = await setJobs();
  await plan(ids(5));
  stage.sqs.deleteQueue('updates', { region: REGION });
  const { exitCode, error } = await standing(['apply', 'j.jsonl']);
  expect(exitCode).toBe(1);
  expect(error).toMatch(/^there is no queue \S+\/updates: check QUEUE_URL and the region\. Go on with/);
});

test('an apply that is interrupted while the plan is verified says that nothing was sent', async () => {
  const { stage, standing, plan, ids } = await setJobs();
  await plan(ids(5));
  const { exitCode, error } = await standing(['apply', 'j.jsonl'], { interrupt: Promise.resolve() });
  expect({ exitCode, error }).toEqual({ exitCode: 130, error: 'Interrupted. Nothing was sent.' });
  expect(stage.left().ready).toBe(0);
});

test('a second apply of the same plan is refused while the first one runs, and says who to watch', async () => {
  const { stage, standing, plan, ids } = await setJobs();
  await plan(ids(20));
  const { promise: interrupt, resolve: pressCtrlC } = Promise.withResolvers<void>();
  const first = standing(['apply', 'j.jsonl'], { interrupt });
  await vi.waitFor(() => expect(stage.left().ready).toBe(20));
  const second = await standing(['apply', 'j.jsonl']);
  expect(second).toMatchObject({
    exitCode: 1,
    error: expect.stringMatching(/^Job j is in another process's hands\. .*jobs status j --watch/),
    stdout: '',
  });
  // Nor does it touch what the first one waits for.
  expect(stage.left().ready).toBe(20);
  await stage.worker.start();
  expect((await standing(['status', 'j', '--watch'])).json).toMatchObject({ applied: 20 });
  expect((await first).json).toMatchObject({ applied: 20 });
  pressCtrlC();
  expect(stage.api.stats().calls).toBe(20);
});

test('an abort rule stops the sending within the window', async () => {
  // One call at a time: so the order in which rows end is that of the calls.
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
    '--abort-when',
    'failed>10%/20',
    '--window',
    '20',
  ]);
  expect(exitCode).toBe(4);
  expect(error).toMatch(/^\d+\.\d% of \d+ ended rows failed/);
  const calls = all.flatMap((id) => stage.api.callsFor(id)).toSorted((a, b) => a.at - b.at);
  const failed = calls.map((_, i) => calls.slice(0, i + 1).filter(({ status }) => status === 404).length);
  const passedAt = failed.findIndex((count, i) => i + 1 >= 20 && count > 0.1 * (i + 1));
  expect(passedAt).toBeGreaterThan(0);
  expect(calls.length - (passedAt + 1)).toBeLessThanOrEqual(20);
  expect(json.rows - json.notSent).toBe(calls.length);
  expect(json.inFlight).toBe(0);
});

test('a job goes through FIFO queues from plan to retry', async () => {
  const { stage, standing, plan, ids } = await setJobs(
    { tasks: { kind: 'all', exceptPrefix: 'gone' } },
    { fifo: true },
  );
  await stage.worker.start();
  await plan([...ids(23), 'gone1', 'gone2']);
  const applied = await standing(['apply', 'j.jsonl']);
  expect(applied).toMatchObject({ exitCode: 3, json: { rows: 25, applied: 23, failed: 2 } });
  stage.api.configure({ tasks: { kind: 'all' } });
  // Within the five minutes in which SQS drops what it has seen: another try is another message.
  const retried = await standing(['retry', 'j', '--only-failed']);
  expect(retried).toMatchObject({ exitCode: 0, json: { applied: 25, failed: 0 } });
  expect(stage.api.stats().calls).toBe(27);
});

test('a job whose outcome queue is deleted and made again while it runs ends with every row known by a reconcile', async () => {
  const { stage, standing, plan, ids } = await setJobs();
  const proxy = await startSqsProxy();
  onTestFinished(() => proxy.close());
  proxy.upstream = stage.sqsUrl;
  const made = Promise.withResolvers<void>();
  const env = { OUTCOME_QUEUE_URL: `${proxy.url}/000000000000/outcomes` };
  const receives = (): number => proxy.count('ReceiveMessage', 'outcomes');
  let heard = 0;
  proxy.rule = async ({ action }, forward) => {
    // The command hears a few, and no more before the queue has gone.
    if (action === 'ReceiveMessage' && heard > 0) await made.promise;
    const answer = await forward();
    if (action === 'ReceiveMessage') heard += ((answer.output.Messages as unknown[]) ?? []).length;
    return answer;
  };
  await plan(ids(60));
  await stage.worker.start();
  const { promise: interrupt, resolve: pressCtrlC } = Promise.withResolvers<void>();
  const applying = standing(['apply', 'j.jsonl'], { interrupt, env });
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

  const reconciled = await standing(['reconcile', 'j']);
  expect(reconciled.exitCode).toBe(0);
  expect(reconciled.stderr).toContain(`reconciled: ${json.inFlight} applied by what the task says`);
  expect(reconciled.json).toMatchObject({ rows: 60, applied: 60, inFlight: 0, reconciled: json.inFlight });
  expect(stage.api.stats().calls).toBe(60);
});

test.each(['resume', 'reconcile'])(
  'a %s enters the rows that a killed apply did not, and sends them',
  async (command) => {
    const { stage, folder, standing, plan, ids } = await setJobs();
    await stage.worker.start();
    await plan(ids(25));
    const path = join(folder.path, 'j.jsonl');
    const ledger = openLedger(`${folder.path}/state`, Date.now);
    const [header, ...lines] = readFileSync(path, 'utf8').trimEnd().split('\n');
    const { Digest: digest, Counts: leftOut } = JSON.parse(lines.at(-1) ?? '') as PlanFooter;
    const { Source: source } = JSON.parse(header ?? '') as PlanHeader;
    const { key } = ledger.addJob({ jobId: 'j', path, source, digest, leftOut });
    ledger.addRows(
      key,
      lines.slice(0, 10).map((line) => JSON.parse(line) as PlanRow),
    );
    ledger.close();
    const { exitCode, json } = await standing([command, 'j']);
    expect(exitCode).toBe(0);
    expect(json).toMatchObject({ rows: 25, applied: 25, notSent: 0 });
  },
);

test('rows whose outcomes were lost are reconciled: by what the task says, or sent again', async () => {
  const { stage, run, standing, plan, ids } = await setJobs();
  await plan(ids(25), 'j', '--refresh');
  const { promise: interrupt, resolve: pressCtrlC } = Promise.withResolvers<void>();
  const applying = standing(['apply', 'j.jsonl'], { interrupt });
  await vi.waitFor(() => expect(stage.left().ready).toBe(25));
  pressCtrlC();
  const interrupted = await applying;
  expect(interrupted.exitCode).toBe(130);
  expect(interrupted.error).toBe('Interrupted. Go on with `ota-updater jobs resume j`.');
  expect(interrupted.json).toMatchObject({ inFlight: 25, notSent: 0 });

  await stage.worker.start();
  await stage.ended(25);
  stage.sqs.deleteQueue('outcomes', { region: REGION });
  stage.sqs.createQueue('outcomes', { region: REGION });
  // Someone changed one task past the queue, and another by an update that is newer than the job.
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
    /reconciled: 23 applied by what the task says, 0 without a task, 2 to be sent again/,
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
  const undone = await standing(['apply', 'u.jsonl']);
  expect(undone.json).toMatchObject({ rows: 24, applied: 24 });
  expect(ids(25).map((id) => stage.api.task(id)?.TaskConfigurationId)).not.toContain('new');
});

test('the ledger takes for an outcome what the schema does, and says what is wrong with the rest', () => {
  expect(readOutcome({ messageId: 'm', body: 'x' })).toMatchObject({ fault: 'not JSON' });
  expect(readOutcome({ messageId: 'm', body: '{}' })).toMatchObject({
    fault: expect.stringContaining('MessageId'),
  });
});
