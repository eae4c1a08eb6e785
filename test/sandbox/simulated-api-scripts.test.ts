import { describe, expect, test } from 'vitest';
import {
  InvalidSettingsError,
  type ScriptedAnswer,
  type SimulatedApi,
} from '../../src/sandbox/simulated-api/index.ts';
import { apiHeaders as headers, startApi } from '../../testing/stages/api.ts';

const start = startApi;

function put(api: SimulatedApi, identifier: string, init: RequestInit = {}) {
  const url = `${api.url}/ota-tasks/${identifier}`;
  return fetch(url, { method: 'PUT', headers, body: '{"Description":"new"}', ...init });
}

describe('a script', () => {
  test('gives one answer to each call for its Identifier, then normal behaviour resumes', async () => {
    const api = await start();
    api.script('a1', [
      { status: 500, errorType: 'InternalServerException' },
      {
        status: 400,
        errorType: 'ThrottlingException',
        body: { message: 'slow' },
        headers: { 'Retry-After': '2' },
      },
      { status: 502, body: '<html></html>' },
      { status: 204 },
    ]);
    expect((await put(api, 'a2')).status).toBe(204);

    const first = await put(api, 'a1');
    expect([first.status, first.headers.get('x-amzn-errortype')]).toEqual([500, 'InternalServerException']);
    expect(await first.json()).toEqual({ message: 'Scripted InternalServerException' });

    const second = await put(api, 'a1');
    expect([second.status, second.headers.get('retry-after')]).toEqual([400, '2']);
    expect(await second.json()).toEqual({ message: 'slow' });

    const third = await put(api, 'a1');
    expect([third.status, third.headers.get('content-type')]).toEqual([502, 'text/html; charset=utf-8']);

    expect((await put(api, 'a1')).status).toBe(204);
    expect(api.stats()).toMatchObject({ applied: 1, throttled: 1 });
    expect((await put(api, 'a1')).status).toBe(204);
    expect(api.stats().applied).toBe(2);
  });

  test('can apply, reset, apply and reset, or hang', async () => {
    const api = await start({ settings: { down: true } });
    api.script('a1', ['apply', 'reset', 'apply-then-reset', 'hang']);
    expect((await put(api, 'a1')).status).toBe(204);
    await expect(put(api, 'a1')).rejects.toThrow();
    expect(api.stats().applied).toBe(1);
    await expect(put(api, 'a1')).rejects.toThrow();
    expect(api.stats().applied).toBe(2);
    const client = new AbortController();
    const call = put(api, 'a1', { signal: client.signal });
    await api.waitFor(() => api.stats().inFlight === 1);
    client.abort();
    await expect(call).rejects.toThrow();
    expect((await put(api, 'a1')).status).toBe(500);
  });

  test('uses the delay of its answer instead of the latency', async () => {
    const asked: number[] = [];
    const sleep = async (ms: number) => {
      asked.push(ms);
    };
    const api = await start({ sleep, settings: { latency: { minMs: 9, maxMs: 9 } } });
    api.script('a1', [{ status: 204, delayMs: 300 }, { status: 204 }]);
    await put(api, 'a1');
    await put(api, 'a1');
    expect(asked).toEqual([300, 9]);
  });

  test('is replaced by the next script and removed by an empty one', async () => {
    const api = await start();
    api.script('a1', [{ status: 500 }, { status: 500 }]);
    api.script('a1', [{ status: 503 }]);
    expect((await put(api, 'a1')).status).toBe(503);
    api.script('a1', [{ status: 500 }]);
    api.script('a1', []);
    expect((await put(api, 'a1')).status).toBe(204);
  });

  test('is not used up by a request without credentials', async () => {
    const api = await start();
    api.script('a1', [{ status: 500 }]);
    expect((await put(api, 'a1', { headers: {} })).status).toBe(403);
    expect((await put(api, 'a1')).status).toBe(500);
  });

  test('for all calls answers those without one of their own, until it is removed', async () => {
    const api = await start();
    api.scriptAll({ status: 500 });
    api.script('a1', [{ status: 418 }]);
    expect((await put(api, 'a1')).status).toBe(418);
    expect((await put(api, 'a1')).status).toBe(500);
    expect((await put(api, 'a2')).status).toBe(500);
    api.scriptAll(null);
    expect((await put(api, 'a2')).status).toBe(204);
  });

  test.each<[string, unknown]>([
    ['an unknown word', 'explode'],
    ['a status that is none', { status: 99 }],
    ['a header that cannot be sent', { status: 500, headers: { 'a b': 'x' } }],
    ['an unknown field', { status: 500, retryAfter: 1 }],
  ])('with %s is rejected', async (_what, answer) => {
    const api = await start();
    expect(() => api.script('a1', [answer as ScriptedAnswer])).toThrow(InvalidSettingsError);
    expect(() => api.scriptAll(answer as ScriptedAnswer)).toThrow(InvalidSettingsError);
    expect((await put(api, 'a1')).status).toBe(204);
  });
});
