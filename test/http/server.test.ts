import { once } from 'node:events';
import { Counter, Registry } from 'prom-client';
import { afterAll, afterEach, expect, onTestFinished, test } from 'vitest';
import { createHttpServer } from '../../src/http/server.ts';
import type { WorkerSnapshot } from '../../src/worker/snapshot.ts';
import { askServer } from '../../testing/processes/ask-server.ts';
import { conditionsAt, well } from '../../testing/stages/snapshot.ts';

let now: WorkerSnapshot;
const registry = new Registry();
new Counter({ name: 'tested_total', help: 'A counter.', registers: [registry] }).inc(3);
const app = createHttpServer({ worker: 'w1', snapshot: () => now, registry });
afterEach(() => {
  now = well;
});
afterAll(() => app.close());

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
    const answer = await askServer(app, { path: url });
    expect(answer.status).toBe(200);
    expect(JSON.parse(answer.body)).toEqual({ status: 'ok', reasons: [], ...more });
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
  const ready = await askServer(app, { path: '/readyz' });
  expect(ready.status).toBe(503);
  expect(JSON.parse(ready.body)).toEqual({
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
  expect((await askServer(app, { path: '/livez' })).status).toBe(200);
  now = { ...well, pollStalledMs: 61_000 };
  expect((await askServer(app, { path: '/livez' })).status).toBe(503);
  const stalled = await askServer(app, { path: '/readyz' });
  expect(stalled.status).toBe(503);
  expect(JSON.parse(stalled.body)).toMatchObject({
    conditions: [{ condition: 'polling', effect: 'not-ready' }],
  });
});

test('serves the registry in the Prometheus text format', async () => {
  const answer = await askServer(app, { path: '/metrics' });
  expect(answer.status).toBe(200);
  expect(answer.headers['content-type']).toMatch(/^text\/plain; version=0\.0\.4/);
  expect(answer.body).toContain('tested_total 3');
});

test.each([
  { method: 'GET' as const, url: '/index.html' },
  { method: 'POST' as const, url: '/readyz' },
  { method: 'GET' as const, url: '/metrics/../../etc/passwd' },
])('answers 404 to $method $url', async ({ method, url }) => {
  expect((await askServer(app, { method, path: url })).status).toBe(404);
});

test('answers HEAD as GET, without a body', async () => {
  const answer = await askServer(app, { method: 'HEAD', path: '/readyz' });
  expect(answer.status).toBe(200);
  expect(answer.body).toBe('');
});

test('answers whatever the query is', async () => {
  expect((await askServer(app, { path: '/livez?probe=1' })).status).toBe(200);
});

test('answers 500, and goes on, where a page cannot be made', async () => {
  const warned = once(process, 'warning');
  now = undefined as unknown as WorkerSnapshot;
  expect((await askServer(app, { path: '/status' })).status).toBe(500);
  expect(String(await warned)).toContain('TypeError');
  now = well;
  expect((await askServer(app, { path: '/status' })).status).toBe(200);
});

test('listens on one address of localhost, and says where it cannot listen', async () => {
  const options = { worker: 'w1', snapshot: () => well, registry };
  const [one, other] = [createHttpServer(options), createHttpServer(options)];
  onTestFinished(async () => {
    await one.close();
    await other.close();
  });
  const url = await one.listen({ host: 'localhost', port: 0 });
  expect(url).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
  await expect(other.listen({ host: 'localhost', port: Number(new URL(url).port) })).rejects.toThrow(
    'EADDRINUSE',
  );
});
