/** Leases, with an SQS server as strict as AWS's: kept while a message is held, and how they end. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createSqsClient } from '../../src/queue/client.ts';
import { type SqsProxy, type SqsRequest, startSqsProxy } from '../../testing/sqs/proxy.ts';
import { purgeQueue } from '../../testing/sqs/queues.ts';
import {
  credentials,
  REGION,
  type Stage,
  type StageOptions,
  setStage,
  watchedLease,
} from '../../testing/stages/stage.ts';

let proxy: SqsProxy;
let stage: Stage;

beforeEach(async () => {
  proxy = await startSqsProxy();
});
afterEach(async () => {
  await stage.strike();
  await proxy.close();
});

/** For tests that no second delivery may spoil: extended every 6 s, so a machine that stalls for 5 s loses no lease. */
const calmLease = { VISIBILITY_TIMEOUT_SECONDS: '12' };

async function set(options: StageOptions = {}): Promise<void> {
  stage = await setStage({
    strict: true,
    sqs: { endpoint: proxy.url },
    ...options,
    env: { ...watchedLease, ...options.env },
  });
  proxy.upstream = stage.sqsUrl;
}

const lost = () => stage.events.flatMap((event) => (event.type === 'lease-lost' ? [event] : []));
const isExtension = ({ action, input }: SqsRequest): boolean =>
  action === 'ChangeMessageVisibilityBatch' &&
  (input.Entries as { VisibilityTimeout: number }[]).every(({ VisibilityTimeout }) => VisibilityTimeout > 0);

/** The receipt handles that the worker was given. */
function watchHandles(): string[] {
  const handles: string[] = [];
  proxy.rule = async (request, forward) => {
    const answer = await forward();
    if (request.action === 'ReceiveMessage')
      for (const { ReceiptHandle } of (answer.output.Messages as { ReceiptHandle: string }[] | undefined) ??
        [])
        handles.push(ReceiptHandle);
    return answer;
  };
  return handles;
}

test('each message is delivered and applied once through throttling that is longer than the lease', async () => {
  await set({ env: calmLease });
  await stage.sendUpdates(15);
  // All are held before the first call is accepted.
  stage.api.configure({ limit: { ratePerSecond: 0.001, burst: 1 }, retryAfterSeconds: 1 });
  await stage.worker.start();
  const received = (): number =>
    stage.events.reduce((sum, event) => sum + (event.type === 'received' ? event.count : 0), 0);
  await stage.until(() => received() === 15);
  const other = stage.makeWorker();
  await other.start();
  await proxy.waitFor(() => proxy.requests.filter(isExtension).length >= 4);
  stage.api.configure({ limit: { ratePerSecond: 20, burst: 1 }, retryAfterSeconds: null });
  await stage.ended(15);
  await other.stop();
  expect(stage.api.stats().applied).toBe(15);
  expect(lost()).toEqual([]);
  expect(stage.settled('acknowledge').map(({ subject }) => subject.message.receiveCount)).toEqual(
    Array.from({ length: 15 }, () => 1),
  );
  // In batches, by the receives that delivered them.
  const sizes = proxy.requests.filter(isExtension).map(({ input }) => (input.Entries as unknown[]).length);
  expect(Math.max(...sizes)).toBeGreaterThan(5);
  expect(stage.left()).toEqual({ ready: 0, inFlight: 0 });
});

describe('a delete', () => {
  test('whose answer comes after SQS has refused to extend the deleted message counts as done', async () => {
    await set();
    const answer = Promise.withResolvers<void>();
    let held = 0;
    proxy.rule = async (request, forward) => {
      const result = await forward();
      if (request.action === 'DeleteMessageBatch' && held++ === 0) await answer.promise;
      // SQS refuses to extend a deleted message: that proves nothing.
      if (isExtension(request)) answer.resolve();
      return result;
    };
    await stage.sendUpdates(1);
    await stage.worker.start();
    await stage.ended(1);
    expect(proxy.requests.filter(isExtension)).toHaveLength(1);
    expect(lost()).toEqual([]);
    expect(stage.api.stats().calls).toBe(1);
  });

  test('that is slow to take effect does not let the lease lapse', async () => {
    await set({ env: calmLease });
    const go = Promise.withResolvers<void>();
    let extended = 0;
    proxy.rule = async (request, forward) => {
      if (request.action === 'DeleteMessageBatch') await go.promise;
      // Long past the first lease.
      if (isExtension(request) && ++extended === 3) go.resolve();
      return forward();
    };
    await stage.sendUpdates(1);
    await stage.worker.start();
    const other = stage.makeWorker();
    await other.start();
    await stage.ended(1);
    await other.stop();
    expect(stage.api.stats().calls).toBe(1);
    expect(stage.settled()).toMatchObject([{ subject: { message: { receiveCount: 1 } } }]);
    expect(lost()).toEqual([]);
  });

  test('with an expired receipt handle counts as lost; the next delivery is applied, then the messages behind it', async () => {
    await set({ fifo: true, holdAnswers: true });
    const handles = watchHandles();
    stage.api.script('a', [{ status: 204, delayMs: 1 }]);
    await stage.sendInOrder(...['0', '1'].map((Description) => ({ Identifier: 'a', Description })));
    await stage.worker.start();
    await stage.api.waitFor(() => stage.api.stats().inFlight === 1);
    // Done by another client; the worker notices at its delete.
    await stage.source.changeVisibility([{ receiptHandle: handles[0] ?? '', seconds: 0 }]);
    stage.letAnswer();
    await stage.ended(2);
    expect(lost()).toMatchObject([{ reason: expect.stringContaining('expired') }]);
    expect(stage.api.callsFor('a').map(({ input }) => input.Description)).toEqual(['0', '0', '1']);
  });
});

test('a delete by an old handle that succeeds without deleting, as on standard queues, loses nothing', async () => {
  await set();
  let deletes = 0;
  proxy.rule = async (request, forward) => {
    if (request.action !== 'DeleteMessageBatch' || deletes++ > 0) return forward();
    const entries = request.input.Entries as { Id: string; ReceiptHandle: string }[];
    await stage.source.changeVisibility(
      entries.map(({ ReceiptHandle }) => ({ receiptHandle: ReceiptHandle, seconds: 0 })),
    );
    return { status: 200, output: { Successful: entries.map(({ Id }) => ({ Id })), Failed: [] } };
  };
  await stage.sendUpdates(1);
  await stage.worker.start();
  await stage.ended(2);
  expect(stage.api.stats().applied).toBe(2);
  expect(stage.settled().map(({ subject }) => subject.message.receiveCount)).toEqual([1, 2]);
  expect(stage.left()).toEqual({ ready: 0, inFlight: 0 });
});

test('a lease that another client has ended is noticed at the extension, and the message is dropped', async () => {
  await set({ holdAnswers: true });
  const handles = watchHandles();
  stage.api.script('task0', [{ status: 204, delayMs: 1 }]);
  await stage.sendUpdates(1);
  await stage.worker.start();
  await stage.api.waitFor(() => stage.api.stats().inFlight === 1);
  await stage.source.changeVisibility([{ receiptHandle: handles[0] ?? '', seconds: 0 }]);
  await stage.until(() => lost().length === 1);
  stage.letAnswer();
  await stage.ended(1);
  expect(stage.settled()).toMatchObject([{ subject: { message: { receiveCount: 2 } } }]);
  expect(stage.worker.snapshot().held).toBe(0);
});

test('a deferral is sent after an extension in flight, which would undo it', async () => {
  const failing = Promise.withResolvers<void>();
  await set({
    // An extension times out after an eighth of the lease.
    env: { VISIBILITY_TIMEOUT_SECONDS: '8', MAX_ATTEMPTS: '1' },
    random: () => 0,
    wrapApi: (api) => ({
      ...api,
      updateOtaTask: async (...call) => {
        await failing.promise;
        return api.updateOtaTask(...call);
      },
    }),
  });
  stage.api.script('task0', [{ status: 500 }]);
  const beside: string[] = [];
  proxy.rule = async (request, forward) => {
    if (!isExtension(request)) return forward();
    failing.resolve();
    await stage.until(() => stage.events.some((event) => event.type === 'attempt'));
    // After another request has been answered: a deferral sent at once would have arrived.
    const before = proxy.requests.length;
    await stage.queue('updates', { endpoint: proxy.url }).attributes();
    beside.push(...proxy.requests.slice(before).map(({ action }) => action));
    return forward();
  };
  await stage.sendUpdates(1);
  await stage.worker.start();
  await stage.ended(1);
  expect(beside).toEqual(['GetQueueAttributes']);
  expect(stage.settled().map(({ disposition }) => disposition.action)).toEqual(['defer', 'acknowledge']);
  expect(lost()).toEqual([]);
});

test('after a purge of the queue the held messages are dropped, do not come back, and work continues', async () => {
  await set({ holdAnswers: true });
  stage.api.script('same', [{ status: 204, delayMs: 1 }]);
  await stage.send(...['0', '1', '2'].map((Description) => ({ Identifier: 'same', Description })));
  await stage.worker.start();
  await expect.poll(() => stage.worker.snapshot().held).toBe(3);
  await stage.api.waitFor(() => stage.api.stats().inFlight === 1);
  const client = createSqsClient(1, { region: REGION, credentials, endpoint: stage.sqsUrl });
  await purgeQueue(client, stage.source.url);
  client.destroy();
  await stage.until(() => lost().length === 3);
  stage.letAnswer();
  await stage.sendUpdates(1, 'after');
  await stage.ended(1);
  expect(stage.settled('acknowledge').map(({ subject }) => subject.ids.identifier)).toEqual(['after0']);
  expect(stage.api.callsFor('same')).toHaveLength(1);
  expect(stage.worker.snapshot()).toMatchObject({ held: 0, settling: 0 });
  expect(stage.left()).toEqual({ ready: 0, inFlight: 0 });
});
