/** With an outcome queue: one outcome per update, published before its message is deleted. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { outcomeSchema } from '../../src/message/outcome.ts';
import { outcomeEventSchema } from '../../src/message/outcome-event.ts';
import { systemClock } from '../../src/time/clock.ts';
import { QueueTime } from '../../src/time/queue-time.ts';
import { type SqsProxy, startSqsProxy } from '../../testing/sqs/proxy.ts';
import { type Stage, type StageOptions, setStage } from '../../testing/stages/stage.ts';

let proxy: SqsProxy;
let stage: Stage;

beforeEach(async () => {
  proxy = await startSqsProxy();
});
afterEach(async () => {
  await stage.strike();
  await proxy.close();
});

const empty = { ready: 0, inFlight: 0 };

async function set(options: StageOptions = {}): Promise<void> {
  stage = await setStage({
    api: { tasks: { kind: 'all', exceptPrefix: 'unknown' } },
    outcomes: true,
    sqs: { endpoint: proxy.url },
    ...options,
  });
  proxy.upstream = stage.sqsUrl;
}

/** Sends and deletes, as `action queue`, in order. */
const sequence = (): string[] =>
  proxy.requests
    .map(({ action, queue }) => `${action} ${queue}`)
    .filter((request) => /^(SendMessage|DeleteMessage)Batch/.test(request));

describe('every update has one outcome', () => {
  test('whatever becomes of it, with all ids that can be read', async () => {
    await set({
      env: { MAX_ATTEMPTS: '2', MAX_DELIVERIES: '1', FAILURE_RUN_LIMIT: '0' },
      wrapApi: (api) => ({
        updateOtaTask: (update, signal) => {
          if (update.Identifier === 'bug0') throw new TypeError('undefined is not a function');
          return api.updateOtaTask(update, signal);
        },
        destroy: () => api.destroy(),
      }),
    });
    stage.api.script('flaky0', [{ status: 500 }, { status: 500 }]);
    const Description = 'x';
    await stage.send(
      { Identifier: 'task0', Description, JobId: 'job-1', RequestId: 'row-1' },
      { Identifier: 'unknown0', Description, JobId: 'job-1', RequestId: 'row-2' },
      { Identifier: 'flaky0', Description },
      { Identifier: 'bug0', Description },
      { Identifier: 'misspelt0', Descripton: 'x', JobId: 'job-1', RequestId: 'row-3' },
      { Identifier: 'not-one', Description, JobId: 'job 1', RequestId: 'row-4' },
      'not JSON',
    );
    await stage.worker.start();
    await stage.ended(7);
    const outcomes = await stage.outcomes();
    for (const outcome of outcomes) expect(outcomeSchema.parse(outcome)).toEqual(outcome);
    const bare = outcomes.map(({ MessageId: _, At: __, Error: error, ...rest }) => ({
      ...rest,
      ...(error && { error: error.name }),
    }));
    const invalid = { Outcome: 'dead-lettered', Reason: 'Invalid', error: 'InvalidUpdate', Attempts: 0 };
    const job = { JobId: 'job-1' };
    expect(bare).toHaveLength(7);
    expect(bare).toEqual(
      expect.arrayContaining([
        { Identifier: 'task0', ...job, RequestId: 'row-1', Description, Outcome: 'applied', Attempts: 1 },
        {
          Identifier: 'unknown0',
          ...job,
          RequestId: 'row-2',
          Description,
          Outcome: 'dead-lettered',
          Reason: 'Rejected',
          error: 'ResourceNotFoundException',
          Attempts: 1,
        },
        {
          Identifier: 'flaky0',
          Description,
          Outcome: 'dead-lettered',
          Reason: 'RetriesExhausted',
          error: expect.any(String),
          Attempts: 2,
        },
        {
          Identifier: 'bug0',
          Description,
          Outcome: 'dead-lettered',
          Reason: 'InternalError',
          error: 'TypeError',
          Attempts: 1,
        },
        { Identifier: 'misspelt0', ...job, RequestId: 'row-3', ...invalid },
        { RequestId: 'row-4', ...invalid },
        invalid,
      ]),
    );
    expect(new Set(outcomes.map(({ MessageId }) => MessageId)).size).toBe(7);
    // The settled event contains what was published.
    expect(stage.settled().map(({ outcome }) => outcome)).toEqual(expect.arrayContaining(outcomes));
    expect(stage.left()).toEqual(empty);
  });

  test('as a CloudEvent where that is set', async () => {
    await set({ env: { OUTCOME_FORMAT: 'cloudevents' } });
    await stage.send({ Identifier: 'task0', Description: 'x' });
    await stage.worker.start();
    await stage.ended(1);
    const [event] = await stage.outcomes();
    expect(outcomeEventSchema.parse(event)).toEqual(event);
    expect(event).toMatchObject({
      type: 'ota-updater.update.applied',
      subject: 'task0',
      source: expect.stringMatching(/\/updates$/),
      data: stage.settled()[0]?.outcome,
    });
  });

  test('also an expiring one', async () => {
    await set({
      queueAttributes: { MessageRetentionPeriod: '3600' },
      queueTime: new QueueTime({ ...systemClock, wall: () => Date.now() + 3_300_000 }),
    });
    await stage.sendUpdates(1);
    await stage.worker.start();
    await stage.ended(1);
    expect(await stage.outcomes()).toMatchObject([
      { Identifier: 'task0', Outcome: 'dead-lettered', Reason: 'Expiring', Attempts: 0 },
    ]);
  });

  test('after its dead letter and before its delete, each confirmed before the next', async () => {
    await set();
    const confirmed = new Map<string, PromiseWithResolvers<void>>(
      ['dead', 'outcomes'].map((queue) => [queue, Promise.withResolvers<void>()]),
    );
    proxy.rule = async ({ action, queue }, forward) => {
      if (action === 'SendMessageBatch') await confirmed.get(queue)?.promise;
      return forward();
    };
    await stage.send('not JSON');
    await stage.worker.start();
    await proxy.waitFor(() => proxy.count('SendMessageBatch', 'dead') === 1);
    await stage.until(() => stage.events.some(({ type }) => type === 'received'));
    expect(sequence()).toEqual(['SendMessageBatch dead']);
    confirmed.get('dead')?.resolve();
    await proxy.waitFor(() => proxy.count('SendMessageBatch', 'outcomes') === 1);
    expect(sequence()).toEqual(['SendMessageBatch dead', 'SendMessageBatch outcomes']);
    confirmed.get('outcomes')?.resolve();
    await stage.ended(1);
    expect(sequence()).toEqual([
      'SendMessageBatch dead',
      'SendMessageBatch outcomes',
      'DeleteMessageBatch updates',
    ]);
  });
});

describe('requests to SQS', () => {
  test('are none for outcomes without an outcome queue', async () => {
    await set({ outcomes: false });
    await stage.sendUpdates(20);
    await stage.worker.start();
    await stage.ended(20);
    expect(proxy.requests.filter(({ queue }) => queue !== 'updates').map(({ action }) => action)).toEqual([
      // The dead-letter queue is looked up.
      'GetQueueAttributes',
    ]);
    expect(proxy.requests.filter(({ action }) => action.startsWith('SendMessage'))).toEqual([]);
    expect(stage.settled().every(({ outcome }) => outcome === undefined)).toBe(true);
  });
});

test('a worker whose outcome queue does not exist waits for it without receiving', async () => {
  await set({ outcomes: false, env: { OUTCOME_QUEUE_URL: 'http://127.0.0.1/000000000000/outcomes' } });
  await stage.sendUpdates(1);
  const started = stage.worker.start();
  await stage.until(() => stage.hasCondition('finding-queues'));
  expect(proxy.count('ReceiveMessage', 'updates')).toBe(0);
  stage.sqs.createQueue('outcomes', { region: 'eu-west-1' });
  await started;
  await stage.ended(1);
  expect(await stage.outcomes()).toHaveLength(1);
});
