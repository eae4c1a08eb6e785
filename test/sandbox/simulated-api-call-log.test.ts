import { connect } from 'node:net';
import { describe, expect, test } from 'vitest';
import type { SimulatedApi, SimulatedCall } from '../../src/sandbox/simulated-api/index.ts';
import { apiHeaders as headers, startApi } from '../../testing/stages/api.ts';

const start = startApi;

function put(api: SimulatedApi, identifier: string, body = '{}') {
  return fetch(`${api.url}/ota-tasks/${identifier}`, { method: 'PUT', headers, body });
}

/** A sleep that the test ends for all. */
function heldSleep() {
  let open = () => {};
  const gate = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { sleep: () => gate, open };
}

describe('the stats', () => {
  test('count calls by status, applied updates, and reads separately', async () => {
    const api = await start({ settings: { tasks: { kind: 'listed', identifiers: ['a1'] } } });
    await put(api, 'a1');
    await put(api, 'a2');
    await put(api, 'a1', '{"Description":""}');
    await fetch(`${api.url}/ota-tasks/a1`, { headers });
    await fetch(`${api.url}/ota-tasks`, { headers });
    await fetch(`${api.url}/ota-tasks/a2`, { headers });
    expect(api.stats()).toEqual({
      calls: 3,
      byStatus: { 204: 1, 404: 1, 400: 1 },
      throttled: 0,
      applied: 1,
      inFlight: 0,
      maxInFlight: 1,
      maxInFlightPerIdentifier: 1,
      reads: { calls: 3, byStatus: { 200: 2, 404: 1 } },
    });
  });

  test('have the maximum of calls in flight, in total and per Identifier', async () => {
    const { sleep, open } = heldSleep();
    const api = await start({ sleep, settings: { latency: { minMs: 1, maxMs: 1 } } });
    const calls = ['a1', 'a2', 'a1', 'a3', 'a1'].map((identifier) => put(api, identifier));
    await api.waitFor(() => api.stats().inFlight === 5);
    open();
    await Promise.all(calls);
    expect(api.stats()).toMatchObject({ inFlight: 0, maxInFlight: 5, maxInFlightPerIdentifier: 3 });
  });

  test('do not count calls for one Identifier as concurrent when the client waits or gives up before the next', async () => {
    const api = await start();
    api.script('a1', ['hang', 'apply', 'hang', 'apply']);
    for (let i = 0; i < 2; i += 1) {
      const client = new AbortController();
      const url = `${api.url}/ota-tasks/a1`;
      const hanging = fetch(url, { method: 'PUT', headers, body: '{}', signal: client.signal });
      await api.waitFor(() => api.stats().inFlight === 1);
      client.abort();
      await expect(hanging).rejects.toThrow();
      expect((await put(api, 'a1')).status).toBe(204);
    }
    for (let i = 0; i < 50; i += 1) await put(api, 'a1');
    expect(api.stats().maxInFlightPerIdentifier).toBe(1);
  });
});

describe('the calls', () => {
  test('are recorded in order, with their input, when configured', async () => {
    let now = 100;
    const api = await start({ record: true, now: () => now });
    await put(api, 'a1', '{"Description":"one","TaskConfigurationId":"c1","Other":1}');
    now = 200;
    await put(api, 'a1', '{"Description":"?"}');
    await put(api, 'a2');
    expect(api.callsFor('a1')).toEqual([
      { identifier: 'a1', at: 100, status: 204, input: { Description: 'one', TaskConfigurationId: 'c1' } },
      { identifier: 'a1', at: 200, status: 400, input: { Description: '?' } },
    ]);
    expect(api.callsFor('a2')).toHaveLength(1);
  });

  test('are not recorded otherwise', async () => {
    const api = await start();
    await put(api, 'a1');
    expect(api.callsFor('a1')).toEqual([]);
  });

  test('are reported to listeners until these are removed', async () => {
    const api = await start();
    const heard: SimulatedCall[] = [];
    const leave = api.onCall((call) => heard.push(call));
    api.script('a1', ['reset']);
    await expect(put(api, 'a1')).rejects.toThrow();
    await put(api, 'a2', '{"Description":"x"}');
    leave();
    await put(api, 'a3');
    expect(heard.map(({ identifier, status }) => [identifier, status])).toEqual([
      ['a1', 'reset'],
      ['a2', 204],
    ]);
    expect(heard[1]?.input).toEqual({ Description: 'x' });
  });
});

describe('waitFor', () => {
  test('resolves at once when the predicate already holds', async () => {
    const api = await start();
    await api.waitFor(() => true);
  });

  test('rejects when the predicate throws', async () => {
    const api = await start();
    const waiting = api.waitFor(() => {
      if (api.stats().calls > 0) throw new Error('no good');
      return false;
    });
    await Promise.all([expect(waiting).rejects.toThrow('no good'), put(api, 'a1')]);
  });

  test('rejects when the API is closed', async () => {
    const api = await start();
    const waiting = api.waitFor(() => false);
    await Promise.all([expect(waiting).rejects.toThrow('closed'), api.close()]);
    await expect(api.waitFor(() => false)).rejects.toThrow('closed');
  });
});

describe('close', () => {
  test('ends despite hanging requests, delayed answers and idle connections', async () => {
    const api = await start({ settings: { latency: { minMs: 3_600_000, maxMs: 3_600_000 } } });
    api.script('a1', ['hang']);
    const idle = connect(api.port, '127.0.0.1');
    const closed = new Promise((resolve) => idle.once('close', resolve));
    idle.on('error', () => {});
    await new Promise((resolve) => idle.once('connect', resolve));
    const calls = [put(api, 'a1'), put(api, 'a2')].map((call) => expect(call).rejects.toThrow());
    await api.waitFor(() => api.stats().inFlight === 2);
    await api.close();
    await Promise.all([...calls, closed]);
    await api.close();
    expect(api.stats().inFlight).toBe(0);
    await expect(put(api, 'a3')).rejects.toThrow();
  });
});
