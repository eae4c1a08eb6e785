import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type FauxqsServer, startFauxqs } from 'fauxqs';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { createSqsClient } from '../../../src/queue/client.ts';
import { Queue } from '../../../src/queue/queue.ts';
import type { WorkerEvent } from '../../../src/worker/events.ts';
import { findQueues, readQueueFacts } from '../../../src/worker/receive/queue-facts.ts';

let sqs: FauxqsServer;

beforeAll(async () => {
  sqs = await startFauxqs({ port: 0, logger: false, host: '127.0.0.1', defaultRegion: 'eu-west-1' });
  sqs.createQueue('updates', { attributes: { MessageRetentionPeriod: '3600' } });
  sqs.createQueue('dead', { attributes: { MaximumMessageSize: '262144' } });
  sqs.createQueue('updates.fifo', { attributes: { FifoQueue: 'true' } });
  sqs.createQueue('dead.fifo', { attributes: { FifoQueue: 'true' } });
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

/** An SQS that answers everything with this error. */
async function refusing(status: number, code: string): Promise<string> {
  const server = createServer((_, response) => {
    response.writeHead(status, { 'content-type': 'application/x-amz-json-1.0' });
    response.end(JSON.stringify({ __type: `com.amazon.coral.service#${code}`, message: 'no' }));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

describe('readQueueFacts', () => {
  test('reads retention, size and kind', async () => {
    expect(await readQueueFacts({ source: connect('updates'), deadLetter: connect('dead') })).toEqual({
      facts: {
        retentionSeconds: 3_600,
        fifo: false,
        deadLetter: { maximumMessageBytes: 262_144, fifo: false },
      },
      source: { ok: true },
      deadLetter: { ok: true },
    });
  });

  test('knows FIFO queues by their names, each its own', async () => {
    const { facts } = await readQueueFacts({
      source: connect('updates.fifo'),
      deadLetter: connect('dead.fifo'),
    });
    expect(facts).toMatchObject({ fifo: true, deadLetter: { fifo: true } });
    const mixed = await readQueueFacts({ source: connect('updates'), deadLetter: connect('dead.fifo') });
    expect(mixed.facts).toMatchObject({ fifo: false, deadLetter: { fifo: true } });
  });

  test('looks at the outcome queue where there is one, and knows its kind', async () => {
    const queues = { source: connect('updates'), deadLetter: connect('dead') };
    expect(await readQueueFacts({ ...queues, outcome: connect('updates.fifo') })).toMatchObject({
      facts: { outcome: { fifo: true } },
      outcome: { ok: true },
    });
    expect(await readQueueFacts({ ...queues, outcome: connect('missing') })).toMatchObject({
      facts: { outcome: { fifo: false } },
      deadLetter: { ok: true },
      outcome: { ok: false, error: expect.any(Error) },
    });
  });

  test('says which queue was not found, and goes on with the other', async () => {
    const result = await readQueueFacts({ source: connect('updates'), deadLetter: connect('missing') });
    expect(result).toMatchObject({
      facts: { retentionSeconds: 3_600 },
      source: { ok: true },
      deadLetter: { ok: false, error: expect.any(Error) },
    });
  });

  test.each(['AccessDeniedException', 'AccessDenied'])('assumes SQS’s defaults at %s', async (code) => {
    const endpoint = await refusing(403, code);
    expect(
      await readQueueFacts({ source: connect('updates', endpoint), deadLetter: connect('dead', endpoint) }),
    ).toEqual({
      facts: {
        retentionSeconds: 345_600,
        fifo: false,
        deadLetter: { maximumMessageBytes: 1_048_576, fifo: false },
      },
      source: { ok: true, assumed: true, error: expect.objectContaining({ name: code }) },
      deadLetter: { ok: true, assumed: true, error: expect.objectContaining({ name: code }) },
    });
  });

  test.each([
    [403, 'ExpiredTokenException'],
    [403, 'InvalidClientTokenId'],
    [500, 'InternalFailure'],
    [400, 'QueueDoesNotExist'],
  ])('assumes nothing at %i %s', async (status, code) => {
    const endpoint = await refusing(status, code);
    const result = await readQueueFacts({
      source: connect('updates', endpoint),
      deadLetter: connect('dead'),
    });
    expect(result).toMatchObject({ source: { ok: false }, deadLetter: { ok: true } });
  });

  test('never throws, also when nobody answers', async () => {
    const endpoint = 'http://127.0.0.1:1';
    const result = await readQueueFacts({
      source: connect('updates', endpoint),
      deadLetter: connect('dead', endpoint),
    });
    expect(result).toMatchObject({ source: { ok: false }, deadLetter: { ok: false } });
  });
});

describe('findQueues', () => {
  function find(source: Queue, deadLetter: Queue, onEvent: (event: WorkerEvent) => void = () => {}) {
    const events: WorkerEvent[] = [];
    const controller = new AbortController();
    onTestFinished(() => controller.abort());
    const found = findQueues({
      source,
      deadLetter,
      backoff: { baseMs: 1, maxMs: 1 },
      random: () => 0.5,
      signal: controller.signal,
      emit: (event) => {
        events.push(event);
        onEvent(event);
      },
    });
    return { found, events, controller };
  }

  test('answers with the facts at once when both are there', async () => {
    const { found, events } = find(connect('updates'), connect('dead'));
    expect(await found).toMatchObject({ retentionSeconds: 3_600 });
    expect(events).toEqual([]);
  });

  test('looks until a queue is there, and says which one is missing', async () => {
    const late = connect('late');
    const { found, events } = find(connect('updates'), late, () => sqs.createQueue('late'));
    expect(await found).toMatchObject({ deadLetter: { fifo: false } });
    expect(events).toEqual([
      { type: 'queues-unresolved', queueUrl: late.url, error: expect.any(Error), retryInMs: 250 },
    ]);
  });

  test('goes on with what it assumes, and says so', async () => {
    const source = connect('updates', await refusing(403, 'AccessDeniedException'));
    const { found, events } = find(source, connect('dead'));
    expect(await found).toMatchObject({ retentionSeconds: 345_600 });
    expect(events).toEqual([{ type: 'queue-assumed', queueUrl: source.url, error: expect.any(Error) }]);
  });

  test('ends without an answer when it is aborted', async () => {
    const { found, controller } = find(connect('updates'), connect('missing'), () => controller.abort());
    expect(await found).toBeUndefined();
  });
});
