import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
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
