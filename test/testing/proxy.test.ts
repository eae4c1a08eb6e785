/** The fault proxies: each kind of fault is injected, and nobody's request is passed on who has given up. */
import { once } from 'node:events';
import { Agent, createServer, type IncomingMessage, request } from 'node:http';
import { type AddressInfo, connect, createServer as createTcpServer, type Socket } from 'node:net';
import { text as readText } from 'node:stream/consumers';
import { describe, expect, onTestFinished, test } from 'vitest';
import { apiDialect } from '../../testing/faults/dialects.ts';
import type { Exchange } from '../../testing/faults/exchange.ts';
import { type FaultKind, type FaultRates, FaultSource } from '../../testing/faults/faults.ts';
import { HttpProxy } from '../../testing/faults/http-proxy.ts';
import { TcpProxy } from '../../testing/faults/tcp-proxy.ts';

interface Served {
  readonly action: string;
  readonly body: string;
}

async function setUp(
  rates: FaultRates = {},
  answer: (served: Served) => string = () => 'the whole answer',
  random: () => number = () => 0,
) {
  const served: Served[] = [];
  const exchanges: Exchange[] = [];
  const server = createServer(async (incoming, outgoing) => {
    const seen = { action: String(incoming.headers['x-amz-target']), body: await readText(incoming) };
    served.push(seen);
    outgoing.end(answer(seen));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const heard = Promise.withResolvers<Exchange>();
  const proxy = await HttpProxy.start({
    target: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    faultSource: new FaultSource(rates, random, { delayMs: 300 }),
    dialect: apiDialect,
    onExchange: (exchange) => {
      exchanges.push(exchange);
      heard.resolve(exchange);
    },
  });
  onTestFinished(async () => {
    await proxy.close();
    server.closeAllConnections();
    server.close();
  });
  return { proxy, served, exchanges, heard: heard.promise };
}

interface Got {
  readonly status: number | undefined;
  readonly text: string;
}

/** What a client gets: an answer, or the code of the error it ended in. */
async function ask(
  url: string,
  headers: Record<string, string> = {},
  signal?: AbortSignal,
  body = '{}',
): Promise<Got | string> {
  const asked = request(url, { method: 'PUT', headers, agent: new Agent(), ...(signal && { signal }) });
  asked.end(body);
  try {
    const [response] = (await once(asked, 'response')) as [IncomingMessage];
    return { status: response.statusCode, text: await readText(response) };
  } catch (error) {
    return (error as NodeJS.ErrnoException).code ?? String(error);
  }
}

describe('the HTTP proxy', () => {
  test('passes on a request without a fault, and records its sender', async () => {
    const { proxy, served, heard } = await setUp();
    const authorization =
      'AWS4-HMAC-SHA256 Credential=WORKER7/20261123/eu-west-1/sqs/aws4_request, SignedHeaders=x';
    expect(await ask(proxy.url, { authorization })).toEqual({ status: 200, text: 'the whole answer' });
    expect(served).toHaveLength(1);
    expect(await heard).toMatchObject({
      sender: 'WORKER7',
      delivered: true,
      status: 200,
      answer: 'the whole answer',
    });
  });

  const reset = 'ECONNRESET';
  test.each<[FaultKind, unknown, { forwarded: number; delivered?: boolean }]>([
    ['refuse', reset, { forwarded: 0 }],
    ['reset', reset, { forwarded: 0, delivered: false }],
    ['error', { status: 500, text: expect.stringContaining('injected') }, { forwarded: 0, delivered: false }],
    ['garbage', { status: 200, text: expect.stringContaining('<html>') }, { forwarded: 0, delivered: false }],
    ['delay', { status: 200, text: 'the whole answer' }, { forwarded: 1, delivered: true }],
    ['slow-answer', { status: 200, text: 'the whole answer' }, { forwarded: 1, delivered: true }],
    ['half', reset, { forwarded: 1, delivered: false }],
    ['drop', reset, { forwarded: 1, delivered: false }],
  ])('injects: %s', async (kind, got, { forwarded, delivered }) => {
    const { proxy, served, heard } = await setUp({ [kind]: 1 });
    expect(await ask(proxy.url)).toEqual(got);
    expect(served).toHaveLength(forwarded);
    expect(proxy.counts.toJSON()).toEqual({ [kind]: 1 });
    if (delivered !== undefined) expect(await heard).toMatchObject({ fault: kind, delivered });
  });

  test('injects: hang, until the client gives up', async () => {
    const { proxy, served, heard } = await setUp({ hang: 1 });
    const client = new AbortController();
    const got = ask(proxy.url, {}, client.signal);
    await expect.poll(() => proxy.counts.of('hang')).toBe(1);
    client.abort();
    expect(await got).toBe('ABORT_ERR');
    expect(await heard).toMatchObject({ fault: 'hang', delivered: false });
    expect(served).toEqual([]);
  });

  const sqs = (action: string) => ({ 'x-amz-target': `AmazonSQS.${action}` });
  const draws =
    (...values: number[]) =>
    () =>
      values.shift() ?? 0;

  test('injects: checksum, into one message of a receive', async () => {
    const [first, second] = [{ MD5OfBody: 'a' }, { MD5OfBody: 'b', ReceiptHandle: 'handle-b' }];
    const answer = { Messages: [first, second] };
    const { proxy, heard } = await setUp({ checksum: 1 }, () => JSON.stringify(answer), draws(0, 0.15));
    const { text } = (await ask(proxy.url, sqs('ReceiveMessage'))) as Got;
    expect(JSON.parse(text)).toEqual({ Messages: [first, { ...second, MD5OfBody: '0'.repeat(32) }] });
    expect(await heard).toMatchObject({
      fault: 'checksum',
      delivered: true,
      damaged: 'handle-b',
      answer: JSON.stringify(answer),
    });
  });

  test('injects: entries, of which some are not passed on and fail for a reason that is not theirs', async () => {
    const done = (body: string) => ({
      Successful: (JSON.parse(body) as { Entries: { Id: string }[] }).Entries.map(({ Id }) => ({ Id })),
    });
    // The fault; fail the first entry, with the second code; not the second entry.
    const random = draws(0, 0, 0.2, 0.9);
    const { proxy, heard } = await setUp({ entries: 1 }, ({ body }) => JSON.stringify(done(body)), random);
    const body = JSON.stringify({ Entries: [{ Id: '0' }, { Id: '1' }] });
    const { text } = (await ask(proxy.url, sqs('DeleteMessageBatch'), undefined, body)) as Got;
    expect(JSON.parse(text)).toMatchObject({
      Successful: [{ Id: '1' }],
      Failed: [{ Id: '0', SenderFault: true, Code: 'KMS.ThrottlingException' }],
    });
    expect(await heard).toMatchObject({ fault: 'entries', delivered: true, body });
  });

  test('a request that a fault of SQS does not concern meets none', async () => {
    const { proxy } = await setUp({ checksum: 1 });
    expect(await ask(proxy.url)).toEqual({ status: 200, text: 'the whole answer' });
    expect(proxy.counts.toJSON()).toEqual({});
  });

  test('breaks off an answer without a body in its head', async () => {
    const { proxy, served } = await setUp({ half: 1 }, () => '');
    expect(await ask(proxy.url)).toBe(reset);
    expect(served).toHaveLength(1);
  });

  test('cuts everything for a while, and is back on the same port', async () => {
    const { proxy } = await setUp({ hang: 1 });
    const under = ask(proxy.url);
    await expect.poll(() => proxy.counts.of('hang')).toBe(1);
    await proxy.away();
    expect(await under).toBe(reset);
    expect(await ask(proxy.url)).toBe('ECONNREFUSED');
    await proxy.back();
    const client = new AbortController();
    const again = ask(proxy.url, {}, client.signal);
    await expect.poll(() => proxy.counts.of('hang')).toBe(2);
    client.abort();
    await again;
  });

  test('passes on a long poll as short ones, and none after its sender has disconnected', async () => {
    const { proxy, served, heard } = await setUp({}, () => '{}');
    const client = new AbortController();
    const url = new URL(proxy.url);
    const poll = request(url, {
      method: 'POST',
      headers: { 'x-amz-target': 'AmazonSQS.ReceiveMessage' },
      agent: new Agent(),
    });
    client.signal.addEventListener('abort', () => poll.destroy());
    poll.on('error', () => undefined);
    poll.end(JSON.stringify({ WaitTimeSeconds: 20, MaxNumberOfMessages: 10 }));
    await expect.poll(() => served.length).toBeGreaterThan(2);
    client.abort();
    expect(await heard).toMatchObject({ delivered: false, effectAt: undefined });
    expect(proxy.counts.of('abandoned')).toBe(1);
    const before = served.length;
    expect(served.every(({ body }) => body === '{"WaitTimeSeconds":0,"MaxNumberOfMessages":10}')).toBe(true);
    await ask(proxy.url);
    expect(served.length).toBe(before + 1);
  });

  test('does not pass on a delayed request whose sender has given up', async () => {
    // The first draw decides on the fault, the second on how long it lasts.
    const draws = [0, 1];
    const { proxy, served, heard } = await setUp({ delay: 1 }, undefined, () => draws.shift() ?? 0);
    const client = new AbortController();
    const got = ask(proxy.url, {}, client.signal);
    await expect.poll(() => proxy.counts.of('delay')).toBe(1);
    client.abort();
    expect(await got).toBe('ABORT_ERR');
    expect(await heard).toMatchObject({ delivered: false, effectAt: undefined });
    expect(proxy.counts.of('abandoned')).toBe(1);
    expect(served).toEqual([]);
  });
});

describe('the TCP proxy', () => {
  async function setUpTcp(rates: FaultRates) {
    const received: string[] = [];
    const server = createTcpServer((socket) => {
      socket.on('error', () => undefined);
      socket.setEncoding('utf8').on('data', (data: string) => {
        received.push(data);
        socket.write('+PONG\r\n');
      });
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const proxy = await TcpProxy.start({
      target: (server.address() as AddressInfo).port,
      faultSource: new FaultSource(rates, () => 0, { delayMs: 0 }),
    });
    onTestFinished(async () => {
      await proxy.close();
      server.close();
    });
    const socket: Socket = connect(proxy.port, '127.0.0.1');
    let got = '';
    socket.setEncoding('utf8').on('data', (data: string) => {
      got += data;
    });
    socket.on('error', () => undefined);
    const closed = new Promise((resolve) => socket.once('close', resolve));
    socket.write('PING\r\n');
    return { proxy, received, socket, closed, got: () => got };
  }

  test.each<[FaultKind, string, number]>([
    ['refuse', '', 0],
    ['reset', '', 0],
    ['error', '-LOADING Redis is loading the dataset in memory\r\n', 0],
    ['garbage', '\u0000garbage\r\n?\r\n', 0],
    ['half', '+PO', 1],
    ['drop', '', 1],
  ])('injects: %s', async (kind, expected, forwarded) => {
    const { proxy, received, closed, got } = await setUpTcp({ [kind]: 1 });
    await closed;
    expect(got()).toBe(expected);
    expect(received).toHaveLength(forwarded);
    expect(proxy.counts.toJSON()).toEqual({ [kind]: 1 });
  });

  test.each<[FaultKind | 'none', number]>([
    ['none', 0],
    ['delay', 1],
    ['slow-answer', 1],
  ])('passes everything on: %s', async (kind, count) => {
    const { proxy, socket, got } = await setUpTcp(kind === 'none' ? {} : { [kind]: 1 });
    await expect.poll(got).toBe('+PONG\r\n');
    expect(proxy.counts.of(kind)).toBe(count);
    socket.destroy();
  });

  test('injects: hang', async () => {
    const { proxy, received, socket } = await setUpTcp({ hang: 1 });
    await expect.poll(() => proxy.counts.of('hang')).toBe(1);
    socket.write('PING\r\n');
    await proxy.cut(0);
    expect(received).toEqual([]);
  });
});
