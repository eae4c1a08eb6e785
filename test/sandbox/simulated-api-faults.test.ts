import { describe, expect, test } from 'vitest';
import type {
  SimulatedApi,
  SimulatedApiOptions,
  SimulatedApiSettingsInput,
} from '../../src/sandbox/simulated-api/index.ts';
import { apiHeaders as headers, startApi } from '../../testing/stages/api.ts';

async function start(settings: SimulatedApiSettingsInput, options: SimulatedApiOptions = {}) {
  return startApi({ ...options, settings });
}

function put(api: SimulatedApi, identifier = 'a1', init: RequestInit = {}) {
  const url = `${api.url}/ota-tasks/${identifier}`;
  return fetch(url, { method: 'PUT', headers, body: '{"Description":"new"}', ...init });
}

async function nameOf(response: Promise<Response>): Promise<string> {
  const answer = await response;
  return `${answer.status} ${answer.headers.get('x-amzn-errortype')}`;
}

function read(api: SimulatedApi, path: string) {
  return fetch(`${api.url}${path}`, { headers });
}

/** A sleep that the test ends. */
function manualSleep() {
  const sleeping: { readonly ms: number; readonly wake: () => void }[] = [];
  const sleep = (ms: number) =>
    new Promise<void>((wake) => {
      sleeping.push({ ms, wake });
    });
  return { sleep, sleeping };
}

describe('the limit', () => {
  test('answers 429 beyond the burst, and accepts calls again at its rate, also while the wall clock goes back', async () => {
    let now = 0;
    const api = await start(
      { limit: { ratePerSecond: 2, burst: 3 } },
      { elapsed: () => now, now: () => -now },
    );
    const statuses: number[] = [];
    for (let i = 0; i < 5; i += 1) statuses.push((await put(api)).status);
    expect(statuses).toEqual([204, 204, 204, 429, 429]);
    now += 500;
    expect((await put(api)).status).toBe(204);
    expect(await nameOf(put(api))).toBe('429 ThrottlingException');
    expect(api.stats()).toMatchObject({ throttled: 3, applied: 4 });
  });

  test('sends Retry-After only when configured', async () => {
    const api = await start({ limit: { ratePerSecond: 1, burst: 1 } }, { elapsed: () => 0 });
    await put(api);
    expect((await put(api)).headers.get('retry-after')).toBeNull();
    api.configure({ retryAfterSeconds: 7 });
    expect((await put(api)).headers.get('retry-after')).toBe('7');
  });

  test('sends x-amz-retry-after with every 429 when configured', async () => {
    const api = await start({ limit: { ratePerSecond: 1, burst: 1 } }, { elapsed: () => 0 });
    await put(api);
    expect((await put(api)).headers.get('x-amz-retry-after')).toBeNull();
    api.configure({ awsRetryAfterMs: 1_500 });
    expect((await put(api)).headers.get('x-amz-retry-after')).toBe('1500');
    api.configure({ limit: null, faults: { throttle: 1 } });
    expect((await put(api)).headers.get('x-amz-retry-after')).toBe('1500');
  });

  test('does not count reads unless configured', async () => {
    const api = await start({ limit: { ratePerSecond: 1, burst: 1 } }, { elapsed: () => 0 });
    await put(api);
    expect((await read(api, '/ota-tasks/a1')).status).toBe(200);
    api.configure({ limitReads: true });
    expect(await nameOf(read(api, '/ota-tasks/a1'))).toBe('429 ThrottlingException');
    expect(await nameOf(read(api, '/ota-tasks'))).toBe('429 ThrottlingException');
  });

  test('can be removed and set again at run time', async () => {
    const api = await start({ limit: { ratePerSecond: 1, burst: 1 } }, { elapsed: () => 0 });
    await put(api);
    api.configure({ limit: null });
    expect((await put(api)).status).toBe(204);
    api.configure({ limit: { ratePerSecond: 1, burst: 1 } });
    expect([(await put(api)).status, (await put(api)).status]).toEqual([204, 429]);
  });

  test('applies before validation and after denial', async () => {
    const api = await start({ limit: { ratePerSecond: 1, burst: 1 }, denied: ['a2'] }, { elapsed: () => 0 });
    await put(api);
    expect((await put(api, 'not-valid')).status).toBe(429);
    expect((await put(api, 'a2')).status).toBe(403);
  });
});

describe('the switches', () => {
  test('expired credentials refuse every request, including denied ones, until they are renewed', async () => {
    const api = await start({ expiredCredentials: true, denied: 'all' });
    for (const call of [put(api), read(api, '/ota-tasks/a1'), read(api, '/ota-tasks')]) {
      expect(await nameOf(call)).toBe('403 ExpiredTokenException');
    }
    api.configure({ expiredCredentials: false, denied: 'none' });
    expect((await put(api)).status).toBe(204);
  });

  test('denial applies to all, or to the given Identifiers', async () => {
    const api = await start({ denied: ['a1'] });
    expect(await nameOf(put(api, 'a1'))).toBe('403 AccessDeniedException');
    expect(await nameOf(read(api, '/ota-tasks/a1'))).toBe('403 AccessDeniedException');
    expect((await put(api, 'a2')).status).toBe(204);
    expect((await read(api, '/ota-tasks')).status).toBe(200);
    api.configure({ denied: 'all' });
    expect(await nameOf(put(api, 'a2'))).toBe('403 AccessDeniedException');
    expect(await nameOf(read(api, '/ota-tasks'))).toBe('403 AccessDeniedException');
  });

  test('down answers every request by 500', async () => {
    const api = await start({ down: true, expiredCredentials: true });
    for (const call of [put(api), read(api, '/ota-tasks/a1'), read(api, '/ota-tasks')]) {
      expect(await nameOf(call)).toBe('500 InternalServerException');
    }
    api.configure({ down: false, expiredCredentials: false });
    expect((await put(api)).status).toBe(204);
  });
});

describe('a fault', () => {
  test('internalError answers 500 and applies nothing', async () => {
    const api = await start({ faults: { internalError: 1 } });
    expect(await nameOf(put(api))).toBe('500 InternalServerException');
    expect(api.stats().applied).toBe(0);
  });

  test('throttle answers 429, without Retry-After unless there is one', async () => {
    const api = await start({ faults: { throttle: 1 } });
    const answer = await put(api);
    expect([answer.status, answer.headers.get('retry-after')]).toEqual([429, null]);
  });

  test('throttle answers 429 with its Retry-After', async () => {
    const api = await start({ faults: { throttle: 1, throttleRetryAfterSeconds: 3 } });
    const answer = await put(api);
    expect([answer.status, answer.headers.get('retry-after')]).toEqual([429, '3']);
    expect(api.stats().throttled).toBe(1);
  });

  test('html503 answers an HTML page without an error name', async () => {
    const api = await start({ faults: { html503: 1 } });
    const answer = await put(api);
    expect([answer.status, answer.headers.get('x-amzn-errortype')]).toEqual([503, null]);
    expect(answer.headers.get('content-type')).toContain('text/html');
    expect(await answer.text()).toContain('<html>');
  });

  test('reset breaks the connection before anything is applied', async () => {
    const api = await start({ faults: { reset: 1 } });
    await expect(put(api)).rejects.toMatchObject({ cause: { code: 'ECONNRESET' } });
    expect(api.stats()).toMatchObject({ applied: 0, inFlight: 0, byStatus: { reset: 1 } });
  });

  test('resetAfterApply breaks the connection after the update took effect', async () => {
    const api = await start({ faults: { resetAfterApply: 1 } });
    await expect(put(api)).rejects.toMatchObject({ cause: { code: 'ECONNRESET' } });
    expect(api.stats()).toMatchObject({ applied: 1, byStatus: { 'apply-then-reset': 1 } });
    expect(api.task('a1')?.Description).toBe('new');
  });

  test('resetAfterApply answers a request that cannot be applied', async () => {
    const api = await start({ faults: { resetAfterApply: 1 }, tasks: { kind: 'listed', identifiers: [] } });
    expect((await put(api)).status).toBe(404);
  });

  test('hang gives no answer until the client gives up', async () => {
    const api = await start({ faults: { hang: 1 } });
    const client = new AbortController();
    const call = put(api, 'a1', { signal: client.signal });
    await api.waitFor(() => api.stats().byStatus.hang === 1);
    expect(api.stats().inFlight).toBe(1);
    client.abort();
    await expect(call).rejects.toThrow();
    await api.waitFor(() => api.stats().inFlight === 0);
    expect(api.stats().applied).toBe(0);
  });

  test('affects the configured share of calls', async () => {
    const draws = [0.05, 0.15, 0.25, 0.35, 0.99];
    const api = await start(
      { faults: { internalError: 0.1, throttle: 0.1, html503: 0.1 } },
      // The request ids use one random number at the start.
      { random: sequence([0.5, ...draws]) },
    );
    const statuses: number[] = [];
    for (const _ of draws) statuses.push((await put(api)).status);
    expect(statuses).toEqual([500, 429, 503, 204, 204]);
  });

  test('does not affect reads', async () => {
    const api = await start({ faults: { internalError: 1 } });
    expect((await read(api, '/ota-tasks/a1')).status).toBe(200);
  });
});

describe('latency', () => {
  test('grows with the calls that are in flight when a call arrives', async () => {
    const { sleep, sleeping } = manualSleep();
    const api = await start({ latency: { minMs: 20, maxMs: 20 }, latencyPerCallInFlightMs: 1.5 }, { sleep });
    const call = async (count: number) => {
      const answer = put(api);
      await api.waitFor(() => api.stats().calls === count);
      return { answer };
    };
    const first = await call(1);
    const second = await call(2);
    sleeping[0]?.wake();
    await first.answer;
    const third = await call(3);
    expect(sleeping.map(({ ms }) => ms)).toEqual([20, 21.5, 21.5]);
    for (const { wake } of sleeping) wake();
    await Promise.all([second.answer, third.answer]);
  });

  test('is drawn uniformly from its range, and delays the answer, not the update', async () => {
    const { sleep, sleeping } = manualSleep();
    const api = await start({ latency: { minMs: 20, maxMs: 80 } }, { sleep, random: () => 0.5 });
    const call = put(api);
    await api.waitFor(() => api.stats().calls === 1);
    expect(sleeping.map(({ ms }) => ms)).toEqual([50]);
    expect(api.task('a1')?.Description).toBe('new');
    expect(api.stats().inFlight).toBe(1);
    sleeping[0]?.wake();
    expect((await call).status).toBe(204);
    expect(api.stats().inFlight).toBe(0);
  });

  test('is drawn from weighted ranges by their weights', async () => {
    const asked: number[] = [];
    const sleep = async (ms: number) => {
      asked.push(ms);
    };
    const latency = [
      { weight: 9, minMs: 20, maxMs: 80 },
      { weight: 1, minMs: 500, maxMs: 1500 },
    ];
    const api = await start({ latency }, { sleep, random: sequence([0, 0.89, 0.5, 0.91, 0.5]) });
    await put(api);
    await put(api);
    expect(asked).toEqual([50, 1000]);
  });

  test('of zero sets no timer', async () => {
    const { sleep, sleeping } = manualSleep();
    const api = await start({ latency: [{ weight: 1, minMs: 0, maxMs: 0 }] }, { sleep });
    expect((await put(api)).status).toBe(204);
    expect(sleeping).toEqual([]);
  });

  test('can be changed at run time, and delays reads too', async () => {
    const { sleep, sleeping } = manualSleep();
    const api = await start({}, { sleep });
    api.configure({ latency: { minMs: 5, maxMs: 5 } });
    const call = read(api, '/ota-tasks/a1');
    await api.waitFor(() => api.stats().reads.calls === 1);
    expect(sleeping.map(({ ms }) => ms)).toEqual([5]);
    sleeping[0]?.wake();
    expect((await call).status).toBe(200);
  });

  test('does not keep a call in flight after its client has gone', async () => {
    const { sleep, sleeping } = manualSleep();
    const api = await start({ latency: { minMs: 9000, maxMs: 9000 } }, { sleep });
    const client = new AbortController();
    const call = put(api, 'a1', { signal: client.signal });
    await api.waitFor(() => api.stats().inFlight === 1);
    client.abort();
    await expect(call).rejects.toThrow();
    await api.waitFor(() => api.stats().inFlight === 0);
    sleeping[0]?.wake();
    api.configure({ latency: { minMs: 0, maxMs: 0 } });
    expect((await put(api)).status).toBe(204);
    expect(api.stats().inFlight).toBe(0);
  });
});

/** Returns the values in turn. */
function sequence(values: readonly number[]): () => number {
  let index = 0;
  return () => {
    const value = values[index];
    if (value === undefined) throw new Error('asked for more randomness than expected');
    index += 1;
    return value;
  };
}
