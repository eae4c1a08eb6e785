import { type FauxqsServer, startFauxqs } from 'fauxqs';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import type { Message } from '../../../src/message/message.ts';
import { createSqsClient } from '../../../src/queue/client.ts';
import { Queue } from '../../../src/queue/queue.ts';
import { sweepExpiring } from '../../../src/worker/receive/sweep.ts';

let sqs: FauxqsServer;

beforeAll(async () => {
  sqs = await startFauxqs({ port: 0, logger: false, host: '127.0.0.1', defaultRegion: 'eu-west-1' });
});
afterAll(() => sqs.stop());

function connect(name: string, endpoint = sqs.address): Queue {
  const client = createSqsClient(5, {
    endpoint,
    region: 'eu-west-1',
    credentials: { accessKeyId: 'a', secretAccessKey: 'b' },
  });
  onTestFinished(() => client.destroy());
  return new Queue(client, `${endpoint}/000000000000/${name}`);
}

const isExpiring = ({ body }: Message) => body.startsWith('old');

async function sweep(queue: Queue, most = Number.POSITIVE_INFINITY) {
  const taken: string[] = [];
  const errors: unknown[] = [];
  await sweepExpiring({
    queue,
    visibilitySeconds: 30,
    isExpiring,
    take: ({ body }) => taken.push(body),
    onError: (error) => errors.push(error),
    full: () => taken.length >= most,
  });
  return { taken, errors };
}

function bodies(name: string): { ready: string[]; inflight: string[] } {
  const messages = sqs.inspectQueue(name)?.messages;
  return {
    ready: messages?.ready.map(({ body }) => body).toSorted() ?? [],
    inflight: messages?.inflight.map(({ message }) => message.body).toSorted() ?? [],
  };
}

describe('sweepExpiring', () => {
  test('takes what is expiring and gives everything else back at once', async () => {
    sqs.createQueue('mixed');
    for (const body of ['old 1', 'young 1', 'old 2', 'young 2']) sqs.sendMessage('mixed', body);
    const { taken, errors } = await sweep(connect('mixed'));
    expect(taken.toSorted()).toEqual(['old 1', 'old 2']);
    expect(errors).toEqual([]);
    expect(bodies('mixed')).toEqual({ ready: ['young 1', 'young 2'], inflight: ['old 1', 'old 2'] });
  });

  test('goes on while it finds any', async () => {
    sqs.createQueue('many');
    for (let i = 0; i < 35; i++) sqs.sendMessage('many', `old ${i}`);
    const { taken } = await sweep(connect('many'));
    expect(new Set(taken).size).toBe(35);
    expect(taken).toHaveLength(35);
  });

  test('ends when a whole receive shows none', async () => {
    sqs.createQueue('young');
    for (let i = 0; i < 35; i++) sqs.sendMessage('young', `young ${i}`);
    const { taken } = await sweep(connect('young'));
    expect(taken).toEqual([]);
    expect(bodies('young').inflight).toEqual([]);
    expect(bodies('young').ready).toHaveLength(35);
  });

  test('leaves the rest for another look when no more can be held', async () => {
    sqs.createQueue('full');
    for (let i = 0; i < 35; i++) sqs.sendMessage('full', `old ${i}`);
    const { taken } = await sweep(connect('full'), 20);
    expect(taken).toHaveLength(20);
    expect(bodies('full').ready).toHaveLength(15);
  });

  test('ends at an empty queue', async () => {
    sqs.createQueue('empty');
    expect(await sweep(connect('empty'))).toEqual({ taken: [], errors: [] });
  });

  test('never throws: a queue that cannot be read is an event', async () => {
    const { taken, errors } = await sweep(connect('missing'));
    expect(taken).toEqual([]);
    expect(errors).toEqual([expect.any(Error)]);
  });

  test('keeps what it took when the rest cannot be released', async () => {
    sqs.createQueue('stubborn');
    sqs.sendMessage('stubborn', 'old 1');
    sqs.sendMessage('stubborn', 'young 1');
    const queue = connect('stubborn');
    const away = new Error('away');
    queue.changeVisibility = () => Promise.reject(away);
    expect(await sweep(queue)).toEqual({ taken: ['old 1'], errors: [away] });
  });
});
