/** `status`: real workers and queues, and what else may answer at a worker's address. */
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Registry } from 'prom-client';
import { expect, onTestFinished, test } from 'vitest';
import { createHttpServer } from '../../src/http/server.ts';
import { askWorkers } from '../../src/status/ask/workers.ts';
import { configureStatus } from '../../src/status/commands/command.ts';
import { sleep } from '../../src/time/clock.ts';
import { fakeContext, runConfigured } from '../../testing/stages/context.ts';
import { useApi } from '../../testing/stages/jobs.ts';
import { setStage } from '../../testing/stages/stage.ts';

const never = new AbortController().signal;

async function listenAs(answer: RequestListener): Promise<string> {
  const server = createServer(answer).listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

test('workers and queues together; without a worker the queues alone; as page and as JSON', async () => {
  const stage = await setStage({ api: { tasks: { kind: 'all', exceptPrefix: 'gone' } } });
  onTestFinished(() => stage.strike());
  useApi(stage.api);
  await stage.worker.start();
  const http = createHttpServer({
    worker: 'w1',
    snapshot: () => stage.worker.snapshot(),
    registry: new Registry(),
  });
  onTestFinished(() => http.close());
  const url = await http.listen({ host: '127.0.0.1', port: 0 });
  await stage.sendUpdates(3);
  await stage.send({ Identifier: 'gone1', Description: 'x' });
  await stage.ended(4);
  const run = async (args: readonly string[], env: Readonly<Record<string, string | undefined>> = {}) => {
    const context = fakeContext({ env: stage.environment(env), sleep });
    const ran = await runConfigured(
      (command, io) => configureStatus(command, io, 0),
      'status',
      args,
      context,
    );
    expect(ran.error).toBe('');
    return { ...ran, exitCode: context.exitCode, context };
  };

  const { stdout, exitCode } = await run(['--workers', `${url},${url}`, '--json', '--dead-letters']);
  expect(exitCode).toBe(0);
  expect(JSON.parse(stdout)).toMatchObject({
    state: 'going',
    workers: [{ ok: true, status: { worker: 'w1', state: 'running', messages: { applied: 3 } } }],
    totals: { applied: 3, deadLettered: 1, deadLetteredByReason: { Rejected: 1 }, redis: { state: 'none' } },
    queues: { deadLetter: { visible: 1 } },
    problems: [],
    next: 'ota-updater dead-letters list --group',
    letters: { matched: 1, groups: [{ reason: 'Rejected', count: 1 }] },
  });
  // The pass left it in place.
  expect((await run(['--workers', url])).stdout).toMatch(
    /dead letters +1 on their queue; since the start Rejected 1/,
  );

  // No worker: what the queues say; by the variable, and where a worker of this environment would listen.
  const gone = await listenAs((_request, response) => response.writeHead(404).end());
  const alone = await run([], { WORKER_URLS: gone });
  expect(alone.exitCode).toBe(1);
  expect(alone.stdout).toMatch(/^No worker answered: this shows only the queues\.\n/);
  expect(alone.stdout).toContain('it answers GET /status with 404: is it a worker, and of');
  expect((await run([], { HTTP_PORT: new URL(url).port })).exitCode).toBe(0);

  // Neither queues nor workers stop one another.
  const away = { QUEUE_URL: `${stage.sqsUrl}/000000000000/nowhere`, AWS_ENDPOINT_URL_SQS: undefined };
  expect((await run(['--workers', url], away)).stdout).toContain('! update queue: there is no queue');

  const page = await fetch(`${url}/`);
  expect(page.headers.get('content-security-policy')).toMatch(/^default-src 'none'; style-src 'sha256-/);
  expect(await page.text()).toMatch(/<h1>[^<]+<\/h1>[\s\S]*since the start Rejected 1/);
});

test('what is no worker is told as that, within its time and size; a name is asked for at each address', async () => {
  const worker = await setStage();
  onTestFinished(() => worker.strike());
  const http = createHttpServer({
    worker: 'w1',
    snapshot: () => worker.worker.snapshot(),
    registry: new Registry(),
  });
  onTestFinished(() => http.close());
  const url = await http.listen({ host: '127.0.0.1', port: 0 });
  const urls = await Promise.all(
    [
      (_: unknown, response: Parameters<RequestListener>[1]) => response.end('<html>captive</html>'),
      (_: unknown, response: Parameters<RequestListener>[1]) => response.end('x'.repeat(3_000_000)),
      (_: unknown, response: Parameters<RequestListener>[1]) =>
        response.writeHead(302, { location: url }).end(),
      (_: unknown, response: Parameters<RequestListener>[1]) => response.destroy(),
    ].map(listenAs),
  );
  const asked = await askWorkers(
    [...urls, 'http://127.0.0.1:1', url, 'http://nowhere.invalid'],
    never,
    async (name) => {
      if (name === 'nowhere.invalid') throw Object.assign(new Error('no'), { code: 'ENOTFOUND' });
      return [{ address: name, family: 4 }];
    },
  );
  expect(asked.map((each) => (each.ok ? 'ok' : each.why))).toEqual([
    expect.stringContaining('not JSON'),
    expect.stringContaining('too long'),
    'it answers GET /status with 302',
    expect.stringMatching(/socket hang up|closed the connection/),
    expect.stringContaining('ECONNREFUSED'),
    'ok',
    expect.stringContaining('the name was not resolved'),
  ]);
  const port = new URL(url).port;
  const named = await askWorkers([`http://workers.test:${port}`], never, async () =>
    ['127.0.0.1', '127.0.0.2', '127.0.0.1'].map((address) => ({ address, family: 4 })),
  );
  expect(named.map(({ where, ok }) => [where, ok])).toEqual([
    [`127.0.0.1:${port}`, true],
    [`127.0.0.2:${port}`, false],
  ]);
});

test('a watch goes on showing it until Ctrl-C', async () => {
  let looks = 0;
  const url = await listenAs((_request, response) => {
    looks++;
    if (looks === 2) context.signal('SIGINT');
    response.writeHead(404).end();
  });
  const context = fakeContext({ env: { WORKER_URLS: url, LANG: 'C' }, sleep: async () => {} });
  await runConfigured(
    (command, io) => configureStatus(command, io, 0),
    'status',
    ['--watch', '--json'],
    context,
  );
  expect(context.exitCode).toBe(130);
  expect(
    context.output.stdout
      .trim()
      .split('\n')
      .map((each) => JSON.parse(each).state),
  ).toEqual(['unknown']);
});
