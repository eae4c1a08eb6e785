import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import { expect, onTestFinished, test } from 'vitest';
import { createSpreadHandler } from '../../src/aws/request-handler.ts';

type Handler = Pick<ReturnType<typeof createSpreadHandler>, 'handle' | 'destroy'>;

/** Calls through a handler to a server that answers so. */
async function callsOf(handler: Handler, answer: (socket: Socket, response: ServerResponse) => void) {
  const server = createServer(({ socket }, response) => answer(socket, response)).listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(async () => {
    handler.destroy();
    server.closeAllConnections();
    server.close();
    await once(server, 'close');
  });
  const { port } = server.address() as AddressInfo;
  const request = { protocol: 'http:', hostname: '127.0.0.1', port, method: 'GET', path: '/', headers: {} };
  return async () => (await handler.handle(request as never)).response;
}

test('calls are spread over the connections, although one would do', async () => {
  const counts = new Map<Socket, number>();
  const call = await callsOf(
    createSpreadHandler(5, 5_000, () => 0),
    (socket, response) => {
      counts.set(socket, (counts.get(socket) ?? 0) + 1);
      response.writeHead(204).end();
    },
  );
  for (let i = 0; i < 20; i++) {
    const { statusCode, body } = await call();
    expect([statusCode, await text(body)]).toEqual([204, '']);
  }
  expect([...counts.values()]).toEqual([4, 4, 4, 4, 4]);
});

test('a connection is free when its answer has been read to the end, and not when its headers have come', async () => {
  let time = 0;
  const sockets: Socket[] = [];
  const begun: ServerResponse[] = [];
  const call = await callsOf(
    createSpreadHandler(5, 5_000, () => time),
    (socket, response) => {
      sockets.push(socket);
      begun.push(response);
      response.writeHead(200).write('a');
    },
  );
  const first = await call();
  // After this time a free one takes the next call.
  time = 1_500;
  await call();
  expect(sockets[1]).not.toBe(sockets[0]);
  begun[0]?.end('b');
  expect(await text(first.body)).toBe('ab');
  await call();
  time = 3_000;
  await call();
  expect(new Set(sockets).size).toBe(3);
  expect(sockets[3]).toBe(sockets[0]);
});
