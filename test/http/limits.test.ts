/** Clients that take their time, and many of them. */
import { once } from 'node:events';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import { Registry } from 'prom-client';
import { expect, onTestFinished, test } from 'vitest';
import { httpLimits } from '../../src/http/limits.ts';
import { createHttpServer } from '../../src/http/server.ts';
import { askServer } from '../../testing/processes/ask-server.ts';
import { well } from '../../testing/stages/snapshot.ts';

async function start(limits: Partial<typeof httpLimits> = {}) {
  const app = createHttpServer({
    worker: 'w1',
    snapshot: () => well,
    registry: new Registry(),
    limits: { ...httpLimits, ...limits },
  });
  const url = await app.listen({ host: '127.0.0.1', port: 0 });
  onTestFinished(() => app.close());
  const { port } = app.server.address() as AddressInfo;
  const open = async (): Promise<Socket> => {
    const socket = connect(port, '127.0.0.1').on('error', () => {});
    onTestFinished(() => void socket.destroy());
    await once(socket, 'connect');
    return socket;
  };
  const count = (): Promise<number> =>
    new Promise((resolve, reject) => {
      app.server.getConnections((error, connections) => (error ? reject(error) : resolve(connections)));
    });
  return { app, url, open, count };
}

test('of more clients than it has connections for, the newest is answered and the oldest leave', async () => {
  const { url, open, count } = await start({ connections: 20 });
  const slow = await Promise.all(Array.from({ length: 100 }, open));
  for (const socket of slow) socket.write('GET /livez HTTP/1.1\r\nHost: loc');
  expect((await fetch(`${url}/livez`)).status).toBe(200);
  await expect.poll(count).toBeLessThanOrEqual(20);
  await expect.poll(() => slow.filter((socket) => socket.closed).length).toBeGreaterThanOrEqual(80);
});

test.each([
  ['says nothing', ''],
  ['does not end its headers', 'GET /livez HTTP/1.1\r\nHost: localhost\r\nX-Slow: '],
  ['does not send its body', 'POST /livez HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\n{'],
])('a client that %s is closed', async (_, said) => {
  const { open } = await start({ headersMs: 100, requestMs: 100, checkEveryMs: 20 });
  const socket = await open();
  socket.write(said);
  expect(await text(socket)).toMatch(/HTTP\/1.1 408 /);
});

test('a client that is done is closed after a while', async () => {
  const { open } = await start({ keepAliveMs: 50 });
  const socket = await open();
  socket.write('GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n');
  expect(await text(socket)).toMatch(/^HTTP\/1.1 200 /);
});

test('large bodies and headers are refused', async () => {
  const { app, url } = await start();
  const large = await askServer(app, { method: 'POST', path: '/livez', body: 'x'.repeat(2_000) });
  expect(large.status).toBe(413);
  expect((await fetch(`${url}/livez`, { headers: { 'x-large': 'x'.repeat(9_000) } })).status).toBe(431);
});
