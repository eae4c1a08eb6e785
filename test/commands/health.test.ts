import { once } from 'node:events';
import { createServer } from 'node:http';
import { type AddressInfo, createServer as createTcpServer, type Server } from 'node:net';
import { networkInterfaces } from 'node:os';
import { beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { configureHealth, healthOf } from '../../src/commands/health.ts';
import { findWorkers } from '../../src/commands/running-workers.ts';
import { spawnWorker } from '../../testing/processes/process.ts';
import { runConfigured } from '../../testing/stages/context.ts';
import { type Stage, setStage } from '../../testing/stages/stage.ts';

/** As a worker answers, unless `type` says otherwise. */
async function answering(status: number, type = 'application/json; charset=utf-8'): Promise<string> {
  return await listening(
    createServer((_, response) => response.writeHead(status, { 'content-type': type }).end('the reasons')),
  );
}

async function listening(server: Server): Promise<string> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}

describe('health', () => {
  test('is good where no worker runs, or one that listens nowhere', async () => {
    expect(await healthOf([])).toBe('no worker runs here');
    expect(await healthOf([{ pid: 1, listensAt: [] }])).toMatch(/listens nowhere/);
  });

  test('is what every worker says', async () => {
    const good = await answering(200);
    const bad = await answering(503);
    expect(await healthOf([{ pid: 1, listensAt: [good] }])).toBe(`alive: http://${good}/livez`);
    await expect(
      healthOf([
        { pid: 1, listensAt: [good] },
        { pid: 2, listensAt: [bad, '127.0.0.1:1'] },
      ]),
    ).rejects.toMatchObject({
      exitCode: 1,
      message:
        `http://${bad}/livez answers 503: the reasons\n` +
        'http://127.0.0.1:1/livez does not answer: connection refused: nothing listens there (ECONNREFUSED)',
    });
  });
});

describe('what else listens in a worker', () => {
  const speaksOtherwise = () => listening(createTcpServer((socket) => socket.end('SSH-2.0\r\n')));

  test('is passed over', async () => {
    const others = [
      await answering(400, 'text/html'),
      await answering(200, 'text/plain'),
      await speaksOtherwise(),
    ];
    const good = await answering(200);
    expect(await healthOf([{ pid: 1, listensAt: [...others, good, '127.0.0.1:1'] }])).toBe(
      `alive: http://${good}/livez`,
    );
    expect(await healthOf([{ pid: 1, listensAt: others }])).toMatch(/listens nowhere/);
  });

  test('hides no fault of the worker, and none of another', async () => {
    const other = await answering(200, 'text/plain');
    const good = await answering(200);
    const bad = await answering(503);
    await expect(
      healthOf([
        { pid: 1, listensAt: [good] },
        { pid: 2, listensAt: [other, bad] },
      ]),
    ).rejects.toMatchObject({ exitCode: 1, message: `http://${bad}/livez answers 503: the reasons` });
  });
});

describe('a worker process is found', () => {
  let stage: Stage;
  beforeAll(async () => {
    stage = await setStage();
    return () => stage.strike();
  });
  const addresses = Object.values(networkInterfaces()).flatMap((all) => all?.map(({ address }) => address));
  const settings = [
    { HTTP_PORT: '0', HTTP_HOST: addresses.includes('::1') ? '::1' : '127.0.0.1' },
    { HTTP_PORT: '0', HTTP_HOST: '0.0.0.0' },
    { HTTP_PORT: 'off' },
  ];

  test('wherever it listens', async () => {
    const workers = settings.map((env) => spawnWorker(stage.environment(env)));
    await Promise.all(workers.map((worker) => worker.waitForEvent('worker.running')));
    for (const { pid, url } of workers) {
      const found = findWorkers('/proc', [pid]);
      expect(found).toEqual([{ pid, listensAt: url === '' ? [] : [expect.any(String)] }]);
      expect(await healthOf(found)).toMatch(url === '' ? /listens nowhere/ : /^alive: http:/);
    }
    // The inspector listens, too, in a worker that is debugged.
    const debugged = spawnWorker(stage.environment({ HTTP_PORT: '0' }), ['--inspect=127.0.0.1:0']);
    await debugged.waitForEvent('worker.running');
    const [found] = findWorkers('/proc', [debugged.pid]);
    expect(found?.listensAt).toHaveLength(2);
    expect(await healthOf(found === undefined ? [] : [found])).toBe(`alive: ${debugged.url}/livez`);
    // The command looks at all processes: those of other tests, too.
    const { stdout, error } = await runConfigured(configureHealth, 'health', []);
    expect(stdout + error).toMatch(/livez/);
  });
});
