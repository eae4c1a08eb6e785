import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { BatchFailure, OutgoingMessage } from '../../src/queue/types.ts';
import { type SendContext, sendMessages } from '../../src/sending/send.ts';

const message = (number: number, groupId = 'same'): OutgoingMessage => ({
  key: String(number),
  body: 'x',
  groupId,
});
const keysOf = (messages: Iterable<OutgoingMessage>): number[] => [...messages].map(({ key }) => Number(key));

/** Sends messages, each request answered by `answer`. */
async function run(
  messages: readonly OutgoingMessage[],
  answer: (request: number, batch: readonly OutgoingMessage[]) => BatchFailure[],
  { fifo = false, ...context }: Partial<SendContext> & { fifo?: boolean } = {},
) {
  const requests: number[][] = [];
  const sent: number[] = [];
  const refused: [number, string][] = [];
  const result = await sendMessages(messages, {
    queueUrl: `http://queue.invalid/1/updates${fifo ? '.fifo' : ''}`,
    send: async (batch) => ({ failed: answer(requests.push(keysOf(batch)), batch), messageIds: new Map() }),
    sleep: async () => {},
    random: () => 0,
    signal: new AbortController().signal,
    onSent: (batch) => void sent.push(...keysOf(batch)),
    onRefused: ({ key }, reason) => void refused.push([Number(key), reason]),
    ...context,
  });
  return { ...result, requests, sentKeys: sent, refusedKeys: refused };
}

const lost = (): never => {
  throw Object.assign(new Error('socket hang up'), { code: 'ECONNRESET' });
};
const failed = (key: string, senderFault: boolean): BatchFailure => ({
  key,
  senderFault,
  code: senderFault ? 'InvalidMessageContents' : 'InternalError',
  message: 'no',
});
const many = (count: number) => Array.from({ length: count }, (_, i) => message(i + 1));

describe('sendMessages', () => {
  test('sends ten messages to a request', async () => {
    const { requests, sent, refused, firstUnsent } = await run(many(23), () => []);
    expect(requests.map((keys) => keys.length)).toEqual([10, 10, 3]);
    expect({ sent, refused, firstUnsent }).toEqual({ sent: 23, refused: 0, firstUnsent: undefined });
  });

  test('sends 1 MiB at most to a request, the attributes counted', async () => {
    const large = (number: number): OutgoingMessage => ({
      ...message(number),
      body: 'x'.repeat(300_000),
      attributes: { a: { dataType: 'String', stringValue: 'y'.repeat(150_000) } },
    });
    const { requests } = await run([1, 2, 3, 4, 5].map(large), () => []);
    expect(requests).toEqual([[1, 2], [3, 4], [5]]);
  });

  test('sends no two messages of a group in one request to a FIFO queue', async () => {
    const messages = ['a', 'b', 'a', 'a', 'c'].map((group, i) => message(i + 1, group));
    const { requests } = await run(messages, () => [], { fifo: true });
    expect(requests).toEqual([[1, 2], [3], [4, 5]]);
  });

  test('loses no message and keeps the order, whatever the groups', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.stringMatching(/^[a-c]{1,2}$/)), fc.boolean(), async (groups, fifo) => {
        const messages = groups.map((group, i) => message(i, group));
        const { requests } = await run(messages, () => [], { fifo });
        expect(requests.flat()).toEqual(keysOf(messages));
      }),
    );
  });

  test('sends again what was not accepted, and says what never will be', async () => {
    const { requests, sentKeys, refusedKeys } = await run(many(3), (request) =>
      request === 1 ? [failed('1', false), failed('2', true)] : [],
    );
    expect(requests).toEqual([[1, 2, 3], [1]]);
    expect(sentKeys).toEqual([3, 1]);
    expect(refusedKeys).toEqual([[2, 'SQS: InvalidMessageContents no']]);
  });

  test('finds the one for which SQS refuses a whole request: the others are sent', async () => {
    const { requests, sentKeys, refusedKeys, failure } = await run(many(12), (_, batch) => {
      if (batch.some(({ key }) => key === '2'))
        throw Object.assign(new Error('too long'), { name: 'BatchRequestTooLong' });
      return [];
    });
    expect(requests.filter((keys) => keys.length > 1).map((keys) => keys.length)).toEqual([10, 2]);
    expect(sentKeys.toSorted((a, b) => a - b)).toEqual([1, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]);
    expect(refusedKeys).toEqual([[2, 'SQS: BatchRequestTooLong too long']]);
    expect(failure).toBeUndefined();
  });

  const refuse = (batch: readonly OutgoingMessage[], ...keys: readonly string[]): BatchFailure[] => {
    if (batch.some(({ key }) => keys.includes(key)))
      throw Object.assign(new Error('no'), { name: 'InvalidParameterValue' });
    return [];
  };

  test.each([['1'], ['1', '5'], ['12']])(
    'a whole request refused with a code that says nothing of whom (for %s): the others are sent',
    async (...keys) => {
      const { sentKeys, refusedKeys, failure } = await run(many(12), (_, batch) => refuse(batch, ...keys));
      expect(sentKeys).toHaveLength(12 - keys.length);
      expect(refusedKeys).toEqual(keys.map((key) => [Number(key), 'SQS: InvalidParameterValue no']));
      expect(failure).toBeUndefined();
    },
  );

  test('where all are refused so, none is at fault: the run gives up after the first request of each lane', async () => {
    const all = many(500).map(({ key }) => key);
    const { requests, refused, sent, failure, firstUnsent } = await run(many(500), (_, batch) =>
      refuse(batch, ...all),
    );
    expect({ refused, sent, first: firstUnsent?.key }).toEqual({ refused: 0, sent: 0, first: '1' });
    expect(failure).toBe('SQS answered InvalidParameterValue: no');
    expect(requests.length).toBeLessThanOrEqual(8 * 11);
  });

  test('counts messages that are sent again after a lost answer', async () => {
    const result = await run(many(3), (request) => (request === 1 ? lost() : []));
    expect(result).toMatchObject({
      sent: 3,
      requests: [
        [1, 2, 3],
        [1, 2, 3],
      ],
      repeated: 3,
    });
    expect(result.uncertain.size).toBe(0);
  });

  test('says what may have arrived, and where to go on, when it gives up', async () => {
    const result = await run(many(20), (_, [first]) => (first?.key === '11' ? lost() : []));
    expect(result).toMatchObject({ sent: 10, firstUnsent: { key: '11' } });
    expect(result.failure).toMatch(/6 times in a row$/);
    expect(keysOf(result.uncertain)).toEqual([11, 12, 13, 14, 15, 16, 17, 18, 19, 20]);
  });

  test('takes nothing for uncertain that certainly did not arrive', async () => {
    const refused = (): never => {
      throw Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' });
    };
    const { uncertain, repeated, firstUnsent } = await run(many(3), refused);
    expect({ uncertain: uncertain.size, repeated, firstUnsent: firstUnsent?.key }).toEqual({
      uncertain: 0,
      repeated: 0,
      firstUnsent: '1',
    });
  });

  test('names the first message that it did not take when it is interrupted', async () => {
    const interrupted = new AbortController();
    const { firstUnsent, sent } = await run(
      many(30),
      () => {
        interrupted.abort();
        return [];
      },
      { fifo: true, signal: interrupted.signal },
    );
    expect({ sent, next: firstUnsent?.key }).toEqual({ sent: 1, next: '2' });
  });
});
