/** FIFO queues: the next message of a group starts only when the one before is settled. */
import { randomUUID } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { seeded } from '../../testing/random.ts';
import { orderViolations } from '../../testing/sqs/order.ts';
import { type SqsProxy, type SqsRequest, sqsError, startSqsProxy } from '../../testing/sqs/proxy.ts';
import {
  recordOf,
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

/** A stage with FIFO queues, whose worker uses SQS through the proxy. */
async function set(options: StageOptions = {}): Promise<void> {
  stage = await setStage({ fifo: true, sqs: { endpoint: proxy.url }, random: () => 0.05, ...options });
  proxy.upstream = stage.sqsUrl;
}

const group = (Identifier: string, count: number): { Identifier: string; Description: string }[] =>
  Array.from({ length: count }, (_, i) => ({ Identifier, Description: `${i}` }));
const called = (identifier: string): string[] =>
  stage.api.callsFor(identifier).map(({ status, input }) => `${input.Description} ${status}`);
const left = async (): Promise<{ visible: number | undefined; notVisible: number | undefined }> => {
  const { visible, notVisible } = await stage.source.attributes();
  return { visible, notVisible };
};
const empty = { visible: 0, notVisible: 0 };

interface Entry {
  readonly Id: string;
  readonly ReceiptHandle: string;
  readonly VisibilityTimeout?: number;
}
const entriesOf = (request: SqsRequest): Entry[] => request.input.Entries as Entry[];
const isExtension = (request: SqsRequest): boolean =>
  request.action === 'ChangeMessageVisibilityBatch' &&
  entriesOf(request).every(({ VisibilityTimeout }) => VisibilityTimeout);

test('groups run in parallel, each in order, with random faults and two workers', async () => {
  const random = seeded(20_261_125);
  await set({
    random: () => random() * 0.01,
    apiRandom: seeded(7),
    endHungCalls: true,
    env: { MAX_ATTEMPTS: '1', MAX_DELIVERIES: '20', FAILURE_RUN_LIMIT: '0' },
    api: {
      latency: { minMs: 1, maxMs: 10 },
      faults: {
        internalError: 0.04,
        throttle: 0.03,
        throttleRetryAfterSeconds: 0,
        reset: 0.02,
        resetAfterApply: 0.03,
        hang: 0.01,
      },
    },
  });
  const updates = Array.from({ length: 200 }, (_, i) => ({
    Identifier: `group${i % 20}`,
    Description: `${Math.floor(i / 20)}`,
  }));
  await stage.sendInOrder(...updates);
  const applied: { group: string; value: string }[] = [];
  stage.api.onCall(({ identifier, status, input }) => {
    if (status === 204 || status === 'apply-then-reset')
      applied.push({ group: identifier, value: input.Description ?? '' });
  });
  const other = stage.makeWorker();
  await Promise.all([stage.worker.start(), other.start()]);
  await stage.ended(200);
  await other.stop();
  const sent = updates.map(({ Identifier, Description }) => ({ group: Identifier, value: Description }));
  expect(orderViolations(sent, applied)).toEqual([]);
  // There were faults, failed deliveries, and parallel groups.
  expect(stage.settled('defer').length).toBeGreaterThan(0);
  expect(stage.api.stats().maxInFlight).toBeGreaterThan(4);
  expect(await left()).toEqual(empty);
});

describe('within a group', () => {
  test('a deferred message defers those behind it', async () => {
    await set({ env: { MAX_ATTEMPTS: '1' } });
    stage.api.script('a', [{ status: 500, errorType: 'InternalServerException' }]);
    await stage.sendInOrder(...group('a', 4));
    await stage.worker.start();
    await stage.ended(4);
    expect(called('a')).toEqual(['0 500', '0 204', '1 204', '2 204', '3 204']);
    expect(stage.settled('defer')).toHaveLength(1);
    expect(stage.settled('release')).toHaveLength(3);
    expect(await left()).toEqual(empty);
  });

  test('a message waits for the dead letter and the delete of an invalid one, which waits for its own turn', async () => {
    await set({ api: { latency: { minMs: 50, maxMs: 50 } } });
    const order: string[] = [];
    stage.api.onCall(({ input }) => order.push(`call ${input.Description}`));
    proxy.rule = async (request, forward) => {
      const answer = await forward();
      if (request.action === 'SendMessageBatch') order.push('letter');
      if (request.action === 'DeleteMessageBatch') order.push('delete');
      return answer;
    };
    const invalid = { Identifier: 'a' };
    const [first, last] = group('a', 2);
    await stage.sendInOrder(first ?? invalid, invalid, last ?? invalid);
    await stage.worker.start();
    await stage.ended(3);
    expect(order).toEqual(['call 0', 'delete', 'letter', 'delete', 'call 1', 'delete']);
    const [letter] = await stage.deadLetters();
    expect(letter).toMatchObject({ body: '{"Identifier":"a"}', groupId: 'a' });
  });

  test('a message waits until the delete of the one before is confirmed, after any failures', async () => {
    await set();
    let deletes = 0;
    const before: number[] = [];
    proxy.rule = (request, forward) => {
      if (request.action !== 'DeleteMessageBatch') return forward();
      return deletes++ < 3 ? sqsError(500, 'InternalFailure', 'oops') : forward();
    };
    stage.api.onCall(() => before.push(deletes));
    await stage.sendInOrder(...group('a', 2));
    await stage.worker.start();
    await stage.ended(2);
    expect(before).toEqual([0, 4]);
  });

  test('a message waits while the dead letter of the one before cannot be sent', async () => {
    await set();
    stage.api.script('a', [{ status: 400, errorType: 'ValidationException' }]);
    let away = true;
    proxy.rule = (request, forward) =>
      away && request.queue === 'dead.fifo' && request.action === 'SendMessageBatch'
        ? sqsError(400, 'QueueDoesNotExist', 'away')
        : forward();
    await stage.sendInOrder(...group('a', 2), ...group('b', 1));
    await stage.worker.start();
    await stage.until(() => stage.hasCondition('dead-lettering'));
    await stage.ended(1);
    expect(called('a')).toEqual(['0 400']);
    away = false;
    await stage.ended(3);
    expect(called('a')).toEqual(['0 400', '1 204']);
    expect((await stage.deadLetters()).map(recordOf)).toMatchObject([{ reason: 'Rejected', attempts: 1 }]);
  });

  test('a message waits while the one before is on trial', async () => {
    await set();
    stage.api.script('a', [{ status: 403, errorType: 'AccessDeniedException' }]);
    await stage.sendInOrder(...group('a', 2));
    await stage.worker.start();
    await expect.poll(() => stage.worker.snapshot().onTrial).toBe(1);
    expect(called('a')).toEqual(['0 403']);
    await stage.sendInOrder(...group('b', 1));
    await stage.ended(3);
    expect(called('a')).toEqual(['0 403', '1 204']);
    expect(stage.settled('dead-letter')).toHaveLength(1);
  });

  test('at a stop messages not started are released at once, and are called for after the one in flight', async () => {
    await set({ holdAnswers: true });
    stage.api.script('a', [{ status: 204, delayMs: 1 }]);
    await stage.sendInOrder(...group('a', 4));
    await stage.worker.start();
    await stage.api.waitFor(() => stage.api.stats().inFlight === 1);
    const other = stage.makeWorker();
    await other.start();
    const stopped = stage.worker.stop();
    await stage.until(() => stage.settled('release').length === 3);
    expect(called('a')).toEqual(['0 204']);
    stage.letAnswer();
    await stopped;
    await stage.ended(4);
    await other.stop();
    expect(called('a')).toEqual(['0 204', '1 204', '2 204', '3 204']);
    expect(await left()).toEqual(empty);
  });
});

describe('a lease lost during a call', () => {
  test('aborts the call and releases the messages behind it before another client can receive them', async () => {
    await set({ env: watchedLease });
    stage.api.script('a', ['hang']);
    let refusals = 0;
    proxy.rule = (request, forward) => {
      if (!isExtension(request) || refusals++ > 0) return forward();
      const [{ Id } = { Id: '' }] = entriesOf(request);
      const Failed = [{ Id, SenderFault: true, Code: 'InvalidParameterValue', Message: 'not in flight' }];
      return { status: 200, output: { Successful: [], Failed } };
    };
    await stage.sendInOrder(...group('a', 3));
    await stage.worker.start();
    await stage.until(() => stage.events.some(({ type }) => type === 'lease-lost'));
    await stage.api.waitFor(() => stage.api.stats().inFlight === 0);
    await stage.ended(3);
    expect(called('a')).toEqual(['0 hang', '0 204', '1 204', '2 204']);
    expect(stage.settled('release')).toHaveLength(2);
    expect(stage.api.stats().maxInFlightPerIdentifier).toBe(1);
    expect(await left()).toEqual(empty);
  });

  test('by the clock aborts the call before SQS delivers the message again', async () => {
    await set({ env: watchedLease });
    stage.api.script('a', ['hang']);
    let away = true;
    proxy.rule = (request, forward) =>
      away && isExtension(request) ? sqsError(500, 'InternalFailure', 'oops') : forward();
    await stage.sendInOrder(...group('a', 3));
    await stage.worker.start();
    await stage.until(() => stage.events.some(({ type }) => type === 'lease-lost'));
    away = false;
    await stage.api.waitFor(() => stage.api.stats().inFlight === 0);
    // A receive now finds the group still locked.
    expect(await stage.source.receive({ max: 10, waitSeconds: 0 })).toEqual([]);
    await stage.ended(3);
    expect(called('a')).toEqual(['0 hang', '0 204', '1 204', '2 204']);
  });
});

test('during an outage few messages are held, probes are of different groups, and order is kept', async () => {
  await set({ env: { FAILURE_RUN_LIMIT: '3', MAX_ATTEMPTS: '2' }, api: { down: true } });
  const all = Array.from({ length: 12 }, (_, i) => group(`group${i}`, 6)).flat();
  await stage.sendInOrder(...all);
  await stage.worker.start();
  await stage.until(() => stage.worker.snapshot().gate === 'outage');
  await expect.poll(() => stage.worker.snapshot().held).toBeLessThanOrEqual(30);
  const probed = new Set<string>();
  const off = stage.api.onCall(({ identifier }) => probed.add(identifier));
  await stage.api.waitFor(() => probed.size >= 3);
  off();
  const applied: { group: string; value: string }[] = [];
  stage.api.onCall(({ identifier, status, input }) => {
    if (status === 204) applied.push({ group: identifier, value: input.Description ?? '' });
  });
  stage.api.configure({ down: false });
  await stage.ended(72);
  const sent = all.map(({ Identifier, Description }) => ({ group: Identifier, value: Description }));
  expect(orderViolations(sent, applied)).toEqual([]);
  expect(stage.settled('dead-letter')).toEqual([]);
});

test('calls for one Identifier in two groups never overlap', async () => {
  await set({ api: { latency: { minMs: 20, maxMs: 20 } } });
  const messages = Array.from({ length: 8 }, (_, i) => ({
    key: String(i),
    body: JSON.stringify({ Identifier: 'same', Description: `${i}` }),
    groupId: `group${i % 4}`,
    deduplicationId: randomUUID(),
  }));
  expect(await stage.source.send(messages)).toEqual([]);
  await stage.worker.start();
  await stage.ended(8);
  expect(stage.api.stats()).toMatchObject({ calls: 8, maxInFlightPerIdentifier: 1 });
});

test('a letter sent again in another delivery is not deduplicated, one sent twice in the same delivery is', async () => {
  await set({ env: watchedLease });
  let letters = 0;
  let deletes = 0;
  proxy.rule = async (request, forward) => {
    const answer = await forward();
    // The letter has arrived, but the confirmation is lost.
    if (request.action === 'SendMessageBatch' && letters++ === 0) return 'reset';
    if (request.action === 'DeleteMessageBatch' && deletes++ === 0) {
      const Failed = entriesOf(request).map(({ Id }) => ({
        Id,
        SenderFault: true,
        Code: 'ReceiptHandleIsInvalid',
      }));
      return { status: 200, output: { Successful: [], Failed } };
    }
    return answer;
  };
  await stage.sendInOrder({ Identifier: 'a' });
  await stage.worker.start();
  await stage.until(() => stage.events.some(({ type }) => type === 'lease-lost'));
  expect(await stage.deadLetters()).toHaveLength(1);
  expect(letters).toBe(2);
});
