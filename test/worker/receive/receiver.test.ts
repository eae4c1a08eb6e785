import { type FauxqsServer, startFauxqs } from 'fauxqs';
import {
  afterAll,
  afterEach,
  beforeAll,
  beforeEach,
  describe,
  expect,
  onTestFinished,
  test,
  vi,
} from 'vitest';
import type { Message } from '../../../src/message/message.ts';
import { createSqsClient, type SQSClient } from '../../../src/queue/client.ts';
import { Queue } from '../../../src/queue/queue.ts';
import type { ReceiveOptions } from '../../../src/queue/types.ts';
import { systemClock } from '../../../src/time/clock.ts';
import { Conditions } from '../../../src/worker/conditions.ts';
import { MAX_POLLS, Receiver } from '../../../src/worker/receive/receiver.ts';

let sqs: FauxqsServer;
let client: SQSClient;

beforeAll(async () => {
  sqs = await startFauxqs({ port: 0, logger: false, host: '127.0.0.1', defaultRegion: 'eu-west-1' });
});
afterAll(() => sqs.stop());
beforeEach(() => {
  client = createSqsClient(20, {
    endpoint: sqs.address,
    region: 'eu-west-1',
    credentials: { accessKeyId: 'a', secretAccessKey: 'b' },
  });
});
afterEach(() => {
  vi.useRealTimers();
  client.destroy();
});

interface Poll extends ReceiveOptions {
  readonly answer: (messages: Message[]) => void;
  readonly fail: (error: unknown) => void;
}

/** A queue of which every receive is answered by hand; an abort is answered as SQS's client does. */
class HandQueue extends Queue {
  readonly polls: Poll[] = [];
  /** Receives made so far. */
  made = 0;

  override receive(options: ReceiveOptions): Promise<Message[]> {
    this.made++;
    const { promise, resolve, reject } = Promise.withResolvers<Message[]>();
    const poll = { ...options, answer: resolve, fail: reject };
    this.polls.push(poll);
    options.signal?.addEventListener('abort', () =>
      reject(Object.assign(new Error('aborted'), { name: 'AbortError' })),
    );
    return promise.finally(() => this.polls.splice(this.polls.indexOf(poll), 1));
  }

  get sizes(): number[] {
    return this.polls.map(({ max }) => max);
  }
}

interface Setting {
  readonly free?: () => number;
  readonly batch?: number;
  readonly admit?: () => Promise<void>;
  readonly onMessages?: (messages: Message[]) => void;
}

function setUp(setting: Setting = {}) {
  const queue = new HandQueue(client, `${sqs.address}/000000000000/none`);
  const state = { now: 0, room: 1_000 };
  const received: Message[] = [];
  const failures: [unknown, number][] = [];
  const steps: string[] = [];
  const recovered = vi.fn();
  const clock = { wall: () => 0, monotonic: () => state.now };
  const conditions = new Conditions({
    clock,
    emit: (event) => {
      if (event.type === 'condition' && !event.raised) recovered();
    },
  });
  const receiver = new Receiver({
    queue,
    visibilitySeconds: 30,
    clock,
    random: () => 0.5,
    admission: {
      admit: () => setting.admit?.() ?? Promise.resolve(),
      done: () => steps.push('done'),
    },
    prefetch: {
      get free() {
        return setting.free?.() ?? state.room;
      },
      batch: setting.batch ?? 10,
    },
    onMessages: (messages) => {
      steps.push(`${messages.length} held`);
      received.push(...messages);
      setting.onMessages?.(messages);
    },
    conditions,
    emit: (event) => {
      if (event.type === 'receive-failed') failures.push([event.error, event.retryInMs]);
    },
  });
  onTestFinished(() => receiver.stop());
  return { queue, receiver, state, received, steps, failures, recovered, conditions };
}

let count = 0;
const messages = (size: number): Message[] =>
  Array.from({ length: size }, () => {
    const id = `m${count++}`;
    return {
      messageId: id,
      receiptHandle: id,
      body: '',
      attributes: {},
      sentAt: 0,
      receiveCount: 1,
    };
  });
const settled = () => new Promise(setImmediate);

/** Answers every poll under way with as many messages as it asked for. */
async function fill(queue: HandQueue, size = 10): Promise<void> {
  for (const poll of [...queue.polls]) poll.answer(messages(size));
  await settled();
}

describe('polling', () => {
  test('asks for whole batches, by long poll, under the lease asked for', () => {
    const { queue, receiver } = setUp();
    receiver.start();
    expect(queue.polls).toMatchObject([{ max: 10, waitSeconds: 20, visibilitySeconds: 30 }]);
  });

  test('begins with one poll, and keeps to one while the queue is empty', async () => {
    const { queue, receiver } = setUp();
    receiver.start();
    for (let i = 0; i < 5; i++) {
      expect(queue.polls).toHaveLength(1);
      receiver.wake();
      await fill(queue, 0);
    }
    expect(queue.made).toBe(6);
  });

  test('polls ever more side by side under backlog, up to a bound', async () => {
    const { queue, receiver } = setUp();
    receiver.start();
    const widths: number[] = [];
    for (let i = 0; i < 6; i++) {
      widths.push(queue.polls.length);
      await fill(queue);
    }
    expect(widths.slice(0, 3)).toEqual([1, 2, 4]);
    expect(widths).toEqual(widths.toSorted((a, b) => a - b));
    expect(queue.polls).toHaveLength(MAX_POLLS);
  });

  test('goes back to one poll when the backlog is gone', async () => {
    const { queue, receiver } = setUp();
    receiver.start();
    for (let i = 0; i < 6; i++) await fill(queue);
    expect(queue.polls.length).toBe(MAX_POLLS);
    await fill(queue, 0);
    expect(queue.polls).toHaveLength(1);
    await fill(queue, 0);
    expect(queue.polls).toHaveLength(1);
  });

  test('goes on under backlog beside a poll that hangs, and gives its room to others', async () => {
    const { queue, receiver, state } = setUp();
    state.room = 20;
    receiver.start();
    await fill(queue);
    const [hanging] = queue.polls;
    expect(queue.polls).toHaveLength(2);
    for (let i = 0; i < 5; i++) {
      state.now += 300;
      for (const poll of queue.polls.filter((each) => each !== hanging)) poll.answer(messages(10));
      await settled();
      expect(queue.polls).toContain(hanging);
      expect(queue.polls).toHaveLength(3);
    }
    hanging?.answer(messages(10));
    await settled();
    expect(queue.polls).toHaveLength(2);
  });

  test('sends one more poll after the first that waits, to learn whether the queue is empty', async () => {
    const { queue, receiver, state } = setUp();
    state.room = 10;
    receiver.start();
    await fill(queue);
    expect(queue.polls).toHaveLength(1);
    state.room = 100;
    state.now = 300;
    for (let i = 0; i < 5; i++) {
      receiver.wake();
      state.now += 300;
    }
    expect(queue.polls).toHaveLength(2);
    await fill(queue, 0);
    expect(queue.polls).toHaveLength(1);
  });

  test('takes a poll that waits beside one that brings a few messages for idle, not for hanging', async () => {
    const { queue, receiver, state } = setUp();
    receiver.start();
    await fill(queue);
    for (let i = 0; i < 20; i++) {
      state.now += 300;
      queue.polls[0]?.answer(messages(1));
      await settled();
      expect(queue.polls).toHaveLength(2);
    }
  });

  test('never asks for more than there is room for, those under way counted', async () => {
    let held = 0;
    const { queue, receiver } = setUp({
      free: () => 47 - held,
      batch: 1,
      onMessages: (batch) => {
        held += batch.length;
      },
    });
    receiver.start();
    for (let i = 0; i < 8; i++) {
      expect(held + queue.sizes.reduce((a, b) => a + b, 0)).toBeLessThanOrEqual(47);
      for (const poll of [...queue.polls]) poll.answer(messages(poll.max));
      await settled();
    }
    expect(held).toBe(47);
    expect(queue.polls).toEqual([]);
  });

  test('waits until a whole batch is worth asking for', async () => {
    const { queue, receiver, state } = setUp({ batch: 10 });
    state.room = 9;
    receiver.start();
    expect(queue.made).toBe(0);
    state.room = 10;
    receiver.wake();
    expect(queue.sizes).toEqual([10]);
  });

  test.each([0, -5])('does not poll when %i messages could be taken', (room) => {
    const { queue, receiver, state } = setUp({ batch: 1 });
    state.room = room;
    receiver.start();
    receiver.wake();
    expect(queue.made).toBe(0);
  });

  test('does nothing before it is started', () => {
    const { queue, receiver } = setUp();
    receiver.wake();
    expect(queue.made).toBe(0);
  });

  test('hands over messages in the same turn in which their room is released', async () => {
    const room: number[] = [];
    let held = 0;
    const { queue, receiver } = setUp({
      free: () => {
        room.push(20 - held);
        return 20 - held;
      },
      onMessages: (batch) => {
        held += batch.length;
      },
    });
    receiver.start();
    await fill(queue);
    expect(held).toBe(10);
    expect(room).toEqual([20, 10]);
    expect(queue.sizes).toEqual([10]);
  });

  test('does not miscount after a handler has thrown', async () => {
    let broken = true;
    const { queue, receiver } = setUp({
      free: () => 10,
      onMessages: () => {
        if (!broken) return;
        broken = false;
        throw new Error('bug');
      },
    });
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    receiver.start();
    await fill(queue);
    vi.advanceTimersByTime(60_000);
    for (let i = 0; i < 4; i++) {
      await fill(queue);
      expect(queue.sizes.reduce((a, b) => a + b, 0)).toBeLessThanOrEqual(10);
    }
  });
});

describe('a large answer', () => {
  test('that is admitted is done when its messages are held, or when its poll fails', async () => {
    const { queue, receiver, steps } = setUp({ batch: 10 });
    receiver.start();
    const [first] = queue.polls;
    await first?.admit?.(1_000_000);
    expect(steps).toEqual([]);
    first?.answer(messages(3));
    await settled();
    expect(steps).toEqual(['3 held', 'done']);
    const [second] = queue.polls;
    await second?.admit?.(1_000_000);
    second?.fail(new Error('cut'));
    await settled();
    expect(steps).toEqual(['3 held', 'done', 'done']);
  });

  test('that is admitted when its poll has been given up is done at once', async () => {
    const admission = Promise.withResolvers<void>();
    const { queue, receiver, steps } = setUp({ admit: () => admission.promise });
    receiver.start();
    const [poll] = queue.polls;
    const admitted = poll?.admit?.(1_000_000);
    poll?.fail(new Error('no complete answer'));
    await settled();
    admission.resolve();
    await admitted;
    expect(steps).toEqual(['done']);
  });
});

describe('a failing poll', () => {
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  });

  test('is followed by none until the backoff has passed, however often it is woken', async () => {
    const { queue, receiver, failures, conditions } = setUp();
    const error = new Error('away');
    receiver.start();
    queue.polls[0]?.fail(error);
    await settled();
    expect(failures).toEqual([[error, 200]]);
    expect(conditions.has('receiving')).toBe(true);
    for (let i = 0; i < 10; i++) receiver.wake();
    vi.advanceTimersByTime(199);
    expect(queue.made).toBe(1);
    vi.advanceTimersByTime(1);
    expect(queue.made).toBe(2);
  });

  test('backs off for longer with each failure, up to a bound, and anew after a success', async () => {
    const { queue, receiver, failures, recovered, conditions } = setUp();
    receiver.start();
    for (let i = 0; i < 12; i++) {
      queue.polls[0]?.fail(new Error('away'));
      await settled();
      vi.advanceTimersByTime(20_000);
    }
    expect(failures.map(([, ms]) => ms).slice(0, 6)).toEqual([200, 400, 800, 1_600, 3_200, 6_400]);
    expect(failures.at(-1)?.[1]).toBe(10_000);
    expect(recovered).not.toHaveBeenCalled();

    await fill(queue, 0);
    expect(recovered).toHaveBeenCalledTimes(1);
    expect(conditions.has('receiving')).toBe(false);
    queue.polls[0]?.fail(new Error('away'));
    await settled();
    expect(failures.at(-1)?.[1]).toBe(200);
  });

  test('is also one that brings nothing that can be read, and the wait grows; an empty queue is none', async () => {
    const { queue, receiver, failures, conditions } = setUp();
    receiver.start();
    for (const wait of [200, 400]) {
      const { made } = queue;
      receiver.noteSpoiled();
      await fill(queue, 0);
      vi.advanceTimersByTime(wait - 1);
      expect(queue.made).toBe(made);
      vi.advanceTimersByTime(1);
      expect(queue.made).toBe(made + 1);
    }
    await fill(queue, 0);
    expect(queue.made).toBe(4);
    expect([failures, conditions.has('receiving')]).toEqual([[], false]);
  });

  test('counts once when many side by side fail together, and is followed by one', async () => {
    const { queue, receiver, failures } = setUp();
    receiver.start();
    for (let i = 0; i < 6; i++) await fill(queue);
    const before = queue.made;
    for (const poll of [...queue.polls]) poll.fail(new Error('away'));
    await settled();
    expect(failures).toHaveLength(1);
    vi.advanceTimersByTime(20_000);
    expect(queue.made).toBe(before + 1);
  });

  test('says that it has recovered only once', async () => {
    const { queue, receiver, recovered } = setUp();
    receiver.start();
    queue.polls[0]?.fail(new Error('away'));
    await settled();
    vi.advanceTimersByTime(20_000);
    await fill(queue);
    await fill(queue);
    expect(recovered).toHaveBeenCalledTimes(1);
  });

  test('releases the room that it had reserved', async () => {
    const { queue, receiver } = setUp({ free: () => 10 });
    receiver.start();
    queue.polls[0]?.fail(new Error('away'));
    await settled();
    vi.advanceTimersByTime(20_000);
    expect(queue.sizes).toEqual([10]);
  });

  test('is not followed by another after a stop', async () => {
    const { queue, receiver, failures } = setUp();
    receiver.start();
    queue.polls[0]?.fail(new Error('away'));
    await settled();
    await receiver.stop();
    vi.advanceTimersByTime(60_000);
    expect(queue.made).toBe(1);
    expect(failures).toHaveLength(1);
  });
});

describe('stop', () => {
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  });

  test('cuts a poll that has found nothing for a while', async () => {
    const { queue, receiver, state, failures } = setUp();
    receiver.start();
    state.now = 5_000;
    await receiver.stop();
    expect(queue.polls).toEqual([]);
    expect(failures).toEqual([]);
  });

  test('cuts at once a poll that began when the queue had just been found empty', async () => {
    const { queue, receiver } = setUp();
    receiver.start();
    await fill(queue, 0);
    expect(queue.polls).toHaveLength(1);
    await receiver.stop();
    expect(queue.polls).toEqual([]);
  });

  test('waits for a poll that may be bringing messages, and hands them over', async () => {
    const { queue, receiver, state, received } = setUp();
    receiver.start();
    state.now = 50;
    const stopped = vi.fn();
    const stopping = receiver.stop().then(stopped);
    vi.advanceTimersByTime(149);
    await settled();
    expect(stopped).not.toHaveBeenCalled();
    expect(queue.polls[0]?.signal?.aborted).toBe(false);

    await fill(queue);
    await stopping;
    expect(received).toHaveLength(10);
    expect(queue.polls).toEqual([]);
  });

  test('hands messages over before it resolves', async () => {
    const order: string[] = [];
    const { queue, receiver } = setUp({ onMessages: () => order.push('messages') });
    receiver.start();
    const stopping = receiver.stop().then(() => order.push('stopped'));
    await fill(queue);
    await stopping;
    expect(order).toEqual(['messages', 'stopped']);
  });

  test('cuts that poll too when messages that are there would have come', async () => {
    const { queue, receiver, state } = setUp();
    receiver.start();
    state.now = 50;
    const stopping = receiver.stop();
    vi.advanceTimersByTime(150);
    await stopping;
    expect(queue.polls).toEqual([]);
  });

  test('waits for the last of many', async () => {
    const { queue, receiver } = setUp();
    receiver.start();
    for (let i = 0; i < 6; i++) await fill(queue);
    const stopped = vi.fn();
    const stopping = receiver.stop().then(stopped);
    const [last, ...others] = [...queue.polls];
    for (const poll of others) poll.answer([]);
    await settled();
    expect(stopped).not.toHaveBeenCalled();
    last?.answer([]);
    await stopping;
    expect(queue.polls).toEqual([]);
  });

  test('lets no poll begin any more', async () => {
    const { queue, receiver } = setUp();
    receiver.start();
    const stopping = receiver.stop();
    await fill(queue);
    await stopping;
    receiver.wake();
    expect(queue.made).toBe(1);
  });

  test('takes no failure of a poll amiss', async () => {
    const { queue, receiver, failures } = setUp();
    receiver.start();
    const stopping = receiver.stop();
    queue.polls[0]?.fail(new Error('away'));
    await stopping;
    vi.advanceTimersByTime(60_000);
    expect(failures).toEqual([]);
    expect(queue.made).toBe(1);
  });

  test('resolves at once when nothing was ever started', async () => {
    await expect(setUp().receiver.stop()).resolves.toBeUndefined();
  });
});

describe('stalledMs', () => {
  test('is the time since a poll was wanted, or since one last ended', async () => {
    const { queue, receiver, state } = setUp();
    state.now = 1_000;
    receiver.start();
    expect(receiver.stalledMs).toBe(0);
    state.now = 16_000;
    expect(receiver.stalledMs).toBe(15_000);
    await fill(queue, 0);
    expect(receiver.stalledMs).toBe(0);
    state.now = 17_000;
    expect(receiver.stalledMs).toBe(1_000);
  });

  test('is nothing while there is no room, and begins anew when there is', async () => {
    const { queue, receiver, state } = setUp();
    receiver.start();
    state.room = 0;
    await fill(queue);
    state.now = 60_000;
    expect(receiver.stalledMs).toBe(0);
    state.room = 10;
    receiver.wake();
    state.now = 61_000;
    expect(receiver.stalledMs).toBe(1_000);
  });

  test('is nothing before the start and after the stop', async () => {
    const { receiver, state } = setUp();
    state.now = 5_000;
    expect(receiver.stalledMs).toBe(0);
    receiver.start();
    state.now = 10_000;
    await receiver.stop();
    expect(receiver.stalledMs).toBe(0);
  });
});

describe('with SQS', () => {
  test('brings every message once, and strands none when it is stopped while idle', async () => {
    sqs.createQueue('updates');
    for (let i = 0; i < 137; i++) sqs.sendMessage('updates', `${i}`);
    const queue = new Queue(client, `${sqs.address}/000000000000/updates`);
    const bodies: string[] = [];
    const all = Promise.withResolvers<void>();
    const receiver = new Receiver({
      queue,
      visibilitySeconds: 30,
      clock: systemClock,
      conditions: new Conditions({ clock: systemClock, emit: () => {} }),
      random: Math.random,
      prefetch: { free: 1_000, batch: 10 },
      admission: { admit: async () => {}, done: () => {} },
      onMessages: (batch) => {
        bodies.push(...batch.map(({ body }) => body));
        if (bodies.length >= 137) all.resolve();
      },
      emit: (event) => {
        if (event.type === 'receive-failed') all.reject(event.error);
      },
    });
    onTestFinished(() => receiver.stop());

    receiver.start();
    await all.promise;
    await receiver.stop();

    expect(bodies.toSorted((a, b) => Number(a) - Number(b))).toEqual(
      Array.from({ length: 137 }, (_, i) => `${i}`),
    );
    expect(sqs.inspectQueue('updates')?.messages.inflight).toHaveLength(137);
  });
});
