import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import { expect, onTestFinished, test } from 'vitest';
import { createSpreadHandler } from '../../src/aws/request-handler.ts';

type Handler = Pick<ReturnType<typeof createSpreadHandler>, 'handle' | 'destroy'>;

/** Makes calls one after the other. @returns how many each connection took. */
async function callsOfConnections(handler: Handler, calls: number): Promise<number[]> {
  const counts = new Map<Socket, number>();
  const server = createServer(({ socket }, response) => {
    counts.set(socket, (counts.get(socket) ?? 0) + 1);
    response.writeHead(204).end();
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(async () => {
    handler.destroy();
    server.closeAllConnections();
    server.close();
    await once(server, 'close');
  });
  const { port } = server.address() as AddressInfo;
  const request = { protocol: 'http:', hostname: '127.0.0.1', port, method: 'GET', path: '/', headers: {} };
  for (let i = 0; i < calls; i++) {
    const { response } = await handler.handle(request as never);
    expect(response.statusCode).toBe(204);
    for await (const _ of response.body) expect.unreachable();
  }
  return [...counts.values()];
}

test('calls are spread over the connections, although one would do', async () => {
  const handler = createSpreadHandler(5, 5_000, () => 0);
  expect(await callsOfConnections(handler, 20)).toEqual([4, 4, 4, 4, 4]);
});

test('a connection is free when its answer has been read to the end, and not when its headers have come', async () => {
  let time = 0;
  const handler = createSpreadHandler(5, 5_000, () => time);
  const sockets: Socket[] = [];
  const begun: ServerResponse[] = [];
  const server = createServer(({ socket }, response) => {
    sockets.push(socket);
    begun.push(response);
    response.writeHead(200).write('a');
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(async () => {
    handler.destroy();
    server.closeAllConnections();
    server.close();
    await once(server, 'close');
  });
  const { port } = server.address() as AddressInfo;
  const request = { protocol: 'http:', hostname: '127.0.0.1', port, method: 'GET', path: '/', headers: {} };
  const { response: first } = await handler.handle(request as never);
  // After this time a free one takes the next call.
  time = 1_500;
  await handler.handle(request as never);
  expect(sockets[1]).not.toBe(sockets[0]);
  begun[0]?.end('b');
  expect(await text(first.body)).toBe('ab');
  await handler.handle(request as never);
  time = 3_000;
  await handler.handle(request as never);
  expect(new Set(sockets).size).toBe(3);
  expect(sockets[3]).toBe(sockets[0]);
});
