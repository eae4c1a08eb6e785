import { expect, onTestFinished, test } from 'vitest';
import { countsOf } from '../../src/message/devices.ts';
import type { Execution, OtaTask } from '../../src/ota/answers.ts';
import { LocalRateLimiter } from '../../src/ota/rate/limiter.ts';
import { FixedRate } from '../../src/ota/rate/rate-control.ts';
import { OtaReader, type ReadAnswer } from '../../src/ota/reader.ts';
import type {
  SimulatedApiOptions,
  SimulatedApiSettingsInput,
} from '../../src/sandbox/simulated-api/index.ts';
import { systemClock } from '../../src/time/clock.ts';
import { apiHeaders, startApi } from '../../testing/stages/api.ts';
import { credentials, REGION } from '../../testing/stages/stage.ts';

async function start(
  settings: SimulatedApiSettingsInput = {},
  client = {},
  options: SimulatedApiOptions = {},
) {
  const api = await startApi({ settings, ...options });
  const stop = new AbortController();
  const waits: number[] = [];
  const onWait: (() => void)[] = [];
  const away: (string | undefined)[] = [];
  const reader = new OtaReader({
    callTimeoutMs: 20_000,
    maxSockets: 5,
    client: { region: REGION, credentials, endpoint: api.url, ...client },
    limiter: new LocalRateLimiter(Number.POSITIVE_INFINITY),
    rate: new FixedRate(Number.POSITIVE_INFINITY),
    retry: { baseMs: 10, maxMs: 50, maxAttempts: 3 },
    clock: systemClock,
    random: () => 0.5,
    sleep: async (ms) => {
      waits.push(ms);
      for (const listener of onWait.splice(0)) listener();
    },
    signal: stop.signal,
    onAway: (failure) => away.push(failure?.name),
  });
  onTestFinished(() => reader.close());
  return { api, reader, stop, waits, onWait, away };
}

const noDevices = countsOf(() => 0);

test('reads a task', async () => {
  const { api, reader } = await start();
  const { TaskId, Description, TaskConfigurationId, Status, LastUpdatedAt = 0 } = api.task('a1') ?? {};
  expect(await reader.get('a1')).toEqual({
    ok: true,
    value: {
      TaskId,
      Description,
      TaskConfigurationId,
      Status,
      LastUpdatedAt: new Date(LastUpdatedAt * 1_000),
      devices: { ...noDevices, succeeded: 10 },
    },
  });
  expect(reader.calls).toBe(1);
});

test('lists tasks page by page', async () => {
  const { api, reader } = await start({ tasks: { kind: 'numbered', prefix: 'task', count: 1_500 } });
  const tasks: OtaTask[] = [];
  let token: string | undefined;
  do {
    const answer = await reader.list(token);
    if (!answer.ok) throw new Error(answer.failure.message);
    tasks.push(...answer.value.tasks);
    token = answer.value.nextToken;
  } while (token !== undefined);
  expect(tasks.map(({ TaskId }) => TaskId)).toEqual(Array.from({ length: 1_500 }, (_, i) => `task${i + 1}`));
  const { TaskId, TaskConfigurationId, Status } = api.task('task1500') ?? {};
  expect(tasks.at(-1)).toEqual({ TaskId, TaskConfigurationId, Status });
  expect(reader.calls).toBe(2);
});

/** Of all pages. */
async function all<Page extends { readonly nextToken?: string }>(
  read: (token: string | undefined) => Promise<ReadAnswer<Page>>,
): Promise<Page[]> {
  const pages: Page[] = [];
  do {
    const answer = await read(pages.at(-1)?.nextToken);
    if (!answer.ok) throw new Error(answer.failure.message);
    pages.push(answer.value);
  } while (pages.at(-1)?.nextToken !== undefined);
  return pages;
}

test('counts the devices of a task by state, and lists them page by page', async () => {
  let now = 1_700_000_000_000;
  const failures = [{ configuration: 'bad', share: 1, afterSeconds: 30 }];
  const { api, reader } = await start(
    { devices: { perTask: 1_500, takeSeconds: 10, failures } },
    {},
    { now: () => now },
  );
  await fetch(`${api.url}/ota-tasks/a1`, {
    method: 'PUT',
    headers: apiHeaders,
    body: '{"TaskConfigurationId":"bad"}',
  });
  now += 29_999;
  expect(await reader.get('a1')).toMatchObject({
    value: { devices: { ...noDevices, 'in-progress': 1_500 } },
  });
  now += 1;
  expect(await reader.get('a1')).toMatchObject({ value: { devices: { ...noDevices, failed: 1_500 } } });
  const pages = await all((token) => reader.executions('a1', token));
  const executions: Execution[] = pages.flatMap((page) => [...page.executions]);
  expect(pages).toHaveLength(2);
  expect(executions).toHaveLength(1_500);
  expect(executions.at(-1)).toEqual({
    thing: 'a1-1500',
    state: 'failed',
    retryAttempt: 0,
    lastUpdatedAt: new Date(now),
  });
});

test('lists, reads and creates task configurations', async () => {
  const { reader } = await start();
  const push = { TimeoutConfig: { InProgressTimeoutInMinutes: 7 } };
  const wanted = { Name: 'Slow', PushConfig: push, ClientToken: 'once' };
  const created = await reader.createConfiguration(wanted);
  expect(await reader.createConfiguration(wanted)).toEqual(created);
  if (!created.ok) throw new Error(created.failure.message);
  expect(await reader.configuration(created.value)).toEqual({
    ok: true,
    value: {
      TaskConfigurationId: created.value,
      Name: 'Slow',
      CreatedAt: expect.any(Date),
      PushConfig: push,
    },
  });
  const listed = (await all((token) => reader.configurations(token))).flatMap((page) => page.configurations);
  expect(listed.map(({ TaskConfigurationId }) => TaskConfigurationId)).toEqual([
    ...Array.from({ length: 10 }, (_, i) => `cfgA${i}`),
    created.value,
  ]);
});

test('answers a configuration that does not exist, and a token with other values, with the failure', async () => {
  const { reader } = await start({ configurations: { kind: 'listed', ids: ['cfgA1'] } });
  expect(await reader.configuration('cfgA1')).toMatchObject({ ok: true });
  expect(await reader.configuration('cfgA2')).toMatchObject({
    ok: false,
    failure: { kind: 'rejected', status: 404, name: 'ResourceNotFoundException' },
  });
  await reader.createConfiguration({ Name: 'a', ClientToken: 'once' });
  expect(await reader.createConfiguration({ Name: 'b', ClientToken: 'once' })).toMatchObject({
    ok: false,
    failure: { name: 'ConflictException', status: 409 },
  });
});

test.each<[string, SimulatedApiSettingsInput, string, object, number]>([
  [
    'a task that does not exist',
    { tasks: { kind: 'listed', identifiers: [] } },
    'a1',
    { kind: 'rejected', status: 404 },
    1,
  ],
  ['a denied task', { denied: 'all' }, 'a1', { kind: 'denied', status: 403 }, 1],
  ['expired credentials', { expiredCredentials: true }, 'a1', { kind: 'misconfigured' }, 1],
  ['an API that is down', { down: true }, 'a1', { kind: 'retryable', status: 500 }, 3],
])(
  'answers %s with the failure, after the right number of calls',
  async (_what, settings, id, failure, calls) => {
    const { reader } = await start(settings);
    expect(await reader.get(id)).toMatchObject({ ok: false, failure });
    expect(reader.calls).toBe(calls);
  },
);

test('retries what may be over with the next attempt: no connection', async () => {
  const { api, reader } = await start();
  await api.close();
  expect(await reader.get('a1')).toMatchObject({ ok: false, failure: { kind: 'unreachable' } });
  expect(reader.calls).toBe(3);
});

test('retries throttled calls without limit, after the Retry-After of the API', async () => {
  const { api, reader, waits } = await start({
    limit: { ratePerSecond: 1e-9, burst: 1 },
    limitReads: true,
    retryAfterSeconds: 7,
  });
  expect(await reader.get('a1')).toMatchObject({ ok: true });
  const second = reader.get('a1');
  await api.waitFor(() => api.stats().reads.calls > 8);
  api.configure({ limit: null });
  expect(await second).toMatchObject({ ok: true });
  expect(waits.length).toBeGreaterThan(5);
  expect(new Set(waits)).toEqual(new Set([7_000]));
});

test('no read begins any more when the API has named a time to three tasks in a row', async () => {
  const { api, reader, stop, waits } = await start({
    limit: { ratePerSecond: 1e-9, burst: 1 },
    limitReads: true,
    retryAfterSeconds: 60,
  });
  expect(await reader.get('a0')).toMatchObject({ ok: true });
  const reads = Array.from({ length: 20 }, (_, i) => reader.get(`b${i}`));
  // The wait of each is skipped here: without a hold, reads would begin without end.
  let begun: number;
  do {
    begun = reader.calls;
    for (let i = 0; i < 20; i++) await fetch(`${api.url}/_sandbox/stats`);
  } while (reader.calls > begun);
  expect(waits.length).toBeGreaterThanOrEqual(3);
  stop.abort();
  await Promise.all(reads);
});

test('reads an answer that is not a task as unidentified', async () => {
  const { createServer } = await import('node:http');
  const proxy = createServer((_request, response) => {
    response.writeHead(200, { 'content-type': 'application/json' }).end('{}');
  });
  await new Promise<void>((resolve) => void proxy.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void proxy.close());
  const address = proxy.address();
  const port = typeof address === 'object' ? address?.port : undefined;
  const { reader } = await start({}, { endpoint: `http://127.0.0.1:${port}` });
  expect(await reader.get('a1')).toMatchObject({ ok: false, failure: { kind: 'unidentified' } });
});

test('tells what comes instead of answers while it asks again, and once that the API has answered since', async () => {
  const { createServer } = await import('node:http');
  let answers = 0;
  const server = createServer((_request, response) => {
    const isThere = ++answers > 2;
    response.writeHead(isThere ? 200 : 500, { 'content-type': 'application/json' });
    response.end(JSON.stringify(isThere ? { TaskId: 'a1' } : { message: 'broken' }));
  });
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  const address = server.address();
  const port = typeof address === 'object' ? address?.port : undefined;
  const { reader, away } = await start({}, { endpoint: `http://127.0.0.1:${port}` });
  expect(await reader.get('a1')).toMatchObject({ ok: true });
  expect(await reader.get('a1')).toMatchObject({ ok: true });
  expect(away).toEqual([expect.any(String), expect.any(String), undefined]);
});

test('ends all reads at once when it is aborted: in flight, waiting and later ones', async () => {
  const { api, reader, stop } = await start({ latency: { minMs: 60_000, maxMs: 60_000 } });
  const reads = Array.from({ length: 8 }, (_, i) => reader.get(`a${i}`));
  await api.waitFor(() => api.stats().reads.calls === 5);
  stop.abort();
  reads.push(reader.get('later'));
  for (const answer of await Promise.all(reads)) {
    expect(answer).toMatchObject({ ok: false, failure: { name: 'AbortError' } });
  }
  expect(api.stats().reads.calls).toBe(5);
});
