import { randomUUID } from 'node:crypto';
import { type FauxqsServer, startFauxqs } from 'fauxqs';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createQueue } from '../../src/queue/admin.ts';
import { createSqsClient, type SQSClient } from '../../src/queue/client.ts';
import { Queue } from '../../src/queue/queue.ts';
import type { OutgoingMessage } from '../../src/queue/types.ts';
import { deleteQueue, purgeQueue } from '../../testing/sqs/queues.ts';
import { type StrictSqs, startStrictSqs } from '../../testing/sqs/strict-sqs.ts';

const region = 'eu-west-1';
let fauxqs: FauxqsServer;
let strict: StrictSqs;
let client: SQSClient;
let now: number;
let fifo: Queue;
let standard: Queue;

beforeEach(async () => {
  now = 1_000_000;
  fauxqs = await startFauxqs({ port: 0, logger: false, host: '127.0.0.1', defaultRegion: region });
  strict = await startStrictSqs({ upstream: `http://127.0.0.1:${fauxqs.port}`, now: () => now });
  const credentials = { accessKeyId: 'AKIDTEST', secretAccessKey: 'secret' };
  client = createSqsClient(10, { region, credentials, endpoint: strict.url });
  fifo = new Queue(client, await createQueue(client, 'q.fifo', { FifoQueue: 'true' }));
  standard = new Queue(client, await createQueue(client, 'q'));
});
afterEach(async () => {
  client.destroy();
  await strict.close();
  await fauxqs.stop();
});

const message = (groupId: string, body: string, more: Partial<OutgoingMessage> = {}): OutgoingMessage => ({
  key: body,
  body,
  groupId,
  deduplicationId: randomUUID(),
  ...more,
});
const send = async (...messages: OutgoingMessage[]): Promise<void> =>
  expect(await fifo.send(messages)).toEqual([]);
const receive = (queue = fifo, max = 10) => queue.receive({ max, waitSeconds: 0, visibilitySeconds: 30 });
const bodies = async (max = 10): Promise<string[]> => (await receive(fifo, max)).map(({ body }) => body);

describe('a FIFO queue', () => {
  test('hands out several messages of a group in order, and none while one is in flight', async () => {
    await send(...['a1', 'a2', 'b1', 'a3'].map((body) => message(body.slice(0, 1), body)));
    const first = await receive(fifo, 2);
    expect(first.map(({ body }) => body)).toEqual(['a1', 'a2']);
    expect(first[0]).toMatchObject({ groupId: 'a', receiveCount: 1, sentAt: now });
    expect(await bodies()).toEqual(['b1']);
    expect(await fifo.delete([first[0]?.receiptHandle ?? ''])).toEqual([]);
    expect(await bodies()).toEqual([]);
    expect(await fifo.delete([first[1]?.receiptHandle ?? ''])).toEqual([]);
    expect(await bodies()).toEqual(['a3']);
  });

  test('keeps the order through releases in any order, deferral and lapse', async () => {
    await send(...['a1', 'a2', 'a3'].map((body) => message('a', body)));
    const handles = async (): Promise<string[]> =>
      (await receive()).map(({ receiptHandle }) => receiptHandle);
    const [a1 = '', a2 = '', a3 = ''] = await handles();
    await fifo.changeVisibility([a2, a1].map((receiptHandle) => ({ receiptHandle, seconds: 0 })));
    expect(await bodies()).toEqual([]);
    await fifo.changeVisibility([{ receiptHandle: a3, seconds: 5 }]);
    now += 4_999;
    expect(await bodies()).toEqual([]);
    now += 1;
    expect(await bodies()).toEqual(['a1', 'a2', 'a3']);
    now += 30_000;
    expect(await receive()).toMatchObject([1, 2, 3].map((i) => ({ body: `a${i}`, receiveCount: 3 })));
  });

  test('refuses a handle that has expired, for a delete and for an extension', async () => {
    await send(message('a', 'a1'));
    const [{ receiptHandle } = { receiptHandle: '' }] = await receive();
    now += 30_000;
    const refused = [{ key: receiptHandle, senderFault: true, code: 'InvalidParameterValue' }];
    expect(await fifo.delete([receiptHandle])).toMatchObject(refused);
    expect(await fifo.changeVisibility([{ receiptHandle, seconds: 30 }])).toMatchObject(refused);
    const [again] = await receive();
    expect(await fifo.delete([receiptHandle])).toMatchObject(refused);
    const used = [again?.receiptHandle ?? ''];
    expect(await fifo.delete(used)).toEqual([]);
    // Deleted already: SQS says yes again.
    expect(await fifo.delete(used)).toEqual([]);
  });

  test('swallows a deduplication id that was used within five minutes', async () => {
    await send(message('a', 'a1', { deduplicationId: 'same' }));
    now += 299_999;
    await send(message('a', 'a2', { deduplicationId: 'same' }));
    now += 1;
    await send(message('a', 'a3', { deduplicationId: 'same' }));
    expect(await bodies()).toEqual(['a1', 'a3']);
  });

  test('answers a long poll when its group is free, with correct counts', async () => {
    await send(message('a', 'a1'));
    const [a1] = await receive();
    await send(message('a', 'a2'));
    const poll = fifo.receive({ max: 10, waitSeconds: 20 });
    expect(await fifo.attributes()).toMatchObject({ visible: 1, notVisible: 1, fifo: true });
    await fifo.delete([a1?.receiptHandle ?? '']);
    expect(await poll).toMatchObject([{ body: 'a2' }]);
  });

  test('hands out nothing to a client that has disconnected', async () => {
    const cut = new AbortController();
    const poll = fifo.receive({ max: 10, waitSeconds: 20, signal: cut.signal });
    await expect.poll(async () => (await fifo.attributes()).visible).toBe(0);
    cut.abort();
    await expect(poll).rejects.toThrow();
    // The end of the poll's connection has arrived before the next request has.
    await fifo.attributes();
    await send(message('a', 'a1'));
    expect(await fifo.receive({ max: 10, waitSeconds: 5 })).toMatchObject([{ receiveCount: 1 }]);
  });

  test('is empty after a purge, and gone after a delete', async () => {
    await send(message('a', 'a1'));
    await purgeQueue(client, fifo.url);
    expect(await bodies()).toEqual([]);
    await deleteQueue(client, fifo.url);
    await expect(fifo.send([message('a', 'a2')])).rejects.toThrow('does not exist');
  });
});

describe('a standard queue', () => {
  test('refuses to extend what has lapsed, and past twelve hours, entry by entry', async () => {
    await standard.send([
      { key: '1', body: 'one' },
      { key: '2', body: 'two' },
    ]);
    const [one, two] = (await receive(standard)).map(({ receiptHandle }) => receiptHandle);
    const extend = (...changes: [string | undefined, number][]) =>
      standard.changeVisibility(changes.map(([receiptHandle = '', seconds]) => ({ receiptHandle, seconds })));
    now += 29_999;
    expect(await extend([one, 40_000])).toEqual([]);
    now += 1;
    expect(await extend([one, 40_000], [two, 30])).toMatchObject([
      { key: two, senderFault: true, code: 'InvalidParameterValue' },
    ]);
    expect(await extend([one, 43_171])).toMatchObject([{ message: expect.stringContaining('43200') }]);
    expect(await extend([one, 43_170])).toEqual([]);
  });
});

describe.each(['q', 'q.fifo'])('a message to %s', (name) => {
  const attribute = { dataType: 'String', stringValue: 'x' };
  const attributes = (count: number) =>
    Object.fromEntries(Array.from({ length: count }, (_, i) => [`n${i}`, attribute]));

  test.each<[string, Partial<OutgoingMessage>, string]>([
    ['with eleven attributes', { attributes: attributes(11) }, 'InvalidParameterValue'],
    ['with a control character', { body: 'a\u0007' }, 'InvalidMessageContents'],
    ['with U+FFFF', { body: 'a\uffff' }, 'InvalidMessageContents'],
    [
      'with a control character in an attribute',
      { attributes: { n: { dataType: 'String', stringValue: '\u0001' } } },
      'InvalidParameterValue',
    ],
    [
      'with an attribute without text',
      { attributes: { n: { dataType: 'String', stringValue: '' } } },
      'InvalidParameterValue',
    ],
    ['with an attribute named for AWS', { attributes: { 'AWS.n': attribute } }, 'InvalidParameterValue'],
    ['with a group id of 129 characters', { groupId: 'g'.repeat(129) }, 'InvalidParameterValue'],
    ['with a space in its group id', { groupId: 'a b' }, 'InvalidParameterValue'],
  ])('%s is refused, the others of its batch are not', async (_what, fault, code) => {
    const queue = name === 'q' ? standard : fifo;
    const ids = (): Partial<OutgoingMessage> => (name === 'q' ? {} : { deduplicationId: randomUUID() });
    const plain = { body: 'good', groupId: 'g' };
    const good = { ...plain, ...ids(), key: 'good', attributes: attributes(10) };
    const failures = await queue.send([{ ...plain, ...ids(), ...fault, key: 'bad' }, good]);
    expect(failures).toMatchObject([{ key: 'bad', senderFault: true, code }]);
    expect((await receive(queue)).map(({ body }) => body)).toEqual(['good']);
  });
});

test('the name of a deleted queue is refused for 60 seconds', async () => {
  await deleteQueue(client, standard.url);
  now += 59_999;
  await expect(createQueue(client, 'q')).rejects.toThrow('60 seconds');
  now += 1;
  expect(await createQueue(client, 'q')).toContain('/q');
});
