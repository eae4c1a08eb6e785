/** `trace`: what the ledger, the dead-letter queue, the API and a worker's log know of one task. */
import { PassThrough } from 'node:stream';
import { expect, test } from 'vitest';
import { logEvents } from '../../src/observe/log-events.ts';
import { createLogger } from '../../src/observe/logger.ts';
import { sleep } from '../../src/time/clock.ts';
import { configureTrace } from '../../src/trace/commands/command.ts';
import { fakeContext, runConfigured } from '../../testing/stages/context.ts';
import { setJobs } from '../../testing/stages/jobs-stage.ts';

interface TraceJson {
  readonly task: Readonly<Record<string, string | null>> | null;
  readonly gone: boolean;
  readonly updates: readonly Readonly<Record<string, unknown>>[];
  readonly sources: readonly { readonly source: string; readonly state: string; readonly what: string }[];
}

test('every update of a task, with its end, from ledger, letters, log and API; a source that fails is named', async () => {
  let log = '';
  const lines = new PassThrough().on('data', (chunk: Buffer) => {
    log += chunk.toString();
  });
  const { stage, folder, run, plan } = await setJobs(
    { tasks: { kind: 'all', exceptPrefix: 'gone' } },
    { listeners: [logEvents(createLogger('debug', lines))] },
  );
  await stage.worker.start();
  await plan(['pump1', 'pump2', 'pump2x'], 'first');
  await run(['apply', 'first.jsonl', '--yes']);
  stage.api.configure({ tasks: { kind: 'all', exceptPrefix: 'pump1' } });
  await plan(['pump1'], 'second');
  await run(['apply', 'second.jsonl', '--yes']);
  await stage.send({ Identifier: 'pump1', Description: 'by hand', RequestId: 'r000001.1', JobId: 'first' });
  await stage.ended(5);
  stage.api.configure({ tasks: { kind: 'all' } });
  folder.file(
    'worker.log',
    `a line of something else\n${log.replaceAll('{"level"', 'worker-1  | {"level"')}`,
  );
  const env = stage.environment({ STATE_DIR: `${folder.path}/state`, AWS_ENDPOINT_URL_SQS: undefined });
  const trace = async (args: readonly string[], more: Readonly<Record<string, string>> = {}) => {
    const context = fakeContext({ env: { ...env, ...more }, cwd: folder.path, sleep });
    const ran = await runConfigured((command, io) => configureTrace(command, io, 0), 'trace', args, context);
    expect(ran.error).toBe('');
    return { ...ran, exitCode: context.exitCode };
  };
  const traceJson = async (...args: Parameters<typeof trace>): Promise<TraceJson & { exitCode: number }> => {
    const { stdout, exitCode } = await trace([...args[0], '--json'], args[1]);
    return { ...JSON.parse(stdout), exitCode };
  };

  // All sources: three updates in order of time; that of somebody else is not taken for the job's row.
  const all = await traceJson(['pump1', '--log', 'worker.log']);
  expect(all.updates).toMatchObject([
    { job: 'first', row: 1, requestId: 'r000001.1', TaskConfigurationId: 'new', end: 'applied', letters: [] },
    {
      job: 'second',
      row: 1,
      end: 'dead-lettered',
      reason: 'Rejected',
      status: 404,
      letters: [{ redriveCount: 0 }],
    },
    { job: 'first', requestId: 'r000001.1', row: null, Description: 'by hand', end: 'dead-lettered' },
  ]);
  expect(all.updates.map(({ sources }) => sources)).toEqual([
    ['ledger', 'log'],
    ['ledger', 'dead-letters', 'log'],
    ['dead-letters', 'log'],
  ]);
  expect(all.updates[1]?.steps).toMatchObject([
    { source: 'ledger', what: 'sent to the queue' },
    { source: 'log', what: expect.stringMatching(/^call 1 failed: ResourceNotFoundException \(404\)/) },
  ]);
  expect(all.task).toMatchObject({ TaskConfigurationId: 'new', Status: expect.any(String) });
  expect(all.sources.map(({ source, state }) => `${source} ${state}`)).toEqual([
    'ledger read',
    'dead-letters read',
    'task read',
    'log read',
  ]);
  expect(all.exitCode).toBe(0);
  // All was left in place.
  expect(await stage.dead.receive({ max: 10, waitSeconds: 0, visibilitySeconds: 0 })).toHaveLength(2);

  // As text, within 80 columns, with what to do next.
  const { stdout } = await trace(['pump1']);
  expect(stdout).toContain('TaskConfigurationId new, as set by the update of');
  expect(stdout).toMatch(/ {2}log +not read: --log FILE/);
  expect(stdout).toContain('next: ota-updater dead-letters show pump1');
  expect(stdout.split('\n').filter((line) => line.length > 80)).toEqual([]);

  // No source stops another.
  const broken = await traceJson(['pump1', '--log', 'no.log'], {
    DEAD_LETTER_QUEUE_URL: `${stage.sqsUrl}/000000000000/nowhere`,
    RETRY_MAX_MS: 'nonsense',
  });
  expect(broken.sources).toMatchObject([
    { source: 'ledger', state: 'read' },
    { source: 'dead-letters', state: 'failed', what: expect.stringContaining('there is no queue') },
    { source: 'task', state: 'failed', what: expect.stringContaining('RETRY_MAX_MS') },
    { source: 'log', state: 'failed', what: expect.stringContaining('no.log cannot be read') },
  ]);
  expect(broken.updates).toHaveLength(2);
  expect(broken.exitCode).toBe(1);

  // A task that the API does not know, and of which nothing is known.
  stage.api.configure({ tasks: { kind: 'all', exceptPrefix: 'gone' } });
  expect(await traceJson(['gone7'], { STATE_DIR: `${folder.path}/none` })).toMatchObject({
    task: null,
    gone: true,
    updates: [],
    sources: [{ source: 'ledger', state: 'not-asked' }, {}, {}, {}],
    exitCode: 0,
  });
  expect(folder.files()).not.toContain('none');
});
