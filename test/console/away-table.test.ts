/**
 * Each page and each route of the API, while one of what the console asks is away: it says so and since when, or has nothing to do
 * with it and goes on. Nobody waits again for what is known to be away: it hangs by then, and still everything is answered.
 */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, onTestFinished, test, vi } from 'vitest';
import { workerStatusOf } from '../../src/status/worker-status.ts';
import { openHole } from '../../testing/console/hole.ts';
import { ask, tokens } from '../../testing/console/serve.ts';
import { wholeConsole } from '../../testing/console/whole.ts';
import { useApi } from '../../testing/stages/jobs.ts';
import { well } from '../../testing/stages/snapshot.ts';
import { setStage } from '../../testing/stages/stage.ts';

const at = Date.UTC(2026, 10, 29, 3);
/** For people, and for programs. */
const since = /since 2026-11-29 03:00:00 UTC|"since":"2026-11-29T03:00:00.000Z"/;

/** What the console asks is there, but for what `env` says. */
async function surroundings(env: Record<string, string>): Promise<Record<string, string>> {
  const stage = await setStage();
  onTestFinished(() => stage.strike());
  useApi(stage.api);
  // The SDK reads the process's own.
  const { AWS_ENDPOINT_URL_IOT_MANAGED_INTEGRATIONS: api } = env;
  if (api !== undefined) vi.stubEnv('AWS_ENDPOINT_URL_IOT_MANAGED_INTEGRATIONS', api);
  return stage.environment({ HTTP_PORT: 'off', RETRY_BASE_MS: '1', RETRY_MAX_MS: '1', ...env });
}

const cases = [
  {
    what: 'the ledger',
    env: (port: number) => ({ LEDGER_URL: `postgres://u:p@127.0.0.1:${port}/db` }),
    says: (path: string) =>
      /^\/($|live\/now$|(api\/v1\/|live\/)?(jobs(?!\/new|\/plans)|changes|task|trace)|api\/v1\/status$)/.test(
        path,
      ),
  },
  {
    what: 'SQS',
    env: (port: number) => ({
      AWS_ENDPOINT_URL_SQS: `http://127.0.0.1:${port}`,
      QUEUE_URL: `http://127.0.0.1:${port}/1/updates`,
      DEAD_LETTER_QUEUE_URL: `http://127.0.0.1:${port}/1/dead`,
    }),
    says: (path: string) =>
      /^\/($|live\/now|task$|api\/v1\/(status|dead-letters|trace)$|(live\/)?dead-letters$)/.test(path),
  },
  {
    what: 'workers',
    env: (port: number) => ({ WORKER_URLS: `http://127.0.0.1:${port}` }),
    says: (path: string) => /^\/($|live\/now|api\/v1\/status$)/.test(path),
  },
  {
    what: 'the IoT API',
    env: (port: number) => ({ AWS_ENDPOINT_URL_IOT_MANAGED_INTEGRATIONS: `http://127.0.0.1:${port}` }),
    says: (path: string) => /^\/(task|api\/v1\/trace)$/.test(path),
  },
];

/** With what a path names, and a query that it needs. */
function fill(path: string): string {
  const filled = path
    .replace(':change', '00000000-0000-4000-8000-000000000000')
    .replaceAll(/:\w+/g, '00000000');
  return /^\/(task|api\/v1\/trace)$/.test(path) ? `${filled}?identifier=task1` : filled;
}

test.each(cases)('$what away', async ({ env, says }) => {
  const hole = await openHole();
  let now = at;
  const { url, routes } = await wholeConsole(await surroundings(env(hole.port)), {
    clock: { wall: () => now, monotonic: () => performance.now() * 5 },
  });
  const headers = { authorization: `Bearer ${tokens.ann}` };
  const get = (path: string) => ask(`${url}${fill(path)}`, { headers });
  /** Until a first piece of it is there. */
  const listen = async (path: string): Promise<string> => {
    const gone = new AbortController();
    const answer = await fetch(`${url}${fill(path)}`, {
      headers: { ...headers, accept: 'text/event-stream' },
      signal: gone.signal,
    });
    let text = '';
    for await (const piece of answer.body ?? []) {
      text += new TextDecoder().decode(piece);
      if (text.includes('\n\n')) break;
    }
    gone.abort();
    return text;
  };
  const paths = routes.filter(({ method }) => method === 'GET').map(({ path }) => path);
  const pages = paths.filter((path) => !path.startsWith('/live/'));
  // Found out once: some pages show what a look in the background has found.
  const shown = async (path: string) => await expect.poll(async () => (await get(path)).body).toMatch(since);
  await Promise.all(pages.filter(says).map(shown));
  now += 90_000;
  hole.hang();
  for (const path of pages) {
    const { status, body } = await get(path);
    if (says(path)) expect(body, path).toMatch(since);
    else {
      expect(status, path).toBeLessThan(500);
      expect(body, path).not.toMatch(since);
    }
  }
  for (const path of paths.filter((one) => one.startsWith('/live/') && says(one) && one !== '/live/now'))
    expect(await listen(path), path).toMatch(since);
  for (const { path } of routes.filter(
    ({ method, path }) => method === 'POST' && path.startsWith('/api/v1/jobs'),
  )) {
    const { status, body } = await ask(`${url}${fill(path)}`, {
      headers: { ...headers, 'content-type': 'application/json' },
      method: 'POST',
      body: '{"reason":"because"}',
    });
    if (says(path)) expect([path, status, since.test(body)]).toEqual([path, 503, true]);
    else expect([path, status]).toEqual([path, 404]);
  }
});

test('Redis away is said of the workers that have lost it, and everything goes on', async () => {
  const status = workerStatusOf({ ...well, at, rateBudget: 'alone', rateBudgetSince: at }, 'w1');
  const worker = createServer((_request, response) => {
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify(status));
  });
  await new Promise<void>((resolve) => worker.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void worker.close());
  const { port } = worker.address() as AddressInfo;
  const { url, routes } = await wholeConsole(
    await surroundings({ WORKER_URLS: `http://127.0.0.1:${port}` }),
    { clock: { wall: () => at + 90_000, monotonic: () => performance.now() } },
  );
  const headers = { authorization: `Bearer ${tokens.ann}` };
  expect((await ask(`${url}/`, { headers })).body).toMatch(/1 of 1 worker without it [^<]*03:00:00/);
  const { totals } = JSON.parse((await ask(`${url}/api/v1/status`, { headers })).body);
  expect(totals.redis).toMatchObject({ state: 'lost', since: new Date(at).toISOString() });
  for (const { path } of routes.filter(({ method, path }) => method === 'GET' && !path.startsWith('/live/')))
    expect((await ask(`${url}${fill(path)}`, { headers })).status, path).toBeLessThan(500);
});
