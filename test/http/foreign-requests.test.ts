import { request } from 'node:http';
import { networkInterfaces } from 'node:os';
import { buffer } from 'node:stream/consumers';
import { describe, expect, onTestFinished, test } from 'vitest';
import { createHttpServer } from '../../src/http/server.ts';
import { createMetrics } from '../../src/observe/metrics.ts';
import { startCloud } from '../../src/sandbox/cloud.ts';
import { well } from '../../testing/stages/snapshot.ts';

/** The status of a request with exactly these headers. */
async function ask(url: string, headers: Record<string, string>, method = 'GET', body = ''): Promise<number> {
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  const sent = request(url, { method, headers }, (response) => {
    buffer(response).then(() => resolve(response.statusCode ?? 0), reject);
  });
  sent.on('error', reject).end(body);
  return promise;
}

const foreign: [string, Record<string, string>][] = [
  ['a form of another site', { origin: 'http://evil.example' }],
  ['a page without an origin', { origin: 'null' }],
  ['an image of another site', { 'sec-fetch-site': 'cross-site' }],
  ['a rebound name', { host: 'evil.example:80' }],
  ['a rebound name that looks like an address', { host: '127.0.0.1.evil.example' }],
];

describe('the sandbox refuses', () => {
  test.each(foreign)('%s on each of its ports, and does nothing', async (_what, headers) => {
    const cloud = await startCloud({ host: '127.0.0.1', sqsPort: 0, apiPort: 0, token: 't', api: {} });
    onTestFinished(() => cloud.close());
    const form = { 'content-type': 'application/x-www-form-urlencoded' };
    const send = `Action=CreateQueue&QueueName=evil&Version=2012-11-05`;
    expect(await ask(cloud.sqsUrl, { ...form, ...headers }, 'POST', send)).toBe(403);
    expect(await ask(`${cloud.sqsUrl}/evil`, headers)).toBe(403);
    const update = JSON.stringify({ Description: 'evil' });
    const authorization = 'Bearer t';
    expect(await ask(`${cloud.api.url}/ota-tasks/task1`, { authorization, ...headers }, 'PUT', update)).toBe(
      403,
    );
    expect(await ask(`${cloud.api.url}/_sandbox/settings`, { authorization, ...headers }, 'PUT', '{}')).toBe(
      403,
    );
    expect(cloud.api.stats().calls).toBe(0);
  });
});

describe('the worker’s port', () => {
  const open = async (host: string): Promise<string> => {
    const { registry } = createMetrics(() => well);
    const app = createHttpServer({ worker: 'w1', snapshot: () => well, registry });
    onTestFinished(() => app.close());
    return await app.listen({ host, port: 0 });
  };

  test.each(foreign)('refuses %s', async (_what, headers) => {
    expect(await ask(`${await open('127.0.0.1')}/metrics`, headers)).toBe(403);
  });

  test.each(['localhost', 'LOCALHOST:80', 'worker.localhost', '127.0.0.1:9999', '[::1]:80'])(
    'answers on loopback by the name %s',
    async (host) => {
      expect(await ask(`${await open('127.0.0.1')}/livez`, { host })).toBe(200);
    },
  );

  test('answers its own pages', async () => {
    const url = await open('127.0.0.1');
    const { host, origin } = new URL(url);
    expect(await ask(`${url}/livez`, { host, origin, 'sec-fetch-site': 'same-origin' })).toBe(200);
  });

  test('answers probes that come by another address, whatever name they use', async ({ skip }) => {
    const all = Object.values(networkInterfaces()).flat();
    const address = all.find((each) => each?.family === 'IPv4' && !each.internal)?.address;
    if (address === undefined) return skip('this machine has loopback only');
    expect(await ask(`${await open(address)}/livez`, { host: 'worker.updates.svc' })).toBe(200);
  });
});
