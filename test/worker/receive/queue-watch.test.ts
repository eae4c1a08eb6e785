import { describe, expect, onTestFinished, test, vi } from 'vitest';
import type { QueueAttributes } from '../../../src/queue/types.ts';
import { Conditions } from '../../../src/worker/conditions.ts';
import type { WorkerEvent } from '../../../src/worker/events.ts';
import { SameQueueError } from '../../../src/worker/receive/queue-facts.ts';
import { QueueWatch } from '../../../src/worker/receive/queue-watch.ts';

type Attributes = Partial<QueueAttributes>;

/** An SQS error as the SDK throws it. */
const sqsFault = (name: string, status = 400): Error =>
  Object.assign(new Error(name), { name, $metadata: { httpStatusCode: status } });

function setUp() {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  const stopping = new AbortController();
  onTestFinished(() => {
    stopping.abort();
    vi.useRealTimers();
  });
  const answers: Record<string, Attributes | Error> = {
    updates: { arn: 'arn:updates', retentionSeconds: 3_600 },
    dead: { arn: 'arn:dead', maximumMessageBytes: 262_144 },
  };
  const events: WorkerEvent[] = [];
  let looks = 0;
  const queue = (name: string) => ({
    url: `https://sqs.eu-west-1.amazonaws.com/1/${name}`,
    fifo: false,
    attributes: async (): Promise<QueueAttributes> => {
      if (name === 'updates') looks++;
      const answer = answers[name] ?? {};
      if (answer instanceof Error) throw answer;
      return answer as QueueAttributes;
    },
  });
  const retention = { seconds: Number.POSITIVE_INFINITY };
  const retentions: number[] = [];
  const conditions = new Conditions({
    clock: { wall: () => 0, monotonic: () => 0 },
    emit: (event) => events.push(event),
  });
  const watch = new QueueWatch({
    queues: [
      { setting: 'QUEUE_URL', queue: queue('updates') },
      { setting: 'DEAD_LETTER_QUEUE_URL', queue: queue('dead') },
    ],
    conditions,
    retention,
    onRetention: () => retentions.push(retention.seconds),
    backoff: { baseMs: 1, maxMs: 1 },
    everyMs: 60_000,
    random: () => 0,
    now: () => looks * 1_000,
    stopping: stopping.signal,
    emit: (event) => events.push(event),
  });
  const raised = () =>
    conditions.list().flatMap(({ name, of, raised: is }) => (is === undefined ? [] : [[name, of, is.error]]));
  const changes = () => events.flatMap((event) => (event.type === 'queue-changed' ? [event] : []));
  return {
    watch,
    answers,
    conditions,
    retention,
    retentions,
    raised,
    changes,
    stopping,
    looks: () => looks,
  };
}

const minute = () => vi.advanceTimersByTimeAsync(60_000);

/** One that has found its queues and watches them. */
async function watching() {
  const set = setUp();
  await set.watch.find();
  set.watch.watch();
  return set;
}

test('the messages of a queue are those of the last look that was answered, with its time', async () => {
  const { watch, answers } = setUp();
  expect([watch.depth('QUEUE_URL'), watch.depth('OUTCOME_QUEUE_URL')]).toEqual([undefined, undefined]);
  answers.updates = { visible: 4_000, notVisible: 30, delayed: 2 };
  answers.dead = sqsFault('AccessDenied', 403);
  await watch.find();
  watch.watch();
  const first = { visible: 4_000, inFlight: 30, delayed: 2, readAt: 1_000 };
  expect([watch.depth('QUEUE_URL'), watch.depth('DEAD_LETTER_QUEUE_URL')]).toEqual([first, undefined]);
  answers.updates = sqsFault('InternalFailure', 500);
  await vi.advanceTimersByTimeAsync(60_000);
  expect(watch.depth('QUEUE_URL')).toEqual(first);
  answers.updates = { visible: 1 };
  answers.dead = { visible: 7 };
  await vi.advanceTimersByTimeAsync(60_000);
  expect(watch.depth('QUEUE_URL')).toMatchObject({ visible: 1, readAt: 3_000 });
  expect(watch.depth('DEAD_LETTER_QUEUE_URL')).toMatchObject({ visible: 7 });
});

describe('at the start', () => {
  test('the queues are read, and nothing is said', async () => {
    const { watch, retentions, raised, changes } = setUp();
    await watch.find();
    expect(watch.facts).toMatchObject({
      retentionSeconds: 3_600,
      deadLetter: { maximumMessageBytes: 262_144 },
    });
    expect([retentions, raised(), changes()]).toEqual([[3_600], [], []]);
  });

  test.each([
    sqsFault('QueueDoesNotExist'),
    sqsFault('ExpiredTokenException', 403),
    sqsFault('InvalidClientTokenId', 403),
    sqsFault('InternalFailure', 500),
    Object.assign(new Error('refused'), { code: 'ECONNREFUSED' }),
  ])('a queue that answers %s is looked for until it is there', async (fault) => {
    const { watch, answers, raised } = setUp();
    answers.dead = fault;
    const found = watch.find();
    await vi.advanceTimersByTimeAsync(2_000);
    expect(raised()).toEqual([['finding-queues', 'DEAD_LETTER_QUEUE_URL', fault.name]]);
    expect(watch.facts).toBeUndefined();
    answers.dead = {};
    await vi.advanceTimersByTimeAsync(250);
    await found;
    expect([watch.facts?.retentionSeconds, raised()]).toEqual([3_600, []]);
  });

  test.each(['AccessDeniedException', 'AccessDenied'])(
    'SQS’s defaults are assumed at %s, from the second look on, until the policy arrives',
    async (name) => {
      const { watch, answers, raised, changes, retention } = setUp();
      answers.updates = sqsFault(name, 403);
      await watch.find();
      watch.watch();
      expect(raised()).toEqual([['queue-attributes', 'QUEUE_URL', name]]);
      expect(retention.seconds).toBe(Number.POSITIVE_INFINITY);
      await minute();
      expect(retention.seconds).toBe(345_600);
      answers.updates = { retentionSeconds: 3_600, maximumMessageBytes: 1_048_576 };
      await minute();
      expect(retention.seconds).toBe(3_600);
      expect(raised()).toEqual([]);
      expect(changes()).toMatchObject([
        { setting: 'QUEUE_URL', changes: { retentionSeconds: { from: 345_600, to: 3_600 } } },
      ]);
    },
  );

  test('nothing is assumed where the policy is only seconds late: what is older than that would be dead-lettered', async () => {
    const { watch, answers, retentions } = setUp();
    answers.updates = sqsFault('AccessDenied', 403);
    await watch.find();
    watch.watch();
    answers.updates = { retentionSeconds: 1_209_600 };
    await minute();
    expect(retentions).toEqual([1_209_600]);
  });

  test('a stop ends the search', async () => {
    const { watch, answers, stopping } = setUp();
    answers.dead = sqsFault('QueueDoesNotExist');
    const found = watch.find();
    await vi.advanceTimersByTimeAsync(2_000);
    stopping.abort();
    await found;
    expect(watch.facts).toBeUndefined();
  });

  test('two settings that name one queue are refused, both by name', async () => {
    const { watch, answers } = setUp();
    answers.dead = { arn: 'arn:updates' };
    const refused = watch.find();
    await expect(refused).rejects.toThrow(SameQueueError);
    await expect(refused).rejects.toThrow(
      'DEAD_LETTER_QUEUE_URL is the same queue as QUEUE_URL (arn:updates): use a different queue',
    );
  });
});

describe('later', () => {
  test.each([60, 1_209_600])('a retention changed to %i s is in force with the next look', async (to) => {
    const { answers, retention, retentions, changes } = await watching();
    answers.updates = { arn: 'arn:updates', retentionSeconds: to };
    await minute();
    expect(retention.seconds).toBe(to);
    expect(retentions).toEqual([3_600, to]);
    expect(changes()).toEqual([
      { type: 'queue-changed', setting: 'QUEUE_URL', changes: { retentionSeconds: { from: 3_600, to } } },
    ]);
    await minute();
    expect(changes()).toHaveLength(1);
  });

  test('it is unknown from when receives begin to fail until it is read again after them', async () => {
    const { answers, conditions, retention, retentions } = await watching();
    conditions.raise('receiving', sqsFault('TimeoutError'));
    expect(retention.seconds).toBe(Number.POSITIVE_INFINITY);
    answers.updates = { arn: 'arn:updates', retentionSeconds: 1_209_600 };
    conditions.clear('receiving');
    expect(retention.seconds).toBe(Number.POSITIVE_INFINITY);
    await vi.advanceTimersByTimeAsync(0);
    expect(retentions).toEqual([3_600, 1_209_600]);
  });

  test('it stays unknown while the looks fail too, and also when receives fail after something else', async () => {
    const { answers, conditions, retention, retentions } = await watching();
    const unknown = Number.POSITIVE_INFINITY;
    conditions.raise('deleting');
    conditions.raise('receiving');
    expect(retention.seconds).toBe(unknown);
    answers.updates = sqsFault('InternalFailure', 500);
    await minute();
    expect(retention.seconds).toBe(unknown);
    conditions.clear('receiving');
    conditions.clear('deleting');
    await vi.advanceTimersByTimeAsync(0);
    expect(retention.seconds).toBe(unknown);
    answers.updates = { arn: 'arn:updates', retentionSeconds: 1_209_600 };
    await minute();
    expect(retentions.filter(Number.isFinite)).toEqual([3_600, 1_209_600]);
  });

  test('a look that fails in a gap makes it unknown: it may have been raised when the gap ends', async () => {
    const { answers, conditions, retention } = await watching();
    conditions.raise('deleting');
    answers.updates = sqsFault('InternalFailure', 500);
    await minute();
    expect(retention.seconds).toBe(Number.POSITIVE_INFINITY);
    conditions.clear('deleting');
    answers.updates = { arn: 'arn:updates', retentionSeconds: 1_209_600 };
    await vi.advanceTimersByTimeAsync(0);
    await minute();
    expect(retention.seconds).toBe(1_209_600);
  });

  test('what was known stays where it can be read no more, and a fault that passes is not reported', async () => {
    const { watch, answers, conditions, raised, retention } = await watching();
    answers.updates = sqsFault('InternalFailure', 500);
    await minute();
    expect(raised()).toEqual([]);
    answers.updates = sqsFault('AccessDenied', 403);
    await minute();
    expect(raised()).toEqual([['queue-attributes', 'QUEUE_URL', 'AccessDenied']]);
    conditions.raise('receiving');
    conditions.clear('receiving');
    await vi.advanceTimersByTimeAsync(0);
    expect([watch.facts?.retentionSeconds, retention.seconds]).toEqual([3_600, 3_600]);
  });

  test('a queue that is deleted and made again is reported each time, and read', async () => {
    const { answers, raised, changes, retention } = await watching();
    answers.updates = sqsFault('QueueDoesNotExist');
    await minute();
    expect(raised()).toEqual([['finding-queues', 'QUEUE_URL', 'QueueDoesNotExist']]);
    answers.updates = { arn: 'arn:updates', retentionSeconds: 60, createdAt: 7 };
    await minute();
    expect([raised(), retention.seconds]).toEqual([[], 60]);
    expect(changes()).toMatchObject([
      { changes: { createdAt: { from: null, to: 7 }, retentionSeconds: { from: 3_600, to: 60 } } },
    ]);
  });

  test('receiving stops while two settings name one queue', async () => {
    const { answers, conditions, raised } = await watching();
    answers.dead = { arn: 'arn:updates' };
    await minute();
    expect(raised()).toEqual([['same-queue', 'DEAD_LETTER_QUEUE_URL', 'SameQueueError']]);
    expect(conditions.stopReceiving).toBe(true);
    answers.dead = { arn: 'arn:dead' };
    await minute();
    expect(conditions.stopReceiving).toBe(false);
  });

  test('a gap that ends during a look is followed by another', async () => {
    const { conditions, looks } = await watching();
    conditions.raise('receiving');
    conditions.clear('receiving');
    conditions.raise('deleting');
    conditions.clear('deleting');
    await vi.advanceTimersByTimeAsync(0);
    expect(looks()).toBe(3);
  });

  test('a worker that stops looks no more', async () => {
    const { stopping, looks } = await watching();
    stopping.abort();
    await minute();
    await minute();
    expect(looks()).toBe(1);
  });
});
