import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { configureHealth, healthOf } from '../../src/commands/health.ts';
import { answerHealth, findHealthSockets, type HealthSocket } from '../../src/commands/health-socket.ts';
import { spawnWorker } from '../../testing/processes/process.ts';
import { runConfigured } from '../../testing/stages/context.ts';
import { type Stage, setStage } from '../../testing/stages/stage.ts';

/** The sockets of this process alone: those of other tests are there, too. */
const socketsOf = (process: number): HealthSocket[] =>
  findHealthSockets('/proc').filter(({ pid }) => pid === process);

/** As a worker with these reasons. */
async function answering(reasons: readonly string[]): Promise<HealthSocket> {
  const id = randomUUID();
  const server = await answerHealth(id, () => reasons);
  onTestFinished(() => void server.close());
  const [found] = findHealthSockets('/proc').filter(({ path }) => path.endsWith(id));
  if (found === undefined) throw new Error('the socket is not found');
  return found;
}

async function serving(onSocket: (socket: Socket) => void): Promise<HealthSocket> {
  const path = `\0${randomUUID()}`;
  const server = createServer(onSocket).listen(path);
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  return { pid: 7, path };
}

const NAME = `worker with process id ${process.pid}`;

describe('health', () => {
  test('is good where no worker runs', async () => {
    expect(await healthOf(() => [])).toBe('no worker runs here');
  });

  test('is what every worker says', async () => {
    const good = await answering([]);
    const bad = await answering(['no poll has finished for 70 s', 'and more']);
    expect(await healthOf(() => [good, good])).toBe(`alive: ${NAME}, ${NAME}`);
    await expect(healthOf(() => [good, bad])).rejects.toMatchObject({
      exitCode: 1,
      message: `${NAME} is not alive: no poll has finished for 70 s; and more\nalive: ${NAME}`,
    });
  });

  test.each<[string, (socket: Socket) => void, number | undefined, string]>([
    ['says nothing in time', () => {}, 20, 'no answer within 0.02 s'],
    ['begins to, and never ends', (socket) => socket.write('alive'), 20, 'no answer within 0.02 s'],
    ['closes', (socket) => socket.end(), undefined, 'it closed the connection'],
    [
      'says what no worker says',
      (socket) => {
        const more = (): void => {
          while (socket.writable && socket.write('x'.repeat(65_536)));
        };
        socket.on('error', () => {}).on('drain', more);
        more();
      },
      undefined,
      'its answer is not one that a worker gives',
    ],
  ])('is bad where a worker %s', async (_, onSocket, patienceMs, why) => {
    const worker = await serving((socket) => {
      onTestFinished(() => void socket.destroy());
      onSocket(socket);
    });
    await expect(healthOf(() => [worker], patienceMs)).rejects.toMatchObject({
      exitCode: 1,
      message: `worker with process id 7 does not answer: ${why}`,
    });
  });

  test('asks again while more ask than the system keeps waiting', async () => {
    const path = `\0${randomUUID()}`;
    const server = createServer((socket) => socket.end('alive')).listen({ path, backlog: 1 });
    await once(server, 'listening');
    onTestFinished(() => void server.close());
    const many = Array.from({ length: 9 }, () => ({ pid: 7, path }));
    expect(await healthOf(() => many)).toMatch(/^alive: /);
  });

  test('is bad where nobody takes connections in time', async () => {
    const path = `\0${randomUUID()}`;
    const server = createServer().listen({ path, backlog: 1 });
    await once(server, 'listening');
    onTestFinished(() => void server.close());
    const sockets = Array.from({ length: 3 }, () => connect(path).on('error', () => {}));
    onTestFinished(() => sockets.forEach((socket) => void socket.destroy()));
    // Within one turn of the event loop nothing is accepted.
    await expect(healthOf(() => [{ pid: 7, path }], 0)).rejects.toThrow(
      /^worker with process id 7 does not answer: no answer within 0 s$/,
    );
  });

  test('has one socket for each worker', async () => {
    const server = await answerHealth('twice', () => []);
    onTestFinished(() => void server.close());
    await expect(answerHealth('twice', () => [])).rejects.toMatchObject({ code: 'EADDRINUSE' });
  });

  test('passes over a worker that has ended meanwhile, and no other', async () => {
    const good = await answering([]);
    const gone = { pid: 7, path: '\0nobody' };
    const looks = [[gone, good], [good]];
    expect(await healthOf(() => looks.shift() ?? [])).toBe(`alive: ${NAME}`);
    await expect(healthOf(() => [gone, good])).rejects.toMatchObject({
      message:
        'worker with process id 7 does not answer: connection refused: nothing listens there (ECONNREFUSED)\n' +
        `alive: ${NAME}`,
    });
  });
});

describe('the sockets of workers', () => {
  const HEADER = 'Num       RefCount Protocol Flags    Type St Inode Path\n';
  const line = (flags: string, name: string): string =>
    `0000000000000000: 00000002 00000000 ${flags} 0001 01 4711${name && ` ${name}`}\n`;
  const [LISTENS, CONNECTED] = ['00010000', '00000000'];

  test.each<[string, string, HealthSocket[]]>([
    [
      'are found',
      line(LISTENS, '@ota-updater/pid:[4026531836]/7/a') +
        line(LISTENS, '@ota-updater/pid:[4026531836]/12/b'),
      [
        { pid: 7, path: '\0ota-updater/pid:[4026531836]/7/a' },
        { pid: 12, path: '\0ota-updater/pid:[4026531836]/12/b' },
      ],
    ],
    [
      'are not those of another container on the same network',
      line(LISTENS, '@ota-updater/pid:[4026532178]/7/a'),
      [],
    ],
    ['are not their connections', line(CONNECTED, '@ota-updater/pid:[4026531836]/7/a'), []],
    ['are not files', line(LISTENS, '/ota-updater/pid:[4026531836]/7/a'), []],
    [
      'are not those of others, or without a name',
      line(LISTENS, '') + line(LISTENS, '@/tmp/.X11-unix/X0') + line(LISTENS, '/run/docker.sock'),
      [],
    ],
  ])('%s', (_, lines, expected) => {
    const proc = mkdtempSync(join(tmpdir(), 'ota-proc-'));
    onTestFinished(() => rmSync(proc, { recursive: true }));
    mkdirSync(join(proc, 'self/ns'), { recursive: true });
    mkdirSync(join(proc, 'net'));
    symlinkSync('pid:[4026531836]', join(proc, 'self/ns/pid'));
    writeFileSync(join(proc, 'net/unix'), HEADER + lines);
    expect(findHealthSockets(proc)).toEqual(expected);
  });
});

describe('a worker process', () => {
  let stage: Stage;
  beforeAll(async () => {
    stage = await setStage();
    return () => stage.strike();
  });
  /** Listens in the worker's process, and never says anything. */
  const silent = "import { createServer } from 'node:net'; createServer(() => {}).listen(0, '127.0.0.1');";

  test.each<[string, Readonly<Record<string, string>>, readonly string[]]>([
    ['on any address', { HTTP_PORT: '0', HTTP_HOST: '0.0.0.0' }, ['--inspect=127.0.0.1:0']],
    [
      'with HTTP_PORT=off, beside what else listens',
      { HTTP_PORT: 'off' },
      ['--import', `data:text/javascript,${encodeURIComponent(silent)}`],
    ],
  ])('is asked, %s', async (_, env, options) => {
    const worker = spawnWorker(stage.environment(env), options);
    await worker.waitForEvent('worker.running');
    const sockets = (): HealthSocket[] => socketsOf(worker.pid);
    expect(sockets()).toHaveLength(1);
    expect(await healthOf(sockets)).toBe(`alive: worker with process id ${worker.pid}`);
    // The command looks at all workers: those of other tests, too, of which one may be stopped at the moment.
    const { stdout, error } = await runConfigured(configureHealth, 'health', []);
    expect(stdout + error).toMatch(new RegExp(`^alive: .*worker with process id ${worker.pid}\\b`, 'm'));

    worker.kill('SIGSTOP');
    await expect(healthOf(sockets, 50)).rejects.toThrow(/does not answer: no answer within/);
    worker.kill('SIGCONT');
    worker.kill('SIGTERM');
    await worker.exited;
    expect(sockets()).toEqual([]);
  });
});
