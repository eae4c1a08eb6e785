/** What a redrive must not do to letters: lose one when it is killed, have one swallowed on FIFO queues. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type FauxqsServer, startFauxqs } from 'fauxqs';
import { afterAll, beforeAll, expect, onTestFinished, test, vi } from 'vitest';
import { systemClock } from '../../src/time/clock.ts';
import { spawnCommand } from '../../testing/processes/process.ts';
import { sqsError, startSqsProxy } from '../../testing/sqs/proxy.ts';
import { runLetters } from '../../testing/stages/letters.ts';
import { credentials, REGION } from '../../testing/stages/stage.ts';

let sqs: FauxqsServer;
let sqsUrl: string;
let folder: string;

beforeAll(async () => {
  sqs = await startFauxqs({ port: 0, logger: false, host: '127.0.0.1', defaultRegion: REGION });
  sqsUrl = `http://127.0.0.1:${sqs.port}`;
  folder = mkdtempSync(join(tmpdir(), 'letters-'));
  vi.stubEnv('AWS_REGION', REGION);
  vi.stubEnv('AWS_ACCESS_KEY_ID', credentials.accessKeyId);
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', credentials.secretAccessKey);
  vi.stubEnv('AWS_ENDPOINT_URL_SQS', sqsUrl);
});

afterAll(async () => {
  vi.unstubAllEnvs();
  await sqs.stop();
  rmSync(folder, { recursive: true });
});

const environment = (source: string, dead: string, endpoint = sqsUrl): Record<string, string> => ({
  QUEUE_URL: `${sqsUrl}/000000000000/${source}`,
  DEAD_LETTER_QUEUE_URL: `${sqsUrl}/000000000000/${dead}`,
  STATE_DIR: folder,
  AWS_REGION: REGION,
  AWS_ACCESS_KEY_ID: credentials.accessKeyId,
  AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
  AWS_ENDPOINT_URL_SQS: endpoint,
});

const update = (Identifier: string, Description = 'x'): string => JSON.stringify({ Identifier, Description });

/** Bodies on a queue, visible or not, in order. */
function bodies(name: string): string[] {
  const { ready = [], inflight = [] } = sqs.inspectQueue(name)?.messages ?? {};
  return [...ready, ...inflight.map(({ message }) => message)].map(({ body }) => body);
}

const doIt = ['redrive', '--all', '--yes', '--reason', 'test'];

test('a redrive killed between sending and deleting loses no letter', async () => {
  sqs.createQueue('killed', { region: REGION });
  sqs.createQueue('killed-dead', { region: REGION });
  const all = Array.from({ length: 60 }, (_, i) => update(`task${i}`));
  for (const body of all) sqs.sendMessage('killed-dead', body);
  const proxy = await startSqsProxy(sqsUrl);
  onTestFinished(() => proxy.close());
  const deletes = (): number => proxy.count('DeleteMessageBatch');
  proxy.rule = ({ action }, forward) =>
    action === 'DeleteMessageBatch' && deletes() > 2 ? 'hang' : forward();
  const command = spawnCommand(['dead-letters', ...doIt], environment('killed', 'killed-dead', proxy.url));
  await proxy.waitFor(() => deletes() > 2);
  command.signal('SIGKILL');
  await command.exited;
  const [source, dead] = [bodies('killed'), bodies('killed-dead')];
  expect(source.length).toBeGreaterThanOrEqual(30);
  expect(new Set([...source, ...dead])).toEqual(new Set(all));
  // Only the batch under way is on both.
  expect(source.length + dead.length - all.length).toBe(10);
});

test('on FIFO queues letters keep group and order, and one that comes back within minutes is delivered', async () => {
  const attributes = { FifoQueue: 'true' };
  sqs.createQueue('orders.fifo', { region: REGION, attributes });
  sqs.createQueue('orders-dead.fifo', { region: REGION, attributes });
  const env = environment('orders.fifo', 'orders-dead.fifo');
  const all = ['a', 'b'].flatMap((id) => [1, 2, 3].map((n) => ({ id, body: update(id, `step ${n}`) })));
  const bury = (round: number): void => {
    for (const [i, { id, body }] of all.entries())
      sqs.sendMessage('orders-dead.fifo', body, {
        messageGroupId: id,
        messageDeduplicationId: `${round}-${i}`,
      });
  };
  bury(1);
  const listed = await runLetters(['list', '--group'], { env });
  expect(listed.stdout).toMatch(/^2 letters seen of about 6$/m);
  expect(listed.stdout).toContain('A FIFO queue');
  expect(await runLetters(doIt, { env })).toMatchObject({ exitCode: 0 });
  bury(2);
  expect(await runLetters(doIt, { env })).toMatchObject({ exitCode: 0 });
  expect(bodies('orders-dead.fifo')).toEqual([]);
  const messages = sqs.inspectQueue('orders.fifo')?.messages.ready ?? [];
  const steps = (id: string): string[] =>
    messages.filter(({ messageGroupId }) => messageGroupId === id).map(({ body }) => body);
  for (const id of ['a', 'b']) {
    const once = all.filter((letter) => letter.id === id).map(({ body }) => body);
    expect(steps(id)).toEqual([...once, ...once]);
  }
});

/** The queues `named` and `named-dead` with a letter, seen through a proxy. */
async function startNamed() {
  for (const name of ['named', 'named-dead']) sqs.createQueue(name, { region: REGION });
  sqs.sendMessage('named-dead', update('task1'));
  const proxy = await startSqsProxy();
  proxy.upstream = sqsUrl;
  vi.stubEnv('AWS_ENDPOINT_URL_SQS', proxy.url);
  onTestFinished(async () => {
    vi.stubEnv('AWS_ENDPOINT_URL_SQS', sqsUrl);
    for (const name of ['named', 'named-dead']) sqs.deleteQueue(name, { region: REGION });
    await proxy.close();
  });
  // With the queues' own URLs the endpoint would be the emulator's.
  const env = { ...environment('named', 'named-dead', proxy.url) };
  for (const name of ['QUEUE_URL', 'DEAD_LETTER_QUEUE_URL'] as const)
    env[name] = env[name]?.replace(sqsUrl, proxy.url) ?? '';
  return { proxy, env };
}

test.each([
  [
    'SendMessageBatch',
    'named',
    /^Stopped: access to \S+\/named is denied: .* sqs:SendMessage and GetQueueAttributes on/m,
  ],
  ['GetQueueAttributes', 'named', /access to \S+\/named is denied: .* sqs:SendMessage/m],
  ['ReceiveMessage', 'named-dead', /access to \S+\/named-dead is denied: .* sqs:ReceiveMessage/m],
  ['DeleteMessageBatch', 'named-dead', /^Stopped: access to \S+\/named-dead is denied: .* DeleteMessage/m],
])('a redrive whose %s on %s is denied names that queue and the permission', async (action, queue, said) => {
  const { proxy, env } = await startNamed();
  const denied = sqsError(403, 'AccessDeniedException', 'no');
  proxy.rule = (request, forward) =>
    request.action === action && request.queue === queue ? denied : forward();
  const { exitCode, stderr } = await runLetters(doIt, { env });
  expect(exitCode).toBe(1);
  expect(stderr).toMatch(said);
});

test.each([
  ['redrive', 'redriven'],
  ['purge', 'deleted'],
])(
  '%s leaves a letter that came after it was agreed to, also in the place of another',
  async (command, done) => {
    const [source, dead] = [`agreed-${command}`, `agreed-${command}-dead`];
    for (const name of [source, dead]) sqs.createQueue(name, { region: REGION });
    sqs.sendMessage(dead, update('shown'));
    let shown = false;
    const { exitCode, stdout } = await runLetters([command, '--all', '--reason', 'test'], {
      env: environment(source, dead),
      typed: `${command} 1\n`,
      onOutput: () => {
        if (shown) return;
        shown = true;
        sqs.reset();
        sqs.sendMessage(dead, update('later'));
      },
    });
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(new RegExp(`^ {2}${done} +0$`, 'm'));
    expect([bodies(source), bodies(dead)]).toEqual([[], [update('later')]]);
  },
);

test('a redrive that leaves letters on both queues ends with an error', async () => {
  const { proxy, env } = await startNamed();
  proxy.rule = ({ action }, forward) =>
    action === 'DeleteMessageBatch'
      ? { status: 200, output: { Failed: [{ Id: '0', Code: 'x', Message: 'no', SenderFault: true }] } }
      : forward();
  const { exitCode, stdout, stderr } = await runLetters(doIt, { env });
  expect(exitCode).toBe(1);
  expect(stdout).toMatch(/^ {2}on both queues +1$/m);
  expect(stderr).toMatch(/^1 letter was put back, but 1 letter could not be deleted .* is on both queues\./m);
});

test("ages of letters, and the time of a changed update, go by SQS's clock and not by this machine's", async () => {
  sqs.createQueue('clock', { region: REGION });
  sqs.createQueue('clock-dead', { region: REGION });
  for (const task of ['a1', 'b2']) sqs.sendMessage('clock-dead', update(task));
  const options = {
    env: environment('clock', 'clock-dead'),
    clock: { ...systemClock, wall: () => Date.now() + 30 * 86_400_000 },
  };
  const old = ['--where', 'older=1d'];
  expect((await runLetters(['purge', ...old, '--yes', '--reason', 'test'], options)).stdout).toMatch(
    /^ {2}deleted +0$/m,
  );
  expect(bodies('clock-dead')).toHaveLength(2);
  await runLetters([...doIt, '--set', 'Description=y'], options);
  const issued = bodies('clock').map((body) =>
    Date.parse((JSON.parse(body) as { IssuedAt: string }).IssuedAt),
  );
  expect(issued).toHaveLength(2);
  for (const at of issued) expect(Math.abs(at - Date.now())).toBeLessThan(60_000);
});
