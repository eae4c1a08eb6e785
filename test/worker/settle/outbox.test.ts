/** What the outboxes have in common beyond what the one of dead letters shows (dead-letter-outbox.test.ts). */
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { parseBody } from '../../../src/message/parse.ts';
import type { BatchFailure, OutgoingMessage } from '../../../src/queue/types.ts';
import { Delivery } from '../../../src/worker/delivery.ts';
import { Outbox } from '../../../src/worker/settle/outbox.ts';
import type { Parcel } from '../../../src/worker/settle/parcel.ts';

type Acknowledge = { readonly action: 'acknowledge'; readonly outcome: 'applied' };
const acknowledge: Acknowledge = { action: 'acknowledge', outcome: 'applied' };

function delivery(name: string): Delivery {
  const message = {
    messageId: `id-${name}`,
    receiptHandle: name,
    body: '',
    attributes: {},
    sentAt: 0,
    receiveCount: 1,
  };
  return new Delivery(message, parseBody('', 0));
}

interface Setting {
  readonly send?: (messages: readonly OutgoingMessage[]) => Promise<BatchFailure[]>;
  readonly amend?: () => never;
  readonly parallel?: number;
  readonly lingerMs?: number;
  readonly ended?: AbortSignal;
}

function setUp({
  send,
  amend,
  parallel = 1,
  lingerMs = 0,
  ended = new AbortController().signal,
}: Setting = {}) {
  const requests: string[][] = [];
  const then: string[] = [];
  const reachable: boolean[] = [];
  const failed: number[] = [];
  const outbox = new Outbox<Acknowledge, Parcel>({
    send: async (messages) => {
      requests.push(messages.map(({ body }) => body));
      return (await send?.(messages)) ?? [];
    },
    pack: ({ message: { receiptHandle } }) => ({
      message: { key: receiptHandle, body: receiptHandle },
      bytes: 1,
    }),
    amend:
      amend ??
      ((_, { message, bytes }) =>
        message.body.endsWith('!')
          ? undefined
          : { message: { ...message, body: `${message.body}!` }, bytes }),
    parallel,
    lingerMs,
    random: () => 0.5,
    monotonic: performance.now.bind(performance),
    ended,
    onRefused: () => {},
    onReachable: (yes) => reachable.push(yes),
    onFailed: (count) => failed.push(count),
  });
  /** Posts a parcel, and notes its name when it is sent. */
  const post = (one: Delivery, name = one.message.receiptHandle): void => {
    void outbox.post(one, acknowledge).then((sent) => {
      if (sent !== undefined) then.push(name);
    });
  };
  const add = (count: number, from = 0): Delivery[] =>
    Array.from({ length: count }, (_, i) => {
      const one = delivery(`m${from + i}`);
      post(one);
      return one;
    });
  return { outbox, add, post, requests, then, reachable, failed };
}

/** Answers that a test gives one by one. */
function held() {
  const answers: PromiseWithResolvers<BatchFailure[]>[] = [];
  const send = (): Promise<BatchFailure[]> => {
    const answer = Promise.withResolvers<BatchFailure[]>();
    answers.push(answer);
    return answer.promise;
  };
  return { answers, send };
}

const pass = (ms: number) => vi.advanceTimersByTimeAsync(ms);
const sizes = (requests: readonly string[][]): number[] => requests.map((request) => request.length);

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

describe('requests side by side', () => {
  test('are as many as allowed, each full; the rest goes as they are answered', async () => {
    const { answers, send } = held();
    const { add, requests, then } = setUp({ send, parallel: 3 });
    add(45);
    await pass(0);
    expect(sizes(requests)).toEqual([10, 10, 10]);
    answers[1]?.resolve([]);
    await pass(0);
    expect(then).toHaveLength(10);
    expect(sizes(requests)).toEqual([10, 10, 10, 10]);
    for (const answer of answers) answer.resolve([]);
    await pass(0);
    for (const answer of answers) answer.resolve([]);
    await pass(0);
    expect(then).toHaveLength(45);
    expect(sizes(requests)).toEqual([10, 10, 10, 10, 5]);
  });

  test('never carry one parcel twice', async () => {
    const { answers, send } = held();
    const { add, requests } = setUp({ send, parallel: 4 });
    add(15);
    await pass(0);
    add(15, 15);
    await pass(0);
    for (const answer of answers) answer.resolve([]);
    await pass(0);
    const sent = requests.flat();
    expect(new Set(sent).size).toBe(sent.length);
  });

  test('become one when the queue is away, with one parcel, and as many as before when it is back', async () => {
    let away = true;
    const { add, requests, then, reachable, failed } = setUp({
      parallel: 3,
      send: () => (away ? Promise.reject(new Error('away')) : Promise.resolve([])),
    });
    add(30);
    await pass(0);
    expect(sizes(requests)).toEqual([10, 10, 10]);
    expect(failed).toEqual([10, 10, 10]);
    // Three failed together: that is one failure to wait for, half a second at these dice.
    await pass(500);
    expect(sizes(requests).slice(3)).toEqual([1]);
    away = false;
    await pass(60_000);
    expect(sizes(requests).slice(4)).toEqual([1, 10, 10, 9]);
    expect(then).toHaveLength(30);
    expect(reachable).toEqual([false, true]);
  });

  test('end when the worker does: nothing is tried again', async () => {
    const ending = new AbortController();
    const { add, requests } = setUp({ send: () => Promise.reject(new Error('away')), ended: ending.signal });
    add(1);
    await pass(0);
    ending.abort();
    add(1, 1);
    await pass(60_000);
    expect(requests).toHaveLength(1);
  });
});

describe('lingering', () => {
  test('sends ten at once, and fewer after the time', async () => {
    const { add, requests } = setUp({ lingerMs: 1_000 });
    add(9);
    await pass(999);
    expect(requests).toEqual([]);
    add(1, 9);
    await pass(0);
    expect(sizes(requests)).toEqual([10]);
    add(3, 10);
    await pass(1_000);
    expect(sizes(requests)).toEqual([10, 3]);
  });

  test('ends at a flush', async () => {
    const { outbox, add, requests } = setUp({ lingerMs: 1_000 });
    add(2);
    outbox.flush();
    await pass(0);
    expect(sizes(requests)).toEqual([2]);
  });

  test('sends nothing of what was taken back meanwhile', async () => {
    const { outbox, add, requests, then } = setUp({ lingerMs: 1_000 });
    const [first] = add(3);
    if (first !== undefined) outbox.withdraw(first);
    await pass(1_000);
    expect(requests).toEqual([['m1', 'm2']]);
    expect(then).toEqual(['m1', 'm2']);
    for (const one of add(2, 3)) outbox.withdraw(one);
    await pass(1_000);
    expect(requests).toHaveLength(1);
  });

  test('keeps apart a delivery that was taken back and added again', async () => {
    const { outbox, add, post, requests, then } = setUp({ lingerMs: 1_000 });
    const [one] = add(1);
    if (one === undefined) throw new Error('nothing added');
    outbox.withdraw(one);
    post(one, 'again');
    await pass(1_000);
    expect(requests).toEqual([['m0']]);
    expect(then).toEqual(['again']);
  });
});

describe('parcels that SQS finds fault with', () => {
  test('are amended, once; then they are kept and do not hold up the others', async () => {
    const { outbox, add, requests, then, failed } = setUp({
      send: async (messages) =>
        messages
          .filter(({ key }) => key === 'm0')
          .map(({ key }) => ({ key, senderFault: true, code: 'InvalidParameterValue', message: 'no' })),
    });
    add(2);
    await pass(0);
    add(1, 2);
    await pass(60_000);
    expect(requests.slice(0, 2)).toEqual([['m0', 'm1'], ['m0!']]);
    expect(then).toEqual(['m1', 'm2']);
    // Since it was refused whole and amended, whenever it was tried again.
    expect(outbox.refusal).toMatchObject({
      count: 1,
      forMs: 60_000,
      error: { code: 'InvalidParameterValue' },
    });
    expect(outbox.reachable).toBe(true);
    expect(failed).toEqual([]);
  });

  test.each([true, false])(
    'wait for a try of their own (their fault: %s); the others go on at once, side by side',
    async (senderFault) => {
      const { add, requests, then, reachable } = setUp({
        parallel: 3,
        send: async (messages) =>
          messages
            .filter(({ key }) => /^m[0-4]$/.test(key))
            .map(({ key }) => ({ key, senderFault, code: 'InternalError', message: 'no' })),
      });
      add(10);
      for (let from = 10; from < 100; from += 30) {
        add(30, from);
        await pass(0);
      }
      expect(then).toHaveLength(95);
      expect(reachable).toEqual([]);
      const tried = requests.length;
      // Half a second at these dice, then one, two …, half a minute at most.
      await pass(499);
      expect(requests).toHaveLength(tried);
      await pass(1);
      expect(requests.slice(tried).flat()).toHaveLength(5);
      // That nothing of these was taken is no news: the queue counts as there.
      add(1, 100);
      await pass(0);
      expect(then).toHaveLength(96);
      expect(reachable).toEqual([]);
    },
  );

  test('count as refused also where SQS never names a fault of theirs, and takes all others', async () => {
    const { outbox, add, then } = setUp({
      send: async (messages) =>
        messages
          .filter(({ key }) => key === 'm0')
          .map(({ key }) => ({ key, senderFault: false, code: 'InternalError', message: 'no' })),
    });
    add(2);
    // At these dice the fifth try is after half of 1 + 2 + 4 + 8 seconds.
    await pass(7_499);
    expect(outbox.refusal).toBe(undefined);
    await pass(1);
    expect([then, outbox.refusal?.count, outbox.reachable]).toEqual([['m1'], 1, true]);
  });

  test('are tried at their own growing intervals, and go when the queue takes them', async () => {
    const at: number[] = [];
    let wide = false;
    const { outbox, add, then } = setUp({
      send: async (messages) => {
        if (wide || !messages.some(({ key }) => key === 'm0')) return [];
        at.push(performance.now());
        return [{ key: 'm0', senderFault: true, code: 'InvalidParameterValue', message: 'too long' }];
      },
    });
    add(1);
    for (let i = 1; i <= 100; i++) {
      add(1, i);
      await pass(1_000);
      expect(then).toHaveLength(i);
    }
    // Each time whole first; refused, it is amended and sent again at once.
    const tries = [...new Set(at)];
    expect(at).toHaveLength(2 * tries.length);
    expect(tries.slice(1).map((time, i) => time - (tries[i] ?? 0))).toEqual([
      500, 1_000, 2_000, 4_000, 8_000, 15_000, 15_000, 15_000, 15_000, 15_000,
    ]);
    wide = true;
    await pass(15_000);
    expect(then).toContain('m0');
    expect(outbox.refusal).toBe(undefined);
  });
});

describe('what is sent in place of a parcel that was refused', () => {
  // `m0!` stands for a letter without its record: it breaks newest-wins when AWS's own redrive brings it back.
  test.each([
    ['InvalidParameterValue', true],
    ['InvalidMessageContents', true],
    ['BatchRequestTooLong', true],
    ['AWS.SimpleQueueService.BatchRequestTooLongException', true],
    ['ReceiptHandleIsInvalid', false],
    ['InvalidParameterCombination', false],
    ['MissingParameter', false],
  ])('for %s: one with less, %j', async (code, amended) => {
    for (const whole of [false, true]) {
      const { add, requests } = setUp({
        send: async () => {
          if (whole) throw Object.assign(new Error('no'), { name: code });
          return [{ key: 'm0', senderFault: true, code, message: 'no' }];
        },
      });
      add(1);
      await pass(0);
      expect(requests.flat()).toEqual(amended ? ['m0', 'm0!'] : ['m0']);
    }
  });

  test('is sent only right after a refusal of the whole: not when something else went wrong since', async () => {
    const answers = ['InvalidParameterValue', 'KMS.ThrottlingException'];
    const { add, requests, then } = setUp({
      send: async () => {
        const code = answers.shift();
        if (code === undefined) return [];
        return [{ key: 'm0', senderFault: code.startsWith('Invalid'), code, message: 'no' }];
      },
    });
    add(1);
    await pass(60_000);
    expect(requests.flat()).toEqual(['m0', 'm0!', 'm0']);
    expect(then).toEqual(['m0']);
  });
});

describe('parcels that SQS refuses as whole requests', () => {
  test('are found one by one, without a rest, and spoil no request after that', async () => {
    const { outbox, add, requests, then, reachable, failed } = setUp({
      send: async (messages) => {
        if (messages.some(({ key }) => key === 'm3'))
          throw Object.assign(new Error('no'), { name: 'InvalidMessageContents' });
        return [];
      },
    });
    add(8);
    await pass(0);
    expect(then).toHaveLength(7);
    expect(outbox.refusal?.count).toBe(1);
    for (let i = 8; i < 68; i += 2) {
      add(2, i);
      await pass(1_000);
    }
    expect(then).toHaveLength(67);
    for (const request of requests.slice(1)) if (/m3\b/.test(request.join())) expect(request).toHaveLength(1);
    expect(requests.filter((request) => request.length === 2)).toHaveLength(30);
    expect([reachable, failed]).toEqual([[], []]);
  });

  test.each([1, 2])('do not leave the queue counted as away (%i of them)', async (count) => {
    vi.useFakeTimers();
    let away = true;
    const fault = (name: string): Error => Object.assign(new Error(name), { name });
    const { outbox, add, reachable } = setUp({
      send: () => Promise.reject(fault(away ? 'QueueDoesNotExist' : 'InvalidMessageContents')),
    });
    add(count);
    await vi.advanceTimersByTimeAsync(0);
    expect(reachable).toEqual([false]);
    away = false;
    await vi.advanceTimersByTimeAsync(120_000);
    expect(outbox.refusal?.count ?? 0).toBe(count);
    expect(outbox.reachable).toBe(true);
    vi.useRealTimers();
  });
});

test('a bug in amending a refused parcel ends that parcel alone', async () => {
  const bug = new TypeError('bug');
  const { outbox, add, then } = setUp({
    send: async (messages) =>
      messages
        .filter(({ key }) => key === 'a')
        .map(({ key }) => ({ key, senderFault: true, code: 'InvalidMessageContents', message: 'no' })),
    amend: () => {
      throw bug;
    },
  });
  const broken = expect(outbox.post(delivery('a'), acknowledge)).rejects.toBe(bug);
  add(2);
  await vi.advanceTimersByTimeAsync(1_000);
  await broken;
  expect(then).toEqual(['m0', 'm1']);
});
