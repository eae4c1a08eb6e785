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
import { createSqsClient } from '../../../src/queue/client.ts';
import { Queue } from '../../../src/queue/queue.ts';
import type { BatchFailure, VisibilityChange } from '../../../src/queue/types.ts';
import { LeaseKeeper, MAX_HOLD_MS } from '../../../src/worker/settle/leases.ts';
import { StrictFifo } from '../../../testing/sqs/strict-fifo.ts';

interface Held {
  readonly message: { readonly receiptHandle: string };
  settlementSent?: boolean;
}

interface Setting {
  readonly doubtful?: () => boolean;
  readonly seconds?: number;
  readonly maxHoldMs?: number;
  /** How SQS answers; confirms everything when omitted. */
  readonly extend?: (changes: readonly VisibilityChange[]) => Promise<BatchFailure[]>;
}

function setUp({ seconds = 12, maxHoldMs, doubtful, extend = async () => [] }: Setting = {}) {
  const requests: string[][] = [];
  const lost: string[] = [];
  const walls: string[] = [];
  const errors: [unknown, number][] = [];
  const keeper: LeaseKeeper<Held> = new LeaseKeeper<Held>({
    seconds,
    now: () => performance.now(),
    extend: (changes) => {
      requests.push(changes.map(({ receiptHandle }) => receiptHandle));
      for (const change of changes) expect(change.seconds).toBe(seconds);
      return extend(changes);
    },
    onLost: (item, reason) => lost.push(`${item.message.receiptHandle}: ${reason}`),
    onWall: (item) => walls.push(item.message.receiptHandle),
    onError: (error, count) => errors.push([error, count]),
    callTimeoutMs: 5_000,
    health: { carriedOut: () => {}, failed: () => {} },
    ...(maxHoldMs !== undefined && { maxHoldMs }),
    ...(doubtful !== undefined && { doubtful }),
  });
  onTestFinished(() => keeper.stop());
  const hold = (...names: string[]): Held[] => {
    const items: Held[] = names.map((receiptHandle) => ({ message: { receiptHandle } }));
    for (const item of items) keeper.hold(item);
    return items;
  };
  return { keeper, requests, lost, walls, errors, hold };
}

const failure = (key: string, senderFault: boolean): BatchFailure => ({
  key,
  senderFault,
  code: senderFault ? 'ReceiptHandleIsInvalid' : 'InternalError',
  message: 'no',
});

const pass = (ms: number) => vi.advanceTimersByTimeAsync(ms);
const numbered = (count: number) => Array.from({ length: count }, (_, i) => `m${String(i).padStart(2, '0')}`);

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

// A lease of 12 s, unless said otherwise: a tick every 2 s, extended with 6 s left.
describe('extension', () => {
  test('comes when half of the lease is left, again and again', async () => {
    const { requests, lost, hold } = setUp();
    hold('a');
    await pass(5_999);
    expect(requests).toEqual([]);
    await pass(1);
    expect(requests).toEqual([['a']]);
    await pass(5_999);
    expect(requests).toHaveLength(1);
    await pass(1);
    expect(requests).toEqual([['a'], ['a']]);
    await pass(3_600_000);
    expect(lost).toEqual([]);
  });

  test('goes out in batches of ten, in the order of deadlines', async () => {
    const { requests, hold } = setUp();
    const names = numbered(25);
    hold(...names.slice(0, 12));
    await pass(500);
    hold(...names.slice(12));
    await pass(7_500);
    expect(requests.map((batch) => batch.length)).toEqual([10, 2, 10, 3]);
    expect(requests.flat()).toEqual(names);
  });

  test('leaves out what is not due yet', async () => {
    const { requests, hold } = setUp();
    hold('a');
    await pass(4_000);
    hold('b');
    await pass(2_000);
    expect(requests).toEqual([['a']]);
    await pass(4_000);
    expect(requests).toEqual([['a'], ['b']]);
  });

  test('ends when the message is settled', async () => {
    const { keeper, requests, lost, hold } = setUp();
    const [a] = hold('a', 'b');
    if (a !== undefined) keeper.drop(a);
    expect(keeper.size).toBe(1);
    await pass(6_000);
    expect(requests).toEqual([['b']]);
    expect(lost).toEqual([]);
  });

  test('stops, timer and all, with the last message, and begins again with the next', async () => {
    const { keeper, requests, hold } = setUp();
    const [a] = hold('a');
    if (a !== undefined) keeper.drop(a);
    expect(vi.getTimerCount()).toBe(0);
    await pass(20_000);
    hold('b');
    await pass(6_000);
    expect(requests).toEqual([['b']]);
  });

  test('stops when told', async () => {
    const { keeper, requests, lost, hold } = setUp();
    hold('a');
    keeper.stop();
    await pass(60_000);
    expect([requests, lost]).toEqual([[], []]);
    expect(vi.getTimerCount()).toBe(0);
  });

  test('is not asked for twice at once', async () => {
    const answer = Promise.withResolvers<BatchFailure[]>();
    const { requests, hold } = setUp({ extend: () => answer.promise });
    hold('a');
    await pass(10_000);
    expect(requests).toEqual([['a']]);
  });

  test('keeps the order of deadlines when an answer is late', async () => {
    const answers: (() => void)[] = [];
    const { requests, lost, hold } = setUp({
      extend: () =>
        new Promise((resolve) => {
          answers.push(() => resolve([]));
        }),
    });
    hold('a');
    await pass(6_000);
    expect(requests).toEqual([['a']]);
    // Received while the extension of `a` is under way: the lease of `b` ends later than that of `a`.
    await pass(5_000);
    hold('b');
    answers[0]?.();

    await pass(3_000);

    // The lease of `a` ends at 18 s, so it is due at 12 s, whatever came in after it was asked for.
    expect(requests).toEqual([['a'], ['a']]);
    expect(lost).toEqual([]);
  });

  test('loses no lease to another that ends later while SQS answers, if slowly', async () => {
    const answers: (() => void)[] = [];
    let slow = true;
    const { lost, hold } = setUp({
      extend: () =>
        slow
          ? new Promise((resolve) => {
              answers.push(() => resolve([]));
            })
          : Promise.resolve([]),
    });
    hold('a');
    await pass(11_300);
    hold('b');
    answers[0]?.();
    slow = false;
    await pass(60_000);
    expect(lost).toEqual([]);
  });

  test('counts a lease from when its extension was asked for, not from the answer', async () => {
    const answer = Promise.withResolvers<BatchFailure[]>();
    let asked = 0;
    const { requests, hold } = setUp({
      extend: () => (asked++ === 0 ? answer.promise : Promise.resolve([])),
    });
    hold('a');
    await pass(9_000);
    answer.resolve([]);
    await pass(2_999);
    expect(requests).toHaveLength(1);
    await pass(1);
    expect(requests).toHaveLength(2);
  });
});

describe('what fails', () => {
  test('as a whole is tried again at the next tick', async () => {
    const away = new Error('away');
    let times = 2;
    const { requests, errors, lost, hold } = setUp({
      extend: async () => {
        if (times-- > 0) throw away;
        return [];
      },
    });
    hold('a', 'b');
    await pass(10_000);
    expect(requests).toEqual([
      ['a', 'b'],
      ['a', 'b'],
      ['a', 'b'],
    ]);
    expect(errors).toEqual([
      [away, 2],
      [away, 2],
    ]);
    await pass(5_000);
    expect(lost).toEqual([]);
  });

  test('in part is tried again at the next tick, the rest is not', async () => {
    let times = 1;
    const { requests, lost, hold } = setUp({
      extend: async () => (times-- > 0 ? [failure('b', false)] : []),
    });
    hold('a', 'b', 'c');
    await pass(8_000);
    expect(requests).toEqual([['a', 'b', 'c'], ['b']]);
    expect(lost).toEqual([]);
  });

  test('by the fault of the entry is lost at once, the rest is not', async () => {
    const { keeper, requests, lost, hold } = setUp({ extend: async () => [failure('b', true)] });
    hold('a', 'b', 'c');
    await pass(6_000);
    expect(lost).toEqual(['b: ReceiptHandleIsInvalid: no']);
    expect(keeper.size).toBe(2);
    await pass(6_000);
    expect(requests).toEqual([
      ['a', 'b', 'c'],
      ['a', 'c'],
    ]);
  });

  test('until the lease has run out is lost, once, and extended no more', async () => {
    const { keeper, requests, lost, hold } = setUp({ extend: () => Promise.reject(new Error('away')) });
    hold('a');
    await pass(12_000);
    expect(lost).toEqual(['a: the lease ran out before it could be extended']);
    expect(keeper.size).toBe(0);
    const made = requests.length;
    await pass(60_000);
    expect(requests).toHaveLength(made);
    expect(lost).toHaveLength(1);
  });

  test('to answer until the lease has run out is lost, whatever the answer is then', async () => {
    const answer = Promise.withResolvers<BatchFailure[]>();
    const { keeper, lost, hold } = setUp({ extend: () => answer.promise });
    hold('a');
    await pass(12_000);
    expect(lost).toHaveLength(1);
    answer.resolve([failure('a', true)]);
    await pass(60_000);
    expect(lost).toHaveLength(1);
    expect(keeper.size).toBe(0);
  });

  test('after the message was settled means nothing', async () => {
    const answer = Promise.withResolvers<BatchFailure[]>();
    const { keeper, lost, hold } = setUp({ extend: () => answer.promise });
    const [a] = hold('a');
    await pass(6_000);
    if (a !== undefined) keeper.drop(a);
    answer.resolve([failure('a', true)]);
    await pass(60_000);
    expect(lost).toEqual([]);
    expect(keeper.size).toBe(0);
  });

  test('is lost by the clock after a stall of the process', async () => {
    const { lost, requests, hold } = setUp();
    hold('a');
    vi.setSystemTime(0);
    const real = performance.now();
    const now = vi.spyOn(performance, 'now').mockReturnValue(real + 12_001);
    await pass(2_000);
    expect(lost).toEqual(['a: the lease ran out before it could be extended']);
    expect(requests).toEqual([]);
    now.mockRestore();
  });
});

describe('a lease', () => {
  test('has room for a call as long as it holds, and, while it cannot be extended, where the whole call fits', async () => {
    const { keeper, hold } = setUp({ extend: () => Promise.reject(new Error('denied')) });
    const [a] = hold('a') as [Held];
    keeper.extendable = false;
    await pass(5_000);
    expect(keeper.holdsForCall(a)).toBe(true);
    // 5 s and the margin are left: the call may take 5 s.
    await pass(1_400);
    expect(keeper.holdsForCall(a)).toBe(false);
    keeper.extendable = true;
    expect(keeper.holdsForCall(a)).toBe(true);
  });

  test('counts from the start of a short receive, and as half spent after a long one', async () => {
    const { keeper, requests } = setUp();
    const [quick, idle] = [{ message: { receiptHandle: 'quick' } }, { message: { receiptHandle: 'idle' } }];
    keeper.hold(quick, 4_000);
    keeper.hold(idle, 20_000);
    // Of `quick` 8 s are left, of `idle` 6 s: due at once.
    await pass(2_000);
    expect(requests).toEqual([['quick', 'idle']]);
    await pass(6_000);
    expect(requests).toEqual([
      ['quick', 'idle'],
      ['quick', 'idle'],
    ]);
  });

  test('holds until a moment before SQS ends it, and is lost then, not at the next tick', async () => {
    const { keeper, lost, hold } = setUp({ seconds: 60, extend: () => Promise.reject(new Error('away')) });
    const [a] = hold('a');
    if (a === undefined) throw new Error('one was held');
    await pass(58_999);
    expect([keeper.holds(a), lost.length]).toEqual([true, 0]);
    await pass(1);
    expect([keeper.holds(a), lost.length]).toEqual([false, 1]);
  });

  test('that has lapsed in a stall of the process does not hold, before any timer has run', () => {
    const { keeper, hold } = setUp();
    const [a] = hold('a');
    if (a === undefined) throw new Error('one was held');
    const now = vi.spyOn(performance, 'now').mockReturnValue(performance.now() + 12_000);
    expect(keeper.holds(a)).toBe(false);
    now.mockRestore();
    expect(keeper.holds({ message: { receiptHandle: 'a stranger' } })).toBe(false);
  });

  test('that is refused an extension while its message is being settled is kept to its end, and asked for no more', async () => {
    const { keeper, requests, lost, hold } = setUp({ extend: async () => [failure('a', true)] });
    const [a] = hold('a');
    if (a === undefined) throw new Error('one was held');
    a.settlementSent = true;
    await pass(11_000);
    expect([keeper.holds(a), lost, requests]).toEqual([true, [], [['a']]]);
    await pass(1_000);
    expect(lost).toEqual(['a: the lease ran out before it could be extended']);
  });
});

describe('a message that is released or deferred', () => {
  test('is extended no more, not even past its end; the others are', async () => {
    const { keeper, requests, lost, hold } = setUp();
    const [a] = hold('a', 'b');
    if (a === undefined) throw new Error('two were held');
    expect(keeper.stopExtending(a)).toBeUndefined();
    await pass(6_000);
    expect(requests).toEqual([['b']]);
    await pass(6_000);
    expect(lost).toEqual(['a: the lease ran out before it could be extended']);
  });

  test.each<[string, (answer: PromiseWithResolvers<BatchFailure[]>) => void]>([
    ['is confirmed', (answer) => answer.resolve([])],
    ['has failed', (answer) => answer.resolve([failure('a', false)])],
    ['is refused', (answer) => answer.resolve([failure('a', true)])],
    ['is given up', (answer) => answer.reject(new Error('no answer in time'))],
  ])('waits until the extension under way %s, and gets no other', async (_, end) => {
    const answer = Promise.withResolvers<BatchFailure[]>();
    const { keeper, requests, hold } = setUp({ extend: () => answer.promise });
    const [a] = hold('a');
    if (a === undefined) throw new Error('one was held');
    await pass(6_000);
    let over = false;
    keeper.stopExtending(a)?.then(() => {
      over = true;
    });
    await pass(5_000);
    expect(over).toBe(false);
    end(answer);
    await pass(0);
    expect(over).toBe(true);
    expect(keeper.stopExtending(a)).toBeUndefined();
    await pass(60_000);
    expect(requests).toEqual([['a']]);
  });

  test('waits for nothing when it is lost already', async () => {
    const { keeper, lost, hold } = setUp({ extend: async () => [failure('a', true)] });
    const [a] = hold('a');
    await pass(6_000);
    expect(lost).toHaveLength(1);
    if (a !== undefined) expect(keeper.stopExtending(a)).toBeUndefined();
  });
});

describe('the wall', () => {
  test('is 12 hours, as SQS has it', () => {
    expect(MAX_HOLD_MS).toBe(12 * 3_600_000);
  });

  test('is announced once, in time to release the message, and no extension reaches past it', async () => {
    const { requests, walls, lost, hold } = setUp({ maxHoldMs: 60_000 });
    hold('a');
    await pass(47_999);
    expect(walls).toEqual([]);
    // The next extension would end at 60 s.
    await pass(1);
    expect(walls).toEqual(['a']);
    const made = requests.length;
    expect(lost).toEqual([]);
    await pass(6_000);
    expect(requests).toHaveLength(made);
    expect(walls).toEqual(['a']);
    expect(lost).toEqual(['a: the lease ran out before it could be extended']);
  });

  test('of one message does not keep the others from their extension', async () => {
    const { walls, requests, lost, hold } = setUp({ maxHoldMs: 24_000 });
    hold('a');
    await pass(7_000);
    hold('b');
    await pass(7_000);
    expect(walls).toEqual(['a']);
    expect(requests.at(-1)).toEqual(['b']);
    expect(lost).toEqual([]);
  });
});

describe("by AWS's own rules", () => {
  test('a message held for half a day is never refused an extension, and is given back in time', async () => {
    const sqs = new StrictFifo(() => performance.now());
    sqs.send({ MessageBody: 'one', MessageGroupId: 'a' }, 'id');
    const receive = (): string[] =>
      (sqs.receive(10, 30) as { ReceiptHandle: string }[]).map(({ ReceiptHandle }) => ReceiptHandle);
    const startedAt = performance.now();
    let givenBackMs = 0;
    const keeper: LeaseKeeper<Held> = new LeaseKeeper<Held>({
      seconds: 30,
      now: () => performance.now(),
      extend: async (changes) => {
        for (const { receiptHandle, seconds } of changes)
          expect(sqs.changeVisibility(receiptHandle, seconds)).toBeUndefined();
        return [];
      },
      onLost: (_, reason) => expect.unreachable(reason),
      onWall: (item) => {
        givenBackMs = performance.now() - startedAt;
        expect(sqs.changeVisibility(item.message.receiptHandle, 0)).toBeUndefined();
        keeper.drop(item);
      },
      onError: (error) => expect.unreachable(String(error)),
      callTimeoutMs: 5_000,
      health: { carriedOut: () => {}, failed: () => {} },
    });
    const [receiptHandle = ''] = receive();
    keeper.hold({ message: { receiptHandle } });
    await pass(MAX_HOLD_MS - 60_000);
    expect([givenBackMs, receive()]).toEqual([0, []]);
    await pass(60_000);
    expect(givenBackMs).toBeGreaterThan(MAX_HOLD_MS - 35_000);
    expect(receive()).toHaveLength(1);
  });
});

describe('with SQS', () => {
  let sqs: FauxqsServer;

  beforeAll(async () => {
    sqs = await startFauxqs({ port: 0, logger: false, host: '127.0.0.1', defaultRegion: 'eu-west-1' });
    sqs.createQueue('updates');
  });
  afterAll(() => sqs.stop());

  test('hides what is held for as long as it is held, and reports what is not ours', async () => {
    vi.useRealTimers();
    const client = createSqsClient(5, {
      endpoint: sqs.address,
      region: 'eu-west-1',
      credentials: { accessKeyId: 'a', secretAccessKey: 'b' },
    });
    onTestFinished(() => client.destroy());
    const queue = new Queue(client, `${sqs.address}/000000000000/updates`);
    for (let i = 0; i < 13; i++) sqs.sendMessage('updates', `${i}`);
    const received: Held[] = [];
    while (received.length < 13) {
      const messages = await queue.receive({ max: 10, waitSeconds: 0, visibilitySeconds: 40 });
      received.push(...messages.map((message) => ({ message })));
    }
    const stranger = { message: { receiptHandle: 'not a handle of this queue' } };
    let answered = 0;
    const lost = Promise.withResolvers<Held>();
    const extended = Promise.withResolvers<void>();
    const before = deadlines(sqs);
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
    let now = 0;
    const keeper = new LeaseKeeper<Held>({
      seconds: 600,
      now: () => now,
      extend: async (changes) => {
        const failures = await queue.changeVisibility(changes);
        answered += changes.length;
        if (answered === 14) extended.resolve();
        return failures;
      },
      onLost: (item) => lost.resolve(item),
      onWall: () => expect.unreachable(),
      onError: (error) => lost.reject(error),
      callTimeoutMs: 5_000,
      health: { carriedOut: () => {}, failed: () => {} },
    });
    onTestFinished(() => keeper.stop());
    for (const item of [...received, stranger]) keeper.hold(item);

    now = 300_000;
    vi.advanceTimersByTime(100_000);
    await extended.promise;

    expect(await lost.promise).toBe(stranger);
    expect(keeper.size).toBe(13);
    const after = deadlines(sqs);
    expect(Math.min(...after)).toBeGreaterThan(Math.max(...before) + 500_000);
  });
});

function deadlines(sqs: FauxqsServer): number[] {
  return (
    sqs.inspectQueue('updates')?.messages.inflight.map(({ visibilityDeadline }) => visibilityDeadline) ?? []
  );
}

test('while the machine may have been suspended nothing counts as certainly ours, and nothing as lost', async () => {
  let doubtful = false;
  const { keeper, hold, lost } = setUp({ doubtful: () => doubtful });
  const [item] = hold('a');
  if (item === undefined) return;
  const before = keeper.holds(item);
  doubtful = true;
  const meanwhile = keeper.holds(item);
  doubtful = false;
  expect([before, meanwhile, keeper.holds(item), lost]).toEqual([true, false, true, []]);
});

test('how long a message is held counts from the begin of its receive, until it is dropped, whatever the wall clock does', async () => {
  const { keeper } = setUp();
  const item = { message: { receiptHandle: 'a' } };
  keeper.hold(item, 5_000);
  await pass(1_000);
  vi.setSystemTime(0);
  const held = keeper.heldMs(item);
  keeper.drop(item);
  expect([held, keeper.heldMs(item)]).toEqual([6_000, 0]);
});
