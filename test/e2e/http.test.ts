/** Health and metrics of a worker in each of its states. */
import { once } from 'node:events';
import { connect } from 'node:net';
import { afterEach, describe, expect, onTestFinished, test } from 'vitest';
import type { SimulatedApiSettingsInput } from '../../src/sandbox/simulated-api/index.ts';
import { Child } from '../../testing/processes/child.ts';
import { otaProgram, root, surroundings } from '../../testing/processes/ota.ts';
import { type RunningWorker, runWorker } from '../../testing/processes/worker.ts';
import { type SqsProxy, shortPolls, startSqsProxy } from '../../testing/sqs/proxy.ts';
import { type Stage, type StageOptions, setStage } from '../../testing/stages/stage.ts';

let stage: Stage;
let proxy: SqsProxy;
let worker: RunningWorker;
afterEach(() => stage.strike());

async function setUp(
  env: Record<string, string> = {},
  api: SimulatedApiSettingsInput = {},
  options: StageOptions = {},
): Promise<() => void> {
  stage = await setStage({ api, ...options });
  proxy = await startSqsProxy(stage.sqsUrl);
  onTestFinished(() => proxy.close());
  return () => {
    worker = runWorker(stage.environment({ AWS_ENDPOINT_URL_SQS: proxy.url, LOG_LEVEL: 'debug', ...env }));
  };
}

interface Answer {
  readonly status: number;
  readonly reasons: readonly string[];
}

async function ask(path: 'livez' | 'readyz'): Promise<Answer> {
  const response = await fetch(`${worker.url}/${path}`);
  const body = (await response.json()) as { status: string; reasons: string[] };
  expect(body.status).toBe(response.ok ? 'ok' : 'not ok');
  return { status: response.status, reasons: body.reasons };
}

const alive: Answer = { status: 200, reasons: [] };
const ready: Answer = { status: 200, reasons: [] };
/** Each with the time since when. */
const notReady = (...reasons: string[]): Answer => ({
  status: 503,
  reasons: reasons.map((reason) =>
    expect.stringMatching(`^${reason} \\(since \\d{4}-\\d\\d-\\d\\dT[\\d:.]+Z\\)$`),
  ),
});

describe('a worker', () => {
  test('is alive but not ready while it looks for its queues, and ready once it has found them', async () => {
    const start = await setUp();
    proxy.rule = () => 'hang';
    start();
    await worker.waitForEvent('worker.starting');
    expect(await ask('livez')).toEqual(alive);
    expect(await ask('readyz')).toEqual(
      notReady('the worker is starting', 'the queues have not been found yet'),
    );
    proxy.behave();
    // Requests that hang time out after 10 s.
    await worker.waitForEvent('worker.running');
    expect(await ask('readyz')).toEqual(ready);
  });

  test('is alive but not ready during an API outage, and ready again after it', async () => {
    const start = await setUp({ FAILURE_RUN_LIMIT: '3' }, { down: true });
    await stage.sendUpdates(5);
    start();
    await worker.waitForEvent('gate.outage');
    expect(await ask('livez')).toEqual(alive);
    expect((await ask('readyz')).reasons).toEqual([
      expect.stringMatching(/^calls are paused: API outage \(InternalServerException, since \d.*Z\)$/),
    ]);
    stage.api.configure({ down: false });
    await worker.waitForEvent('gate.open');
    expect(await ask('readyz')).toEqual(ready);
  });

  test('is alive but not ready while the dead-letter queue is unreachable', async () => {
    const start = await setUp();
    await stage.send('not json');
    proxy.rule = ({ queue, action }, forward) =>
      queue === 'dead' && action !== 'GetQueueAttributes' ? 'fail' : forward();
    start();
    await worker.waitForEvent('dead_letter_queue.unreachable');
    expect(await ask('livez')).toEqual(alive);
    const { status, reasons } = await ask('readyz');
    expect(status).toBe(503);
    expect(reasons).toEqual([
      expect.stringMatching(/^the dead-letter queue does not accept letters \(\w+, since \d.*Z\)$/),
    ]);
    proxy.behave();
    await worker.waitForEvent('dead_letter_queue.reachable');
    expect(await ask('readyz')).toEqual(ready);
    await worker.waitForEvent('dead_letter');
  });

  test('is alive but not ready while it drains', async () => {
    const env = { CALL_TIMEOUT_MS: '60000', SHUTDOWN_GRACE_SECONDS: '20' };
    const start = await setUp(env, { latency: { minMs: 1, maxMs: 1 } }, { holdAnswers: true });
    await stage.sendUpdates(1);
    start();
    await stage.api.waitFor(() => stage.api.stats().inFlight === 1);
    worker.kill('SIGTERM');
    await worker.waitForEvent('worker.draining');
    expect(await ask('livez')).toEqual(alive);
    expect(await ask('readyz')).toEqual(notReady('the worker is draining'));
    stage.letAnswer();
  });

  test.each(['reset', 'fail'] as const)(
    'is alive but not ready while it is cut off from SQS (%s), and ready again after it',
    async (treatment) => {
      const start = await setUp();
      proxy.rule = shortPolls;
      start();
      await worker.waitForEvent('worker.running');
      proxy.rule = ({ action }, forward) => (action === 'ReceiveMessage' ? treatment : forward());
      await worker.waitForEvent('receive.failed');
      expect(await ask('livez')).toEqual(alive);
      const { status, reasons } = await ask('readyz');
      expect(status).toBe(503);
      expect(reasons).toEqual([
        expect.stringMatching(/^receiving from the queue fails \(\w+, since \d.*Z\)$/),
      ]);
      proxy.rule = shortPolls;
      await worker.waitForEvent('receive.recovered');
      expect(await ask('readyz')).toEqual(ready);
    },
  );

  test('answers health while all calls hang and all slots are taken', async () => {
    const start = await setUp({ CALL_TIMEOUT_MS: '60000' });
    stage.api.scriptAll('hang');
    await stage.sendUpdates(300);
    start();
    await stage.api.waitFor(() => stage.api.stats().inFlight === 50);
    expect(await ask('livez')).toEqual(alive);
    expect(await ask('readyz')).toEqual(ready);
  });

  test('serves metrics of its work, without unbounded labels', async () => {
    const start = await setUp({ RATE_LIMIT: '100' }, { tasks: { kind: 'all', exceptPrefix: 'unknown' } });
    const JobId = 'secretJob';
    await stage.send(
      ...Array.from({ length: 20 }, (_, i) => ({ Identifier: `secretTask${i}`, Description: 'x', JobId })),
      { Identifier: 'unknownSecret', Description: 'x', JobId },
      'not json',
    );
    start();
    await worker.waitForLine(() => stage.left().ready + stage.left().inFlight === 0);
    const response = await fetch(`${worker.url}/metrics`);
    expect(response.headers.get('content-type')).toMatch(/^text\/plain/);
    const text = await response.text();
    const value = (name: string): string | undefined =>
      text
        .split('\n')
        .find((line) => line.startsWith(`${name} `))
        ?.slice(name.length + 1);
    expect(value('ota_updater_messages_received_total')).toBe('22');
    expect(value('ota_updater_calls_total{result="applied"}')).toBe('20');
    expect(value('ota_updater_calls_total{result="rejected"}')).toBe('1');
    expect(value('ota_updater_messages_settled_total{disposition="acknowledge",reason=""}')).toBe('20');
    expect(value('ota_updater_messages_settled_total{disposition="dead-letter",reason="Rejected"}')).toBe(
      '1',
    );
    expect(value('ota_updater_messages_settled_total{disposition="dead-letter",reason="Invalid"}')).toBe('1');
    expect(value('ota_updater_call_duration_seconds_count')).toBe('21');
    expect(value('ota_updater_dwell_seconds_count{disposition="acknowledge"}')).toBe('20');
    expect(value('ota_updater_held_messages')).toBe('0');
    expect(value('ota_updater_rate_limit')).toBe('100');
    expect(value('ota_updater_gate{state="open"}')).toBe('1');
    expect(value('ota_updater_condition{condition="dead-lettering"}')).toBe('0');
    expect(value('ota_updater_condition{condition="receiving"}')).toBe('0');
    expect(text).toMatch(/^process_cpu_seconds_total /m);
    expect(text).not.toMatch(/secret/i);
  });

  test('listens on no port with HTTP_PORT=off', async () => {
    const start = await setUp({ HTTP_PORT: 'off' });
    start();
    await worker.waitForEvent('worker.running');
    expect(worker.lines().filter((line) => line.event === 'http.listening')).toEqual([]);
  });

  test('calls the API while more clients than it has descriptors drip their requests', async () => {
    stage = await setStage();
    const program = [process.execPath, ...otaProgram(), 'worker'];
    const child = Child.start('bash', ['-c', 'ulimit -n 256; exec "$0" "$@"', ...program], {
      cwd: root,
      env: { ...surroundings, ...stage.environment({ HTTP_PORT: '0' }) },
      keepOutput: true,
    });
    onTestFinished(() => child.end());
    const port = await child.find((line) => /"http:\/\/127\.0\.0\.1:(\d+)"/.exec(line)?.[1]);
    await child.find((line) => (line.includes('"worker.running"') ? true : undefined));
    const clients = await Promise.all(
      Array.from({ length: 400 }, async () => {
        const socket = connect(Number(port), '127.0.0.1').on('error', () => {});
        onTestFinished(() => void socket.destroy());
        await once(socket, 'connect');
        socket.write('GET /livez HTTP/1.1\r\nX-Slow: ');
        return socket;
      }),
    );
    await stage.sendUpdates(20);
    await stage.api.waitFor(() => stage.api.stats().applied === 20);
    expect((await fetch(`http://127.0.0.1:${port}/readyz`)).status).toBe(200);
    expect(child.output.stdout).not.toContain('EMFILE');
    expect(clients.some((socket) => !socket.closed)).toBe(true);
    child.signal('SIGTERM');
    expect(await child.exited).toEqual({ code: 0, signal: null });
  });

  test('stops with exit code 0 while a client of /metrics keeps its connection', async () => {
    const start = await setUp();
    start();
    await worker.waitForEvent('worker.running');
    // Node's fetch keeps the connection alive after the answer.
    await (await fetch(`${worker.url}/metrics`)).text();
    worker.kill('SIGTERM');
    expect(await worker.exited).toEqual({ code: 0, signal: null });
  });
});
