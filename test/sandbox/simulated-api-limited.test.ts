/** Limits that depend on more than time: connections, and calls that are not answered yet. */
import { Agent, request } from 'node:http';
import { expect, onTestFinished, test } from 'vitest';
import type { SimulatedApi } from '../../src/sandbox/simulated-api/index.ts';
import { apiHeaders as headers, startApi } from '../../testing/stages/api.ts';

/** The status of an update; over a connection of `agent`, if there is one. */
function update(api: SimulatedApi, agent?: Agent): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    const options = { method: 'PUT', headers, ...(agent && { agent }) };
    const call = request(`${api.url}/ota-tasks/a1`, options, (answer) => {
      answer.resume().once('end', () => resolve(answer.statusCode));
    });
    call.once('error', reject).end('{"Description":"new"}');
  });
}

/** Calls that are not answered. @returns for each, what ends it. */
async function hang(api: SimulatedApi, count: number): Promise<(() => Promise<void>)[]> {
  api.configure({ faults: { hang: 1 } });
  const before = api.stats().inFlight;
  const clients = Array.from({ length: count }, () => {
    const client = new AbortController();
    fetch(`${api.url}/ota-tasks/a1`, { method: 'PUT', headers, body: '{}', signal: client.signal }).catch(
      () => {},
    );
    return client;
  });
  await api.waitFor(() => api.stats().inFlight === before + count);
  api.configure({ faults: { hang: 0 } });
  return clients.map((client) => async () => {
    const { inFlight } = api.stats();
    client.abort();
    await api.waitFor(() => api.stats().inFlight === inFlight - 1);
  });
}

test('calls in flight: more are refused until one is answered, or its client has gone', async () => {
  const api = await startApi({ settings: { limit: { kind: 'concurrency', calls: 2 } } });
  const [endOne = async () => {}] = await hang(api, 2);
  expect(await update(api)).toBe(429);
  await endOne();
  expect([await update(api), await update(api)]).toEqual([204, 204]);
});

test('calls in flight: one that an earlier limit let through makes no room in a later one', async () => {
  const limit = { kind: 'concurrency', calls: 1 } as const;
  const api = await startApi({ settings: { limit } });
  const [endEarlier = async () => {}] = await hang(api, 1);
  api.configure({ limit: null });
  api.configure({ limit });
  const [endLater = async () => {}] = await hang(api, 1);
  await endEarlier();
  expect(await update(api)).toBe(429);
  await endLater();
  expect(await update(api)).toBe(204);
});

test('reads that count towards the limit are in flight until they are answered', async () => {
  const api = await startApi({ settings: { limit: { kind: 'concurrency', calls: 1 }, limitReads: true } });
  const read = async () => (await fetch(`${api.url}/ota-tasks/a1`, { headers })).status;
  expect([await read(), await read(), await update(api)]).toEqual([200, 200, 204]);
});

test('front ends: a connection stays at one of them', async () => {
  const limit = { kind: 'window', calls: 2, periodMs: 1000 } as const;
  const api = await startApi({
    settings: { limit: { kind: 'frontEnds', count: 2, sticky: true, limit } },
    elapsed: () => 0,
  });
  const agent = () => new Agent({ keepAlive: true, maxSockets: 1 });
  const [one, other] = [agent(), agent()];
  onTestFinished(() => {
    one.destroy();
    other.destroy();
  });
  expect([await update(api, one), await update(api, one)]).toEqual([204, 429]);
  expect([await update(api, other), await update(api, one)]).toEqual([204, 429]);
});
