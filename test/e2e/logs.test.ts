/** The log of the `worker` command has what operators search for, and no secrets. */
import { afterEach, describe, expect, onTestFinished, test } from 'vitest';
import type { SimulatedApiSettingsInput } from '../../src/sandbox/simulated-api/index.ts';
import { spawnWorker } from '../../testing/processes/process.ts';
import { type RunningWorker, runWorker } from '../../testing/processes/worker.ts';
import { type SqsProxy, sqsError, startSqsProxy } from '../../testing/sqs/proxy.ts';
import { recordOf, type Stage, setStage } from '../../testing/stages/stage.ts';

let stage: Stage;
let proxy: SqsProxy;
let worker: RunningWorker;
afterEach(() => stage.strike());

const SECRETS = {
  AWS_ACCESS_KEY_ID: 'AKIDTESTLOGS',
  AWS_SECRET_ACCESS_KEY: 'TheSecretAccessKeyOfTheTests',
  AWS_SESSION_TOKEN: 'TheSessionTokenOfTheTests',
};

async function setUp(
  env: Record<string, string> = {},
  api: SimulatedApiSettingsInput = {},
): Promise<() => void> {
  stage = await setStage({ api });
  proxy = await startSqsProxy(stage.sqsUrl);
  onTestFinished(() => proxy.close());
  return () => {
    const own = { AWS_ENDPOINT_URL_SQS: proxy.url, LOG_LEVEL: 'info', HTTP_PORT: 'off', ...SECRETS };
    worker = runWorker(stage.environment({ ...own, ...env }));
  };
}

const drained = (): boolean => stage.left().ready + stage.left().inFlight === 0;

async function stop(): Promise<void> {
  worker.kill('SIGTERM');
  expect(await worker.exited).toEqual({ code: 0, signal: null });
}

/** Any output: only JSON lines, no secrets, no characters that a terminal interprets. */
function expectCleanOutput(): void {
  const { stdout, stderr } = worker.raw();
  expect(stderr).toBe('');
  for (const line of stdout.trimEnd().split('\n')) {
    expect(() => JSON.parse(line)).not.toThrow();
    expect(line).not.toMatch(/[\p{Cc}\p{Bidi_Control}\u2028\u2029\ufeff]/u);
  }
  for (const secret of [SECRETS.AWS_SECRET_ACCESS_KEY, SECRETS.AWS_SESSION_TOKEN]) {
    expect(stdout).not.toContain(secret);
  }
}

const events = (event: string): readonly Readonly<Record<string, unknown>>[] =>
  worker.lines().filter((line) => line.event === event);

describe('the log of a worker', () => {
  test('has the ids, the reason and the AWS request id of every update that failed', async () => {
    const start = await setUp(
      { LOG_LEVEL: 'debug', METRICS: 'emf' },
      { tasks: { kind: 'all', exceptPrefix: 'unknown' } },
    );
    stage.api.script('flaky', [{ status: 500, errorType: 'InternalServerException' }]);
    const ids = { JobId: 'job-1', RequestId: 'row-1' };
    await stage.send(
      { Identifier: 'flaky', Description: 'x', ...ids },
      { Identifier: 'unknown1', Description: 'x', JobId: 'job-1', RequestId: 'row-2' },
      { Identifier: 'bad', Descripton: 'x', JobId: 'job-1', RequestId: 'row-3' },
    );
    start();
    await worker.waitForLine(drained);
    await stop();
    expectCleanOutput();
    expect(events('call.failed').find((line) => line.identifier === 'flaky')).toMatchObject({
      level: 'debug',
      identifier: 'flaky',
      jobId: 'job-1',
      requestId: 'row-1',
      messageId: expect.stringMatching(/^[0-9a-f-]{36}$/),
      receiveCount: 1,
      attempt: 1,
      failure: 'retryable',
      status: 500,
      errorName: 'InternalServerException',
      errorMessage: 'Scripted InternalServerException',
      awsRequestId: expect.stringMatching(/^[0-9a-f-]{36}$/),
      durationMs: expect.any(Number),
    });
    // The failure was overcome, and its log ends with that.
    const flaky = worker.lines().filter((line) => line.identifier === 'flaky');
    expect(flaky.at(-1)).toMatchObject({ level: 'info', event: 'applied', attempts: 2, requestId: 'row-1' });
    expect(events('summary')).toMatchObject([
      { callErrors: { InternalServerException: 1, ResourceNotFoundException: 1 } },
    ]);
    // For CloudWatch, at the end too.
    expect(events('metrics')).toMatchObject([{ Calls: 3, CallsRetryable: 1, DeadLettersInvalid: 1 }]);
    const letters = await stage.deadLetters();
    const lines = events('dead_letter');
    // One line above debug tells of each.
    const told = worker
      .lines()
      .filter(({ level, identifier }) => level !== 'debug' && identifier !== undefined);
    expect(told).toHaveLength(letters.length + 1);
    expect(lines).toHaveLength(letters.length);
    expect(lines.find((line) => line.identifier === 'unknown1')).toMatchObject({
      level: 'error',
      jobId: 'job-1',
      requestId: 'row-2',
      reason: 'Rejected',
      attempts: 1,
      status: 404,
      errorName: 'ResourceNotFoundException',
      awsRequestId: expect.any(String),
    });
    expect(lines.find((line) => line.identifier === 'bad')).toMatchObject({
      reason: 'Invalid',
      requestId: 'row-3',
      errorName: 'InvalidUpdate',
      errorMessage: expect.stringContaining('unknown field "Descripton"'),
    });
    // The line agrees with the letter.
    expect(lines.map((line) => line.record)).toEqual(expect.arrayContaining(letters.map(recordOf)));
  });

  test('has one line at error for each dead letter, and no others', async () => {
    const start = await setUp({ LOG_LEVEL: 'debug' }, { tasks: { kind: 'all', exceptPrefix: 'unknown' } });
    await stage.sendUpdates(30, 'unknown');
    await stage.sendUpdates(30, 'task');
    start();
    await worker.waitForLine(drained);
    await stop();
    expectCleanOutput();
    const errors = worker.lines().filter((line) => line.level === 'error');
    expect(errors).toHaveLength(30);
    expect(new Set(errors.map((line) => line.event))).toEqual(new Set(['dead_letter']));
    expect(new Set(errors.map((line) => line.identifier)).size).toBe(30);
  });

  test('logs successes at debug only, and their sums at info', async () => {
    const start = await setUp();
    await stage.sendUpdates(30);
    start();
    await stage.api.waitFor(() => stage.api.stats().applied === 30);
    await stop();
    expectCleanOutput();
    expect(worker.lines().map((line) => line.event)).toEqual([
      'worker.starting',
      'worker.running',
      'worker.draining',
      'worker.stopped',
      'summary',
    ]);
    expect(events('summary')).toMatchObject([
      { level: 'info', applied: 30, calls: 30, deadLettered: 0, failed: 0 },
    ]);
  });

  test('has a line for every success at debug', async () => {
    const start = await setUp({ LOG_LEVEL: 'debug' });
    const identifiers = await stage.sendUpdates(30);
    start();
    await worker.waitForLine(drained);
    await stop();
    expectCleanOutput();
    expect(
      events('applied')
        .map((line) => line.identifier)
        .sort(),
    ).toEqual(identifiers.sort());
  });
});

describe('the log has no secrets', () => {
  const token = SECRETS.AWS_SESSION_TOKEN;
  const canonical =
    'The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key ' +
    'and signing method. Consult the service documentation for details.\n\nThe Canonical String for this request ' +
    `should have been\n'PUT\n/ota-tasks/task0\n\nhost:127.0.0.1\nx-amz-security-token:${token}\n\nhost'\n\n` +
    `The String-to-Sign should have been\n'AWS4-HMAC-SHA256\n${token}'`;
  const authorization =
    "Authorization header requires 'Signature' parameter. Authorization=AWS4-HMAC-SHA256 " +
    `Credential=${SECRETS.AWS_ACCESS_KEY_ID}/20261123/eu-west-1/x/aws4_request, Signature=${token}`;

  test.each([
    { name: 'InvalidSignatureException', status: 403, message: canonical },
    { name: 'IncompleteSignatureException', status: 400, message: authorization },
    {
      name: 'ExpiredTokenException',
      status: 403,
      message: 'The security token included in the request is expired',
    },
    { name: 'UnrecognizedClientException', status: 403, message: 'The security token is invalid' },
  ])('when the API answers $name', async ({ name, status, message }) => {
    const start = await setUp({ LOG_LEVEL: 'trace' });
    stage.api.scriptAll({ status, errorType: name, body: { message } });
    await stage.sendUpdates(3);
    start();
    const line = await worker.waitForEvent('gate.misconfigured');
    expect(line).toMatchObject({ level: 'error', errorName: name, status });
    await stop();
    expectCleanOutput();
    expect(stage.left()).toEqual({ ready: 3, inFlight: 0 });
  });

  test.each([
    { operation: 'GetQueueAttributes', event: 'queue.unresolved' },
    { operation: 'ReceiveMessage', event: 'receive.failed' },
    { operation: 'DeleteMessageBatch', event: 'delete.failed' },
    { operation: 'SendMessageBatch', event: 'dead_letter_queue.unreachable' },
  ])('when SQS refuses the signature of $operation', async ({ operation, event }) => {
    const start = await setUp({ LOG_LEVEL: 'trace' });
    await stage.send({ Identifier: 'task1', Description: 'x' }, 'not json');
    proxy.rule = ({ action }, forward) =>
      action === operation ? sqsError(403, 'InvalidSignatureException', canonical) : forward();
    start();
    expect(await worker.waitForEvent(event)).toMatchObject({
      error: { name: 'InvalidSignatureException', status: 403 },
    });
    proxy.behave();
    await worker.waitForLine(drained);
    await stop();
    expectCleanOutput();
  });

  test('when the dead letter quotes one', async () => {
    const start = await setUp({ LOG_LEVEL: 'trace' });
    stage.api.scriptAll({ status: 400, errorType: 'ValidationException', body: { message: canonical } });
    await stage.sendUpdates(1);
    start();
    await worker.waitForEvent('dead_letter');
    await stop();
    expectCleanOutput();
    const letters = await stage.deadLetters();
    expect(JSON.stringify(letters)).not.toContain(token);
  });
});

describe('the log escapes unsafe characters', () => {
  const hostile = 'a\u001b[2Jb\u0007c\u0085d\u009be\u202ef\u2066g\u200fh\u061ci\u2028j\ufeffk\0l';

  test('of an answer of the API', async () => {
    const start = await setUp({ LOG_LEVEL: 'trace' });
    stage.api.scriptAll({ status: 400, errorType: 'ValidationException', body: { message: hostile } });
    await stage.sendUpdates(1);
    start();
    const line = await worker.waitForEvent('dead_letter');
    expect(line.errorMessage).toContain('\u202e');
    await stop();
    expectCleanOutput();
  });

  test('of a message', async () => {
    const start = await setUp({ LOG_LEVEL: 'trace' });
    const bodies: object[] = [
      { [hostile]: 1, Identifier: 'task1', Description: 'x' },
      { Identifier: hostile, Description: 'x', JobId: hostile, RequestId: hostile },
      { Identifier: 'task1', Description: hostile, IssuedAt: hostile },
      JSON.parse('{ "Identifier": "task1", "__proto__": { "x": 1 }, "constructor": 1 }'),
    ];
    await stage.send(...bodies);
    start();
    await worker.waitForLine(drained);
    await stop();
    expectCleanOutput();
    expect(events('dead_letter')).toHaveLength(bodies.length);
  });

  test('of the name of an error', async () => {
    const start = await setUp({ LOG_LEVEL: 'trace' });
    const type = `Evil\u202e\u001b[2J`;
    stage.api.scriptAll({
      status: 400,
      body: { __type: type, message: 'x' },
      headers: { 'content-type': 'application/json' },
    });
    await stage.sendUpdates(1);
    start();
    await worker.waitForEvent('dead_letter');
    await stop();
    expectCleanOutput();
  });
});

describe('a log that nobody reads', () => {
  test('does not stop the work', async () => {
    stage = await setStage();
    const worker = spawnWorker(stage.environment({ LOG_LEVEL: 'debug', HTTP_PORT: 'off' }));
    await worker.waitForEvent('worker.running');
    worker.closeOutput();
    await stage.sendUpdates(50);
    const done = stage.api.waitFor(() => stage.api.stats().applied === 50).then(() => 'applied');
    expect(await Promise.race([done, worker.exited])).toBe('applied');
  });
});
