/** While the outcome queue is unreachable outcomes are kept; a crash or a stop loses none. */
import { afterEach, describe, expect, onTestFinished, test } from 'vitest';
import type { Environment } from '../../src/config.ts';
import { readiness } from '../../src/observe/health.ts';
import { spawnWorker } from '../../testing/processes/process.ts';
import { type SqsProxy, startSqsProxy } from '../../testing/sqs/proxy.ts';
import { REGION, type Stage, type StageOptions, setStage, watchedLease } from '../../testing/stages/stage.ts';

let proxy: SqsProxy | undefined;
let stage: Stage;

afterEach(async () => {
  await stage.strike();
  await proxy?.close();
  proxy = undefined;
});

const empty = { ready: 0, inFlight: 0 };
const away = (): void => stage.sqs.deleteQueue('outcomes', { region: REGION });
const back = (): void => {
  stage.sqs.createQueue('outcomes', { region: REGION });
};
const unreachable = (): Promise<void> => stage.until(() => stage.hasCondition('publishing'));

async function start(env: Environment = {}, options: StageOptions = {}): Promise<SqsProxy> {
  proxy = await startSqsProxy();
  stage = await setStage({
    api: { tasks: { kind: 'all', exceptPrefix: 'unknown' } },
    outcomes: true,
    sqs: { endpoint: proxy.url },
    ...options,
    env,
  });
  proxy.upstream = stage.sqsUrl;
  await stage.worker.start();
  return proxy;
}

describe('an unreachable outcome queue', () => {
  test('makes the worker keep results under lease, stop receiving, report it, and resume without another call', async () => {
    const sqs = await start(watchedLease);
    away();
    await stage.sendUpdates(2);
    await stage.sendUpdates(1, 'unknown');
    await unreachable();
    expect(readiness(stage.worker.snapshot()).reasons).toEqual([
      expect.stringContaining('the outcome queue does not accept outcomes (QueueDoesNotExist, since '),
    ]);
    await stage.until(() => stage.worker.snapshot().settling === 3);
    const polls = sqs.count('ReceiveMessage', 'updates');
    await stage.sendUpdates(100, 'later');
    // Longer than the first lease.
    await sqs.waitFor(() => sqs.count('ChangeMessageVisibilityBatch', 'updates') >= 3);
    expect(sqs.count('ReceiveMessage', 'updates')).toBe(polls);
    expect(stage.left().ready).toBeGreaterThan(0);
    expect(sqs.count('DeleteMessageBatch', 'updates')).toBe(0);
    expect(stage.settled()).toHaveLength(0);
    expect(sqs.count('SendMessageBatch', 'dead')).toBe(1);
    back();
    await stage.ended(103);
    expect(await stage.outcomes()).toHaveLength(103);
    expect(await stage.deadLetters()).toHaveLength(1);
    for (const id of ['task0', 'task1', 'unknown0']) expect(stage.api.callsFor(id)).toHaveLength(1);
    expect(stage.left()).toEqual(empty);
    expect(readiness(stage.worker.snapshot())).toEqual({ ok: true, reasons: [] });
    expect(stage.events.filter(({ type }) => type === 'lease-lost')).toHaveLength(0);
    expect(stage.events).toContainEqual({
      type: 'settle-failed',
      request: 'publish outcomes',
      count: expect.any(Number),
      error: expect.any(Error),
    });
  });

  test('at a stop: messages are released, also of calls in flight, and another worker publishes their outcomes', async () => {
    // Longer than the test may take: a stop must not wait for its whole grace.
    const sqs = await start({ SHUTDOWN_GRACE_SECONDS: '600' }, { holdAnswers: true });
    away();
    stage.api.script('slow0', [{ status: 204, delayMs: 1 }]);
    await stage.sendUpdates(1, 'slow');
    await stage.api.waitFor(() => stage.api.stats().inFlight === 1);
    await stage.sendUpdates(1);
    await stage.send('not JSON');
    await unreachable();
    expect(stage.worker.snapshot()).toMatchObject({ settling: 2, inFlight: 1 });
    const stopped = stage.worker.stop();
    stage.letAnswer();
    await stopped;
    expect(stage.worker.snapshot()).toMatchObject({ state: 'stopped', held: 0 });
    expect(sqs.count('DeleteMessageBatch', 'updates')).toBe(0);
    // An open poll may receive released messages, which are released again.
    expect(stage.settled().every(({ disposition }) => disposition.action === 'release')).toBe(true);
    expect(new Set(stage.settled().map(({ subject }) => subject.message.messageId)).size).toBe(3);
    back();
    const second = stage.makeWorker();
    await second.start();
    await stage.ended(3);
    await second.stop();
    const outcomes = await stage.outcomes();
    expect(outcomes.map(({ Outcome }) => Outcome).sort()).toEqual(['applied', 'applied', 'dead-lettered']);
    expect(stage.left()).toEqual(empty);
  });
});

describe('a worker process', () => {
  test('that dies between outcome and delete leaves a duplicate, never a gap; stopped while the queue is unreachable it exits 0', async () => {
    stage = await setStage({ outcomes: true });
    const sqs = await startSqsProxy(stage.sqsUrl);
    onTestFinished(() => sqs.close());
    const env = stage.environment({
      VISIBILITY_TIMEOUT_SECONDS: '2',
      SHUTDOWN_GRACE_SECONDS: '600',
      HTTP_PORT: 'off',
      AWS_ENDPOINT_URL_SQS: sqs.url,
    });
    await stage.sendUpdates(1);
    sqs.rule = ({ action }, forward) => (action === 'DeleteMessageBatch' ? 'hang' : forward());
    const first = spawnWorker(env);
    await sqs.waitFor(() => sqs.outstanding('DeleteMessageBatch') === 1);
    first.kill('SIGKILL');
    await first.exited;
    const published = await stage.outcomes();
    expect(published).toMatchObject([{ Identifier: 'task0', Outcome: 'applied' }]);

    sqs.rule = ({ queue, action }, forward) =>
      queue === 'outcomes' && action === 'SendMessageBatch' ? 'fail' : forward();
    const second = spawnWorker(env);
    await second.waitForEvent('outcome_queue.unreachable');
    second.kill('SIGTERM');
    expect(await second.exited).toEqual({ code: 0, signal: null });
    const { ready, inFlight } = stage.left();
    expect(ready + inFlight).toBe(1);

    sqs.behave();
    const third = stage.makeWorker();
    await third.start();
    await stage.ended(1);
    await third.stop();
    expect(await stage.outcomes()).toMatchObject([{ MessageId: published[0]?.MessageId }]);
    expect(stage.left()).toEqual(empty);
  });
});
