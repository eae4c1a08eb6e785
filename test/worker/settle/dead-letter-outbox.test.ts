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
import {
  DEAD_LETTER_ATTRIBUTE,
  type DeadLetter,
  deadLetterRecord,
} from '../../../src/message/dead-letter.ts';
import type { Message } from '../../../src/message/message.ts';
import { parseBody } from '../../../src/message/parse.ts';
import { createSqsClient } from '../../../src/queue/client.ts';
import { Queue } from '../../../src/queue/queue.ts';
import type { BatchFailure, OutgoingMessage } from '../../../src/queue/types.ts';
import { Delivery } from '../../../src/worker/delivery.ts';
import {
  type DeadLetterDisposition,
  DeadLetterOutbox,
} from '../../../src/worker/settle/dead-letter-outbox.ts';

const MIB = 1_048_576;
const disposition: DeadLetterDisposition = {
  action: 'dead-letter',
  reason: 'Rejected',
  error: { name: 'ValidationException', status: 400, message: 'no such configuration' },
};

function delivery(name: string, overrides: Partial<Message> = {}): Delivery {
  const message: Message = {
    messageId: `id-${name}`,
    receiptHandle: name,
    body: `{"Identifier":"${name}","Description":"new"}`,
    attributes: {},
    sentAt: Date.parse('2026-11-23T07:00:00Z'),
    receiveCount: 2,
    ...overrides,
  };
  return new Delivery(message, parseBody(message.body, message.sentAt));
}

interface Setting {
  readonly send?: (messages: readonly OutgoingMessage[]) => Promise<BatchFailure[]>;
  readonly fifo?: boolean;
  readonly maximumMessageBytes?: number;
}

function setUp(setting: Setting = {}) {
  const requests: OutgoingMessage[][] = [];
  const sent: string[] = [];
  const letters = new Map<string, DeadLetter>();
  const reachable: [boolean, unknown][] = [];
  const outbox = new DeadLetterOutbox({
    ended: new AbortController().signal,
    send: async (messages) => {
      requests.push([...messages]);
      return (await setting.send?.(messages)) ?? [];
    },
    record: ({ message, ids, tally }, { reason, error }) =>
      deadLetterRecord(message, {
        reason,
        error,
        attempts: tally.attempts,
        ids,
        sourceQueueUrl: 'https://sqs.eu-west-1.amazonaws.com/1/updates',
        now: Date.parse('2026-11-23T08:00:00Z'),
      }),
    target: () => ({
      maximumMessageBytes: setting.maximumMessageBytes ?? MIB,
      fifo: setting.fifo ?? false,
    }),
    random: () => 0.5,
    monotonic: performance.now.bind(performance),
    onRefused: () => {},
    onReachable: (yes, error) => reachable.push([yes, error]),
  });
  const add = (...deliveries: (string | Delivery)[]): Delivery[] =>
    deliveries.map((each) => {
      const one = typeof each === 'string' ? delivery(each) : each;
      const name = one.message.receiptHandle;
      void outbox.post(one, disposition).then((parcel) => {
        if (parcel === undefined) return;
        sent.push(name);
        letters.set(name, parcel.letter);
      });
      return one;
    });
  const keys = () => requests.map((request) => request.map(({ key }) => key));
  return { outbox, add, requests, keys, sent, letters, reachable };
}

const failure = (key: string, senderFault: boolean): BatchFailure => ({
  key,
  senderFault,
  code: senderFault ? 'InvalidParameterValue' : 'InternalError',
  message: 'no',
});
const named = (name: string) => Object.assign(new Error(name), { name });
const pass = (ms: number) => vi.advanceTimersByTimeAsync(ms);
const flush = () => pass(0);
const numbered = (count: number) => Array.from({ length: count }, (_, i) => `m${i}`);
const carriesRecord = (message: OutgoingMessage | undefined) =>
  message?.attributes?.[DEAD_LETTER_ATTRIBUTE] !== undefined;

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

describe('sending', () => {
  test('shares a request among letters of one turn, ten to each', async () => {
    const { add, keys, sent } = setUp();
    add(...numbered(23));
    await flush();
    expect(keys().map((request) => request.length)).toEqual([10, 10, 3]);
    expect(keys().flat()).toEqual(numbered(23));
    expect(sent).toEqual(numbered(23));
  });

  test('tells of a letter only when SQS has confirmed it', async () => {
    const answer = Promise.withResolvers<BatchFailure[]>();
    const { add, sent } = setUp({ send: () => answer.promise });
    add('a');
    await pass(60_000);
    expect(sent).toEqual([]);
    answer.resolve([]);
    await flush();
    expect(sent).toEqual(['a']);
  });

  test('has one request under way at a time; what comes meanwhile goes with the next', async () => {
    const answers: (() => void)[] = [];
    const { add, keys } = setUp({
      send: () =>
        new Promise((resolve) => {
          answers.push(() => resolve([]));
        }),
    });
    add('a');
    await flush();
    add('b', 'c');
    await flush();
    expect(keys()).toEqual([['a']]);
    answers[0]?.();
    await flush();
    expect(keys()).toEqual([['a'], ['b', 'c']]);
  });

  test('passes on body, attributes, trace and group, and adds the record', async () => {
    const { add, requests, letters } = setUp();
    const body = '{"Identifier":"a1", "Description":  "as it came"}';
    const attributes = { tenant: { dataType: 'String', stringValue: 't1' } };
    add(delivery('a', { body, attributes, traceHeader: 'Root=1-2-3', groupId: 'tenant-1' }));
    await flush();
    const message = requests[0]?.[0];
    expect(message).toEqual({
      key: 'a',
      body,
      attributes: {
        ...attributes,
        [DEAD_LETTER_ATTRIBUTE]: { dataType: 'String', stringValue: expect.any(String) },
      },
      traceHeader: 'Root=1-2-3',
      groupId: 'tenant-1',
    });
    expect(JSON.parse(message?.attributes?.[DEAD_LETTER_ATTRIBUTE]?.stringValue ?? '')).toMatchObject({
      reason: 'Rejected',
      error: disposition.error,
      receiveCount: 2,
      sourceMessageId: 'id-a',
    });
    expect(letters.get('a')).toMatchObject({ fit: 'complete' });
  });

  test('keeps to what the dead-letter queue takes', async () => {
    const { add, requests, letters } = setUp({ maximumMessageBytes: 1_024 });
    add(delivery('a', { body: 'x'.repeat(1_000) }));
    await flush();
    expect(carriesRecord(requests[0]?.[0])).toBe(false);
    expect(letters.get('a')).toMatchObject({ fit: 'left-off', record: { reason: 'Rejected' } });
  });

  test('keeps every request within 1 MiB, in order, also where one letter fills it', async () => {
    const { add, requests, keys } = setUp();
    const big = (name: string, bytes: number) => delivery(name, { body: 'x'.repeat(bytes) });
    add(big('a', 500_000), big('b', 500_000), big('c', 500_000), big('d', MIB), big('e', 10), big('f', 10));
    await flush();
    for (const request of requests) {
      const bytes = request.reduce((sum, { body, attributes }) => {
        const record = attributes?.[DEAD_LETTER_ATTRIBUTE]?.stringValue;
        return (
          sum +
          body.length +
          (record === undefined ? 0 : 'DeadLetterString'.length + Buffer.byteLength(record))
        );
      }, 0);
      expect(bytes).toBeLessThanOrEqual(MIB);
    }
    expect(keys()).toEqual([['a', 'b'], ['c'], ['d'], ['e', 'f']]);
  });
});

describe('a FIFO dead-letter queue', () => {
  test('gets the group of the message, or one of its own, and an id by message and delivery', async () => {
    const { add, requests } = setUp({ fifo: true });
    add(delivery('a', { groupId: 'g1', deduplicationId: 'old' }), delivery('b', { receiveCount: 3 }));
    await flush();
    expect(requests[0]).toMatchObject([
      { groupId: 'g1', deduplicationId: 'id-a.2' },
      { groupId: 'id-b', deduplicationId: 'id-b.3' },
    ]);
  });

  test('gets the same id when the same letter is sent again, another in the next delivery', async () => {
    let times = 1;
    const { add, requests } = setUp({
      fifo: true,
      send: async () => {
        if (times-- > 0) throw new Error('the answer was lost');
        return [];
      },
    });
    add('a');
    await pass(60_000);
    add(delivery('a again', { messageId: 'id-a', receiveCount: 3 }));
    await flush();
    expect(requests.flat().map(({ deduplicationId }) => deduplicationId)).toEqual([
      'id-a.2',
      'id-a.2',
      'id-a.3',
    ]);
  });

  test('is not presumed: an ordinary one gets no deduplication id', async () => {
    const { add, requests } = setUp();
    add(delivery('a', { groupId: 'g1', deduplicationId: 'old' }));
    await flush();
    expect(requests[0]?.[0]).toMatchObject({ groupId: 'g1' });
    expect(requests[0]?.[0]).not.toHaveProperty('deduplicationId');
  });
});

describe('a dead-letter queue that is away', () => {
  test('gets everything once it is back; nothing is told before', async () => {
    const away = new Error('away');
    let times = 5;
    const { outbox, add, sent, reachable } = setUp({
      send: async () => {
        if (times-- > 0) throw away;
        return [];
      },
    });
    add(...numbered(12));
    await flush();
    expect(outbox.reachable).toBe(false);
    expect(sent).toEqual([]);
    await pass(120_000);
    expect(sent.toSorted()).toEqual(numbered(12).toSorted());
    expect(outbox.reachable).toBe(true);
    expect(reachable).toEqual([
      [false, away],
      [true, undefined],
    ]);
  });

  test('is tried with growing waits, up to half a minute', async () => {
    const at: number[] = [];
    const { add } = setUp({
      send: () => {
        at.push(performance.now());
        return Promise.reject(new Error('away'));
      },
    });
    add('a');
    await pass(300_000);
    const waits = at.slice(1).map((time, i) => time - (at[i] ?? 0));
    expect(waits.slice(0, 5)).toEqual([500, 1_000, 2_000, 4_000, 8_000]);
    expect(waits.at(-1)).toBe(15_000);
  });

  test('is tried with one letter at a time, and with ten again when it is back', async () => {
    let times = 2;
    const { add, keys, sent } = setUp({
      send: async () => {
        if (times-- > 0) throw new Error('away');
        return [];
      },
    });
    add(...numbered(15));
    await pass(120_000);
    expect(keys().map((request) => request.length)).toEqual([10, 1, 1, 10, 4]);
    expect(new Set(sent).size).toBe(15);
    expect(sent).toHaveLength(15);
  });

  test('is no longer taken to be away when nothing is left to send: there is nothing to find out by', async () => {
    const { outbox, add, reachable } = setUp({ send: () => Promise.reject(new Error('away')) });
    const [a] = add('a');
    await flush();
    expect(outbox.reachable).toBe(false);

    // The lease is lost, or at its wall: the letter is taken back. While the outbox says "away", nothing is received,
    // so no letter can come that would show that the queue is back.
    if (a !== undefined) outbox.withdraw(a);
    await pass(600_000);

    expect(outbox.reachable).toBe(true);
    expect(reachable.map(([yes]) => yes)).toEqual([false, true]);
  });

  test('is no longer taken to be away when everything was taken back', async () => {
    const { outbox, add, reachable } = setUp({ send: () => Promise.reject(new Error('away')) });
    const letters = add('a', 'b');
    await flush();
    for (const each of letters) outbox.withdraw(each);
    await pass(600_000);
    expect(outbox.reachable).toBe(true);
    expect(reachable.map(([yes]) => yes)).toEqual([false, true]);
  });
});

describe('letters that are refused', () => {
  test('in part are sent again, and the others are told of at once', async () => {
    let times = 1;
    const { add, keys, sent } = setUp({ send: async () => (times-- > 0 ? [failure('b', false)] : []) });
    add('a', 'b', 'c');
    await flush();
    expect(sent).toEqual(['a', 'c']);
    await pass(60_000);
    expect(keys()).toEqual([['a', 'b', 'c'], ['b']]);
    expect(sent).toEqual(['a', 'c', 'b']);
  });

  test('for their own fault go once more without the record, which stands in the log all the same', async () => {
    const { add, requests, sent, letters, reachable } = setUp({
      send: async (messages) => messages.filter(carriesRecord).map(({ key }) => failure(key, true)),
    });
    add('a');
    await flush();
    expect(requests.flat().map(carriesRecord)).toEqual([true, false]);
    expect(sent).toEqual(['a']);
    expect(letters.get('a')).toMatchObject({ fit: 'left-off', record: { reason: 'Rejected' } });
    expect(reachable).toEqual([]);
  });

  test.each(['InvalidMessageContents', 'InvalidParameterValue', 'BatchRequestTooLong'])(
    'with the whole request for %s are found one by one, and only the one at fault loses its record',
    async (name) => {
      const { add, letters, sent } = setUp({
        send: async (messages) => {
          if (messages.some((message) => message.key === 'poison' && carriesRecord(message)))
            throw named(name);
          return [];
        },
      });
      add('a', 'poison', 'b');
      await pass(120_000);
      expect(sent.toSorted()).toEqual(['a', 'b', 'poison']);
      expect([...letters].map(([key, { fit }]) => `${key} ${fit}`).toSorted()).toEqual([
        'a complete',
        'b complete',
        'poison left-off',
      ]);
    },
  );

  test('keep their record when the queue, not the letter, is at fault', async () => {
    let times = 4;
    const { add, letters } = setUp({
      send: async () => {
        if (times-- > 0) throw named('AccessDenied');
        return [];
      },
    });
    add('a');
    await pass(120_000);
    expect(letters.get('a')).toMatchObject({ fit: 'complete' });
  });

  test.each<[string, Setting['send']]>([
    [
      'alone',
      async (messages) => messages.filter(({ key }) => key === 'poison').map(({ key }) => failure(key, true)),
    ],
    [
      'with its whole request',
      async (messages) => {
        if (messages.some(({ key }) => key === 'poison')) throw named('InvalidMessageContents');
        return [];
      },
    ],
  ])('for ever, %s, hold up no other letter', async (_, send) => {
    const { add, sent } = setUp({ ...(send !== undefined && { send }) });
    add('poison', ...numbered(12));
    await pass(300_000);
    expect(sent.toSorted()).toEqual(numbered(12).toSorted());
    add('late');
    await pass(300_000);
    expect(sent.at(-1)).toBe('late');
    expect(sent).not.toContain('poison');
  });
});

describe('withdrawing', () => {
  test('keeps a letter from being sent again, and means nothing for one that was sent', async () => {
    let away = true;
    const { outbox, add, keys, sent } = setUp({
      send: async () => {
        if (away) throw new Error('away');
        return [];
      },
    });
    const [a, b] = add('a', 'b');
    if (a === undefined || b === undefined) throw new Error('two were added');
    await flush();
    outbox.withdraw(a);
    outbox.withdraw(a);
    away = false;
    await pass(60_000);
    expect(keys()).toEqual([['a', 'b'], ['b']]);
    expect(sent).toEqual(['b']);
    outbox.withdraw(b);
  });

  test('of all leaves nothing', async () => {
    const { outbox, add, keys, sent } = setUp({ send: () => Promise.reject(new Error('away')) });
    const added = add('a', 'b', 'c');
    await flush();
    for (const each of added) outbox.withdraw(each);
    await pass(600_000);
    expect(keys()).toHaveLength(1);
    expect(sent).toEqual([]);
  });

  test('of one under way is not undone by its arrival or its failure', async () => {
    const answer = Promise.withResolvers<BatchFailure[]>();
    const { outbox, add, keys, sent } = setUp({ send: () => answer.promise });
    const [arrives, fails] = add('arrives', 'fails', 'stays');
    if (arrives === undefined || fails === undefined) throw new Error('three were added');
    await flush();
    outbox.withdraw(arrives);
    outbox.withdraw(fails);
    answer.resolve([failure('fails', false)]);
    await pass(60_000);
    expect(keys()).toEqual([['arrives', 'fails', 'stays']]);
    expect(sent).toEqual(['stays']);
  });

  test('leaves the outbox ready for the next letter', async () => {
    let away = true;
    const { outbox, add, sent } = setUp({
      send: async () => {
        if (away) throw new Error('away');
        return [];
      },
    });
    const [a] = add('a');
    await flush();
    if (a !== undefined) outbox.withdraw(a);
    away = false;
    await pass(60_000);
    add('b');
    await pass(60_000);
    expect(sent).toEqual(['b']);
    expect(outbox.reachable).toBe(true);
  });
});

describe('with SQS', () => {
  let sqs: FauxqsServer;

  beforeAll(async () => {
    sqs = await startFauxqs({ port: 0, logger: false, host: '127.0.0.1', defaultRegion: 'eu-west-1' });
    sqs.createQueue('dead');
    sqs.createQueue('dead.fifo', { attributes: { FifoQueue: 'true' } });
  });
  afterAll(() => sqs.stop());

  test.each([
    ['dead', false],
    ['dead.fifo', true],
  ])('delivers the letter to %s, byte for byte, with what came along', async (name, fifo) => {
    vi.useRealTimers();
    const client = createSqsClient(5, {
      endpoint: sqs.address,
      region: 'eu-west-1',
      credentials: { accessKeyId: 'a', secretAccessKey: 'b' },
    });
    onTestFinished(() => client.destroy());
    const queue = new Queue(client, `${sqs.address}/000000000000/${name}`);
    const body = '{"Identifier":"é\ufffd" ,\n\t"x":1}  ';
    const attributes = {
      text: { dataType: 'String.custom', stringValue: 'ü' },
      count: { dataType: 'Number', stringValue: '12' },
      bytes: { dataType: 'Binary', binaryValue: new Uint8Array([0, 255, 7]) },
    };
    const answer = Promise.withResolvers<BatchFailure[]>();
    const send = (messages: readonly OutgoingMessage[]) => {
      const sending = queue.send(messages);
      sending.then(answer.resolve, answer.reject);
      return sending;
    };
    setUp({ fifo, send }).add(delivery('a', { body, attributes, groupId: 'g1' }));
    expect(await answer.promise).toEqual([]);

    const [letter] = await queue.receive({ max: 10, waitSeconds: 0 });

    expect(letter?.body).toBe(body);
    expect(letter?.attributes).toMatchObject({ text: attributes.text, count: attributes.count });
    expect([...(letter?.attributes.bytes?.binaryValue ?? [])]).toEqual([0, 255, 7]);
    expect(JSON.parse(letter?.attributes[DEAD_LETTER_ATTRIBUTE]?.stringValue ?? '')).toMatchObject({
      reason: 'Rejected',
      sourceMessageId: 'id-a',
    });
    // The emulator does not hand out the group of an ordinary queue.
    if (fifo) expect(letter?.groupId).toBe('g1');
  });
});
