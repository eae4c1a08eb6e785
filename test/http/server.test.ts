import { Counter, Registry } from 'prom-client';
import { afterEach, expect, test } from 'vitest';
import { createHttpServer } from '../../src/http/server.ts';
import type { WorkerSnapshot } from '../../src/worker/snapshot.ts';
import { conditionsAt, well } from '../../testing/stages/snapshot.ts';

let now: WorkerSnapshot;
const registry = new Registry();
new Counter({ name: 'tested_total', help: 'A counter.', registers: [registry] }).inc(3);
const app = createHttpServer({ worker: 'w1', snapshot: () => now, registry });
afterEach(() => {
  now = well;
});

now = well;

const since = '1970-01-01T00:00:00.000Z';
const limits = {
  rate: { value: 10, source: 'environment', since },
  concurrency: { value: 50, source: 'environment', since },
};

test('answers 200 on /livez and /readyz when all is well, with caching forbidden', async () => {
  for (const [url, more] of [
    ['/livez', {}],
    [
      '/readyz',
      {
        conditions: [],
        rate: { perSecond: 10, ceiling: 10, budget: 'none', fleet: 'none', apiLimit: null },
        limits,
      },
    ],
  ] as const) {
    const answer = await app.inject({ url });
    expect(answer.statusCode).toBe(200);
    expect(answer.json()).toEqual({ status: 'ok', reasons: [], ...more });
    expect(answer.headers['cache-control']).toBe('no-store');
  }
});

test('answers 503 with the reasons, from the snapshot at the time of the request', async () => {
  now = {
    ...well,
    state: 'draining',
    conditions: conditionsAt({ receiving: 'TimeoutError' }),
    rate: Number.POSITIVE_INFINITY,
    rateCeiling: Number.POSITIVE_INFINITY,
  };
  const ready = await app.inject({ url: '/readyz' });
  expect(ready.statusCode).toBe(503);
  expect(ready.json()).toEqual({
    status: 'not ok',
    reasons: [
      `the worker is draining (since ${since})`,
      `receiving from the queue fails (TimeoutError, since ${since})`,
    ],
    conditions: [
      { condition: 'draining', effect: 'not-ready', since, why: 'the worker is draining' },
      {
        condition: 'receiving',
        effect: 'not-ready',
        since,
        why: 'receiving from the queue fails',
        error: 'TimeoutError',
      },
    ],
    // JSON has no Infinity.
    rate: { perSecond: null, ceiling: null, budget: 'none', fleet: 'none', apiLimit: null },
    limits,
  });
  expect((await app.inject({ url: '/livez' })).statusCode).toBe(200);
  now = { ...well, pollStalledMs: 61_000 };
  expect((await app.inject({ url: '/livez' })).statusCode).toBe(503);
  const stalled = await app.inject({ url: '/readyz' });
  expect(stalled.statusCode).toBe(503);
  expect(stalled.json()).toMatchObject({ conditions: [{ condition: 'polling', effect: 'not-ready' }] });
});

test('serves the registry in the Prometheus text format', async () => {
  const answer = await app.inject({ url: '/metrics' });
  expect(answer.statusCode).toBe(200);
  expect(answer.headers['content-type']).toMatch(/^text\/plain; version=0\.0\.4/);
  expect(answer.body).toContain('tested_total 3');
});

test.each([
  { method: 'GET' as const, url: '/index.html' },
  { method: 'POST' as const, url: '/readyz' },
  { method: 'GET' as const, url: '/metrics/../../etc/passwd' },
])('answers 404 to $method $url', async ({ method, url }) => {
  expect((await app.inject({ method, url })).statusCode).toBe(404);
});

test('answers HEAD as GET, without a body', async () => {
  const answer = await app.inject({ method: 'HEAD', url: '/readyz' });
  expect(answer.statusCode).toBe(200);
  expect(answer.body).toBe('');
});
