/** Shutdown of a worker by signals, in each of its states; that its process ends, where something might keep it. */
import { afterEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import { spawnWorker } from '../../testing/processes/process.ts';
import { type RunningWorker, runWorker } from '../../testing/processes/worker.ts';
import { type SqsProxy, startSqsProxy } from '../../testing/sqs/proxy.ts';
import { graceWithRelease, type Stage, type StageOptions, setStage } from '../../testing/stages/stage.ts';

let stage: Stage;
let proxy: SqsProxy;
let worker: RunningWorker;
afterEach(() => stage.strike());

interface SetUp extends StageOptions {
  /** The worker is a process of its own. */
  readonly spawned?: boolean;
}

/** A worker with a stage and a proxy of its own. */
async function setUp(
  env: Record<string, string> = {},
  { spawned = false, ...options }: SetUp = {},
): Promise<void> {
  stage = await setStage(options);
  proxy = await startSqsProxy(stage.sqsUrl);
  onTestFinished(() => proxy.close());
  startWorker = () => {
    const own = { AWS_ENDPOINT_URL_SQS: proxy.url, LOG_LEVEL: 'debug', HTTP_PORT: 'off' };
    const environment = stage.environment({ ...own, ...env });
    return spawned ? spawnWorker(environment) : runWorker(environment);
  };
}
let startWorker: () => RunningWorker;

/**
 * Longer than any machine needs, shorter than what a worker here could wait for instead of stopping: a request without an
 * answer, a backoff, a trial, or a grace of 600 s.
 */
const GIVE_UP_AFTER_MS = 25_000;

/** Calls last until the test lets the API answer. */
const heldAnswers = { api: { latency: { minMs: 1, maxMs: 1 } }, holdAnswers: true };

const longGrace = { SHUTDOWN_GRACE_SECONDS: '600' };

/**
 * The worker stops by itself, and before a request that SQS does not answer has timed out. How long it takes is for
 * test/worker/stop.test.ts, in virtual time.
 */
async function expectExit(signal: 'SIGTERM' | 'SIGINT' = 'SIGTERM'): Promise<void> {
  worker.kill(signal);
  const { promise: stillRuns, reject } = Promise.withResolvers<never>();
  const giveUp = setTimeout(() => reject(new Error('the worker still runs')), GIVE_UP_AFTER_MS);
  expect(await Promise.race([worker.exited, stillRuns])).toEqual({ code: 0, signal: null });
  clearTimeout(giveUp);
  expect(worker.lines().map((line) => line.event)).toContain('worker.stopped');
  expect(worker.raw().stdout).not.toContain('TimeoutError');
}

describe('a worker with calls in flight and messages waiting', () => {
  test.each(['SIGTERM', 'SIGINT'] as const)(
    'finishes the calls, releases the rest and exits 0 on %s',
    async (signal) => {
      await setUp({ MAX_CONCURRENCY: '50', ...longGrace }, { ...heldAnswers, spawned: true });
      await stage.sendUpdates(300);
      worker = startWorker();
      await stage.api.waitFor(() => stage.api.stats().inFlight === 50);
      await worker.waitForLine(() => stage.left().inFlight > 50);
      void worker.waitForEvent('worker.draining').then(() => stage.letAnswer());
      await expectExit(signal);
      expect(stage.left()).toEqual({ ready: 250, inFlight: 0 });
      expect(stage.api.stats()).toMatchObject({ calls: 50, applied: 50 });
    },
  );

  test('releases messages that were not started before the calls have ended', async () => {
    await setUp({ MAX_CONCURRENCY: '5', CALL_TIMEOUT_MS: '60000' }, heldAnswers);
    // One receive: of calls as slow as these, a worker holds no more, and has no poll open that would bring them back.
    await stage.sendUpdates(10);
    worker = startWorker();
    await stage.api.waitFor(() => stage.api.stats().inFlight === 5);
    await worker.waitForLine(() => stage.left().ready === 0);
    worker.kill('SIGTERM');
    const released = (): number => worker.lines().filter((line) => line.event === 'released').length;
    await worker.waitForLine(() => released() === 5);
    expect(stage.left()).toEqual({ ready: 5, inFlight: 5 });
    expect(stage.api.stats()).toMatchObject({ inFlight: 5 });
    stage.letAnswer();
    expect(await worker.exited).toEqual({ code: 0, signal: null });
    expect(stage.left()).toEqual({ ready: 5, inFlight: 0 });
  });

  test('releases messages to others, and not to its own polls that it has just aborted', async () => {
    const env = { MAX_CONCURRENCY: '20', CALL_TIMEOUT_MS: '60000', ...graceWithRelease };
    await setUp(env, { spawned: true });
    stage.api.scriptAll('hang');
    // This message marks when a second has passed: by then the polls count as idle.
    stage.api.script('clock', [{ status: 400, errorType: 'ValidationException', delayMs: 1_000 }]);
    await stage.send({ Identifier: 'clock', Description: 'x' });
    await stage.sendUpdates(30);
    worker = startWorker();
    await worker.waitForEvent('dead_letter');
    expect(proxy.outstanding('ReceiveMessage')).toBeGreaterThan(0);
    expect(stage.left()).toEqual({ ready: 0, inFlight: 30 });
    worker.kill('SIGTERM');
    expect(await worker.exited).toEqual({ code: 0, signal: null });
    expect(stage.left()).toEqual({ ready: 30, inFlight: 0 });
  });

  test('aborts calls that hang within the grace, and releases their messages', async () => {
    await setUp({ MAX_CONCURRENCY: '5', CALL_TIMEOUT_MS: '60000', ...graceWithRelease });
    stage.api.scriptAll('hang');
    await stage.sendUpdates(10);
    worker = startWorker();
    await stage.api.waitFor(() => stage.api.stats().inFlight === 5);
    await expectExit();
    expect(stage.left()).toEqual({ ready: 10, inFlight: 0 });
  });

  test('makes no call for messages that wait behind another of their Identifier', async () => {
    await setUp({}, heldAnswers);
    await stage.send(...Array.from({ length: 6 }, (_, i) => ({ Identifier: 'same', Description: `d${i}` })));
    worker = startWorker();
    await stage.api.waitFor(() => stage.api.stats().inFlight === 1);
    await worker.waitForLine(() => stage.left().ready === 0);
    worker.kill('SIGTERM');
    await worker.waitForEvent('worker.draining');
    stage.letAnswer();
    expect(await worker.exited).toEqual({ code: 0, signal: null });
    expect(stage.api.stats()).toMatchObject({ calls: 1 });
    expect(stage.left()).toEqual({ ready: 5, inFlight: 0 });
  });

  test.each(['SIGTERM', 'SIGINT'] as const)(
    'exits at once with a code that is not 0 on a second %s',
    async (signal) => {
      await setUp({ CALL_TIMEOUT_MS: '60000', SHUTDOWN_GRACE_SECONDS: '60' }, { spawned: true });
      stage.api.scriptAll('hang');
      await stage.sendUpdates(3);
      worker = startWorker();
      await stage.api.waitFor(() => stage.api.stats().inFlight === 3);
      worker.kill(signal);
      await worker.waitForEvent('worker.draining');
      worker.kill(signal);
      expect(await worker.exited).toEqual({ code: signal === 'SIGINT' ? 130 : 143, signal: null });
    },
  );

  test('loses nothing and leaves nothing in flight, at whatever point of a backlog', async () => {
    await setUp({ RATE_LIMIT: '400' }, { api: { latency: { minMs: 0, maxMs: 30 } } });
    const identifiers = await stage.sendUpdates(600);
    for (let round = 1; stage.left().ready > 0; round++) {
      worker = startWorker();
      const target = Math.min(600, round * 190);
      await stage.api.waitFor(() => stage.api.stats().applied >= target);
      worker.kill('SIGTERM');
      expect(await worker.exited).toEqual({ code: 0, signal: null });
      expect(stage.left()).toEqual({ ready: 600 - stage.api.stats().applied, inFlight: 0 });
    }
    expect(identifiers.filter((id) => stage.api.callsFor(id).length !== 1)).toEqual([]);
  });
});

describe('an idle worker', () => {
  test('exits from a long poll that is never answered', async () => {
    await setUp({ HTTP_PORT: '0', ...longGrace }, { spawned: true });
    proxy.rule = ({ action }, forward) => (action === 'ReceiveMessage' ? 'hang' : forward());
    worker = startWorker();
    await worker.waitForEvent('worker.running');
    await proxy.waitFor(() => proxy.outstanding('ReceiveMessage') === 1);
    await expectExit();
  });

  test('exits from several long polls after a backlog, none of which is answered', async () => {
    await setUp(longGrace);
    await stage.sendUpdates(200);
    proxy.rule = ({ action }, forward) =>
      action === 'ReceiveMessage' && stage.left().ready === 0 ? 'hang' : forward();
    worker = startWorker();
    await stage.api.waitFor(() => stage.api.stats().applied === 200);
    await worker.waitForLine(() => stage.left().inFlight === 0);
    await expectExit();
  });
});

describe('a worker whose queues cannot be found', () => {
  test('exits 0 when the queue does not exist', async () => {
    await setUp({ SHUTDOWN_GRACE_SECONDS: '2' });
    stage.sqs.deleteQueue('updates');
    worker = startWorker();
    const line = await worker.waitForEvent('queue.unresolved');
    expect(line).toMatchObject({
      level: 'error',
      error: { name: expect.stringContaining('QueueDoesNotExist') },
    });
    await expectExit();
  });

  test('exits 0 when nothing listens where SQS should be', async () => {
    await setUp({ AWS_ENDPOINT_URL_SQS: 'http://127.0.0.1:1', SHUTDOWN_GRACE_SECONDS: '2' });
    worker = startWorker();
    await worker.waitForEvent('queue.unresolved');
    await expectExit();
  });

  test('exits 0 within the grace when SQS accepts requests and does not answer', async () => {
    await setUp({ SHUTDOWN_GRACE_SECONDS: '2' });
    proxy.rule = () => 'hang';
    worker = startWorker();
    await proxy.waitFor(() => proxy.outstanding('GetQueueAttributes') === 2);
    await expectExit();
  });
});

describe('a worker that waits', () => {
  /** The answers, and the condition that everything waits. */
  const waits: {
    name: string;
    env?: Record<string, string>;
    api?: StageOptions['api'];
    script?: Parameters<Stage['api']['scriptAll']>[0];
  }[] = [
    {
      name: 'as Retry-After asked',
      script: { status: 429, errorType: 'ThrottlingException', headers: { 'retry-after': '900' } },
    },
    {
      name: 'in backoff',
      env: { RETRY_BASE_MS: '60000', RETRY_MAX_MS: '60000', FAILURE_RUN_LIMIT: '0' },
      script: { status: 500, errorType: 'InternalServerException' },
    },
    {
      name: 'while the gate is closed by an outage',
      env: { FAILURE_RUN_LIMIT: '3' },
      script: { status: 500, errorType: 'InternalServerException' },
    },
    { name: 'while a lone 403 is on trial', env: { FAILURE_RUN_LIMIT: '0' }, api: { denied: 'all' } },
    { name: 'for credentials that heal', api: { expiredCredentials: true } },
  ];

  test.each(waits)(
    'exits 0 without waiting, and releases everything: $name',
    async ({ env = {}, api = {}, script }) => {
      await setUp({ ...longGrace, ...env }, { api });
      if (script !== undefined) stage.api.scriptAll(script);
      await stage.sendUpdates(10);
      worker = startWorker();
      const failures = (): number =>
        worker
          .lines()
          .filter((line) => line.event === 'call.failed' || String(line.event).startsWith('gate.')).length;
      await worker.waitForLine(() => failures() >= 4);
      const calls = stage.api.stats().calls;
      await expectExit();
      // Calls sent at the signal may have arrived, and retries begun before the gate closed; no new call was made.
      expect(stage.api.stats().calls).toBeLessThanOrEqual(Math.max(calls, 10 + 3));
      expect(stage.api.stats()).toMatchObject({ applied: 0 });
      const { ready, inFlight } = stage.left();
      const deferred = worker.lines().filter((line) => line.event === 'deferred').length;
      expect({ ready: ready + deferred, inFlight: inFlight - deferred }).toEqual({ ready: 10, inFlight: 0 });
      expect(await stage.deadLetters()).toEqual([]);
    },
  );

  test('exits 0 without waiting, and releases everything: for a permit', async () => {
    await setUp({ RATE_LIMIT: '0.01', ...longGrace });
    await stage.sendUpdates(10);
    worker = startWorker();
    await worker.waitForEvent('applied');
    await expectExit();
    expect(stage.left()).toEqual({ ready: 9, inFlight: 0 });
  });
});

describe('a worker that cannot settle', () => {
  /** The longest backoffs. */
  const jitterLongest = (): void => {
    const random = vi.spyOn(Math, 'random').mockReturnValue(0.999);
    onTestFinished(() => random.mockRestore());
  };

  test('exits 0 within the grace with the dead-letter queue unreachable, and releases the messages', async () => {
    jitterLongest();
    await setUp(graceWithRelease);
    proxy.rule = ({ action }, forward) => (action === 'SendMessageBatch' ? 'fail' : forward());
    await stage.send('not json', 'not json either');
    worker = startWorker();
    await proxy.waitFor(() => proxy.count('SendMessageBatch') >= 3);
    await expectExit();
    expect(stage.left()).toEqual({ ready: 2, inFlight: 0 });
  });

  test('exits 0 within the grace with the dead-letter queue not answering, and releases the messages', async () => {
    jitterLongest();
    await setUp(graceWithRelease);
    proxy.rule = ({ action }, forward) => (action === 'SendMessageBatch' ? 'hang' : forward());
    await stage.send('not json');
    worker = startWorker();
    await proxy.waitFor(() => proxy.outstanding('SendMessageBatch') === 1);
    await expectExit();
    expect(stage.left()).toEqual({ ready: 1, inFlight: 0 });
  });

  test.each(['fail', 'hang', 'reset'] as const)(
    'exits 0 within the grace when SQS refuses deletes (%s)',
    async (treatment) => {
      jitterLongest();
      await setUp({ SHUTDOWN_GRACE_SECONDS: '2' });
      await stage.sendUpdates(5);
      proxy.rule = ({ action }, forward) => (action === 'DeleteMessageBatch' ? treatment : forward());
      worker = startWorker();
      await proxy.waitFor(() => proxy.count('DeleteMessageBatch') >= 1);
      await expectExit();
    },
  );

  test('exits 0 within the grace when SQS becomes unreachable', async () => {
    jitterLongest();
    await setUp({ SHUTDOWN_GRACE_SECONDS: '2', RATE_LIMIT: '10' });
    await stage.sendUpdates(40);
    worker = startWorker();
    await worker.waitForEvent('applied');
    proxy.rule = () => 'reset';
    await expectExit();
  });

  test('exits 0 when receives fail', async () => {
    jitterLongest();
    await setUp({ SHUTDOWN_GRACE_SECONDS: '2' });
    proxy.rule = ({ action }, forward) => (action === 'ReceiveMessage' ? 'fail' : forward());
    worker = startWorker();
    await proxy.waitFor(() => proxy.count('ReceiveMessage') >= 3);
    await expectExit();
  });

  test('exits 0 within the grace when receives are not answered', async () => {
    await setUp({ SHUTDOWN_GRACE_SECONDS: '2' }, { spawned: true });
    proxy.rule = ({ action }, forward) => (action === 'ReceiveMessage' ? 'hang' : forward());
    worker = startWorker();
    await proxy.waitFor(() => proxy.outstanding('ReceiveMessage') === 1);
    await expectExit();
  });
});
