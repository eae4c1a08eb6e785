import { describe, expect, test } from 'vitest';
import {
  InvalidSettingsError,
  type SimulatedApi,
  type SimulatedApiSettingsPatch,
  startSimulatedApi,
} from '../../src/sandbox/simulated-api/index.ts';
import { startApi } from '../../testing/stages/api.ts';

const start = startApi;

function send(api: SimulatedApi, path: string, body: unknown, headers: Record<string, string> = {}) {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  return fetch(`${api.url}/_sandbox/${path}`, { method: 'PUT', headers, body: text });
}

function update(api: SimulatedApi, identifier: string) {
  const headers = { authorization: 'AWS4-HMAC-SHA256 Credential=sandbox' };
  return fetch(`${api.url}/ota-tasks/${identifier}`, { method: 'PUT', headers, body: '{}' });
}

describe('the settings', () => {
  test('default to an API without limit, latency or fault in which every task exists', async () => {
    const api = await start();
    expect(api.settings).toEqual({
      limit: null,
      limitReads: false,
      retryAfterSeconds: null,
      awsRetryAfterMs: null,
      latency: { minMs: 0, maxMs: 0 },
      latencyPerCallInFlightMs: 0,
      faults: {
        internalError: 0,
        throttle: 0,
        throttleRetryAfterSeconds: null,
        hang: 0,
        reset: 0,
        resetAfterApply: 0,
        html503: 0,
      },
      expiredCredentials: false,
      denied: 'none',
      deniedOperations: [],
      down: false,
      tasks: { kind: 'all', exceptPrefix: null, except: [] },
      configurations: { kind: 'all', exceptPrefix: null },
      refuseUnknownConfigurations: false,
      devices: { perTask: 10, takeSeconds: 20, failures: [] },
    });
  });

  test('keep omitted fields when changed, including single faults', async () => {
    const api = await start({ settings: { down: true, faults: { hang: 0.1, reset: 0.2 } } });
    api.configure({ faults: { reset: 0.3 }, limitReads: true });
    api.configure({ retryAfterSeconds: undefined });
    expect(api.settings).toMatchObject({ down: true, limitReads: true, faults: { hang: 0.1, reset: 0.3 } });
  });

  test.each<[string, unknown]>([
    ['limit.ratePerSecond', { limit: { ratePerSecond: 0, burst: 1 } }],
    ['limit.kind', { limit: { kind: 'windows', calls: 1, periodMs: 1 } }],
    ['limit.calls', { limit: { kind: 'window', calls: 0.5, periodMs: 1 } }],
    ['limit.tickMs', { limit: { ratePerSecond: 1, burst: 1, tickMs: -1 } }],
    ['limit.limit.burst', { limit: { kind: 'frontEnds', count: 2, limit: { ratePerSecond: 1, burst: 0 } } }],
    ['limit.limits.0.calls', { limit: { kind: 'all', limits: [{ kind: 'concurrency', calls: 0 }] } }],
    ['limit.limits', { limit: { kind: 'all', limits: [] } }],
    ['latency.minMs', { latency: { minMs: -1, maxMs: 2 } }],
    ['latency', { latency: { minMs: 3, maxMs: 2 } }],
    ['latency.0.weight', { latency: [{ weight: 0, minMs: 1, maxMs: 2 }] }],
    ['faults', { faults: { hang: 0.6, reset: 0.6 } }],
    ['faults.hang', { faults: { hang: 2 } }],
    ['denied', { denied: 'some' }],
    ['tasks.identifiers.0', { tasks: { kind: 'listed', identifiers: ['a-b'] } }],
    ['value', { dwon: true }],
    ['settings', []],
  ])('reject an invalid %s and stay unchanged', async (where, patch) => {
    const api = await start({ settings: { limitReads: true } });
    const before = api.settings;
    const change = () => api.configure(patch as SimulatedApiSettingsPatch);
    expect(change).toThrow(InvalidSettingsError);
    expect(change).toThrow(`${where}: `);
    expect(api.settings).toBe(before);
  });

  test.each<[object, object]>([
    [
      { ratePerSecond: 5, burst: 1 },
      { kind: 'bucket', ratePerSecond: 5, burst: 1, tickMs: 0 },
    ],
    [
      { kind: 'window', calls: 5, periodMs: 100 },
      { kind: 'window', calls: 5, periodMs: 100, sliding: false },
    ],
    [
      { kind: 'frontEnds', count: 2, limit: { ratePerSecond: 5, burst: 2 } },
      {
        kind: 'frontEnds',
        count: 2,
        sticky: false,
        limit: { kind: 'bucket', ratePerSecond: 5, burst: 2, tickMs: 0 },
      },
    ],
  ])('complete a limit: %j', async (limit, complete) => {
    const api = await start();
    expect((await send(api, 'settings', { limit })).status).toBe(200);
    expect(api.settings.limit).toEqual(complete);
  });

  test('prevent the start when invalid', async () => {
    await expect(startSimulatedApi({ settings: { limit: { ratePerSecond: -1, burst: 1 } } })).rejects.toThrow(
      InvalidSettingsError,
    );
  });

  test('change which tasks exist, and keep updates', async () => {
    const api = await start();
    await update(api, 'a1');
    const updated = api.task('a1');
    api.configure({ tasks: { kind: 'listed', identifiers: ['a2'] } });
    expect(api.task('a1')).toBeUndefined();
    api.configure({ tasks: { kind: 'all' } });
    expect(api.task('a1')).toEqual(updated);
  });
});

describe('over HTTP', () => {
  test('settings are read and changed in part', async () => {
    const api = await start({ settings: { limitReads: true } });
    const answer = await send(api, 'settings', { denied: 'all' });
    expect([answer.status, await answer.json()]).toEqual([200, { ...api.settings }]);
    expect(api.settings).toMatchObject({ denied: 'all', limitReads: true });
    expect(await (await fetch(`${api.url}/_sandbox/settings`)).json()).toEqual({ ...api.settings });
    expect((await update(api, 'a1')).status).toBe(403);
  });

  test('invalid settings are rejected with every problem listed', async () => {
    const api = await start();
    const answer = await send(api, 'settings', { down: 'yes', limit: { ratePerSecond: -1, burst: 0 } });
    expect(answer.status).toBe(400);
    const { faults } = (await answer.json()) as { faults: string[] };
    expect(faults.map((fault) => fault.split(':')[0]).sort()).toEqual([
      'down',
      'limit.burst',
      'limit.ratePerSecond',
    ]);
    expect((await send(api, 'settings', 'no json')).status).toBe(400);
    expect((await send(api, 'settings', '')).status).toBe(400);
  });

  test('scripts are set for an Identifier, or rejected with the problems', async () => {
    const api = await start();
    expect((await send(api, 'script/a1', [{ status: 418 }])).status).toBe(204);
    expect((await update(api, 'a1')).status).toBe(418);
    const refused = await send(api, 'script/a1', [{ status: 1 }]);
    expect(refused.status).toBe(400);
    expect(((await refused.json()) as { faults: string[] }).faults[0]).toMatch(/^0\.status: /);
  });

  test('the stats are those of the API', async () => {
    const api = await start();
    await update(api, 'a1');
    expect(await (await fetch(`${api.url}/_sandbox/stats`)).json()).toEqual(api.stats());
  });

  test('changes require the token if there is one, reads do not', async () => {
    const api = await start({ token: 'secret' });
    for (const path of ['settings', 'script/a1']) {
      expect((await send(api, path, [])).status).toBe(401);
      expect((await send(api, path, [], { authorization: 'Bearer wrong' })).status).toBe(401);
    }
    expect((await send(api, 'settings', { down: true }, { authorization: 'Bearer secret' })).status).toBe(
      200,
    );
    expect((await fetch(`${api.url}/_sandbox/settings`)).status).toBe(200);
  });

  test('the controls work while the API is down', async () => {
    const api = await start({ settings: { down: true, limit: { ratePerSecond: 1, burst: 1 } } });
    expect((await send(api, 'settings', { down: false })).status).toBe(200);
    expect((await update(api, 'a1')).status).toBe(204);
  });
});
