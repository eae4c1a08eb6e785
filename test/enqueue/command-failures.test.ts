/** `enqueue` against an SQS that fails: an HTTP proxy before the emulator answers as the test says. */
import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough, Readable } from 'node:stream';
import { json, text } from 'node:stream/consumers';
import { parse } from 'csv-parse/sync';
import { type FauxqsServer, startFauxqs } from 'fauxqs';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { configureEnqueue } from '../../src/enqueue/command.ts';
import { LANES, MAX_TRIES } from '../../src/sending/send.ts';
import { fakeContext, runConfigured } from '../../testing/stages/context.ts';

interface Entry {
  Id: string;
  MessageBody: string;
  MessageGroupId?: string;
  MessageDeduplicationId?: string;
}

interface FailedEntry {
  Id: string;
  SenderFault: boolean;
  Code: string;
  Message: string;
}

type Answer =
  | { readonly kind: 'forward'; readonly failed?: (entry: Entry) => Omit<FailedEntry, 'Id'> | undefined }
  | { readonly kind: 'error'; readonly status: number; readonly type: string; readonly message?: string }
  | { readonly kind: 'reset' }
  | { readonly kind: 'text'; readonly text: string };

const forward: Answer = { kind: 'forward' };

const startedAt = Date.parse('2026-11-23T07:00:00Z');

let sqs: FauxqsServer;
let proxy: Server;
let cwd: string;
/** The entries of every request, in order of arrival. */
let requests: Entry[][];
/** Says what becomes of the request with this number, from 1. */
let answer: (request: number) => Answer;

beforeAll(async () => {
  sqs = await startFauxqs({ port: 0, logger: false, host: '127.0.0.1' });
  proxy = createServer(async (request, response) => {
    const body = (await json(request)) as { Entries: Entry[]; QueueUrl: string };
    if (!String(request.headers['x-amz-target']).endsWith('SendMessageBatch')) {
      // The time that it asks for comes with a refusal too.
      response.statusCode = 403;
      response.setHeader('date', new Date(startedAt).toUTCString());
      return void response.end(JSON.stringify({ __type: 'com.amazonaws.sqs#AccessDenied' }));
    }
    const what = answer(requests.push(body.Entries));
    if (what.kind === 'reset') return void request.socket.destroy();
    if (what.kind === 'text') return void response.setHeader('content-type', 'text/html').end(what.text);
    response.setHeader('content-type', 'application/x-amz-json-1.0');
    if (what.kind === 'error') {
      response.statusCode = what.status;
      return void response.end(
        JSON.stringify({ __type: `com.amazonaws.sqs#${what.type}`, message: what.message ?? 'said so' }),
      );
    }
    const failed = body.Entries.flatMap((entry) => {
      const fault = what.failed?.(entry);
      return fault === undefined ? [] : [{ Id: entry.Id, ...fault }];
    });
    const passed = body.Entries.filter((entry) => !failed.some(({ Id }) => Id === entry.Id));
    let result: { Successful: unknown[]; Failed?: unknown[] } = { Successful: [] };
    if (passed.length > 0) {
      const {
        host: _host,
        'content-length': _length,
        ...headers
      } = request.headers as Record<string, string>;
      const answered = await fetch(sqs.address, {
        method: 'POST',
        headers,
        body: JSON.stringify({ ...body, Entries: passed }),
      });
      if (!answered.ok) {
        response.statusCode = answered.status;
        return void response.end(await answered.text());
      }
      result = (await answered.json()) as typeof result;
    }
    return void response.end(JSON.stringify({ ...result, Failed: [...(result.Failed ?? []), ...failed] }));
  });
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
});

afterAll(async () => {
  proxy.closeAllConnections();
  proxy.close();
  await sqs.stop();
});

beforeEach(() => {
  sqs.reset();
  sqs.createQueue('updates');
  sqs.createQueue('updates.fifo', { attributes: { FifoQueue: 'true' } });
  cwd = mkdtempSync(join(tmpdir(), 'enqueue-'));
  requests = [];
  answer = () => forward;
  vi.stubEnv('AWS_REGION', 'eu-west-1');
  vi.stubEnv('AWS_ACCESS_KEY_ID', 'test');
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'test');
});

afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(cwd, { recursive: true });
});

const queueUrl = (name = 'updates'): string =>
  `http://127.0.0.1:${(proxy.address() as AddressInfo).port}/000000000000/${name}`;

interface Options {
  readonly file?: string;
  readonly stdin?: Readable;
  readonly url?: string;
  readonly args?: readonly string[];
  /** Called with each wait before a retry, in milliseconds. */
  readonly onSleep?: (ms: number) => void;
  /** Is given the means to interrupt the run. */
  readonly onStart?: (interrupt: () => void) => void;
  readonly onExitNow?: (code: number) => void;
}

const header = 'Identifier,Description\n';

/** Enqueues rows `a0`, `a1`, …, or those of `csv`. */
async function enqueue(
  rows: number | string,
  {
    url = queueUrl(),
    args = [],
    file = 'tasks.csv',
    stdin = Readable.from([]),
    onSleep,
    onStart,
    onExitNow,
  }: Options = {},
) {
  const csv =
    typeof rows === 'string' ? rows : Array.from({ length: rows }, (_, i) => `a${i},Nightly ${i}\n`).join('');
  writeFileSync(join(cwd, 'tasks.csv'), header + csv);
  const context = fakeContext({
    env: { QUEUE_URL: url, AWS_REGION: 'eu-west-1' },
    cwd,
    stdin,
    clock: { wall: () => startedAt, monotonic: () => 0 },
    random: () => 0.5,
    sleep: async (ms) => onSleep?.(ms),
    onSignal: (listener) => {
      onStart?.(() => listener('SIGINT'));
      return () => {};
    },
    exitNow: (code) => onExitNow?.(code),
  });
  return await runConfigured(configureEnqueue, 'enqueue', [file, ...args], context);
}

const updates = (name = 'updates'): Record<string, string>[] =>
  (sqs.inspectQueue(name)?.messages.ready ?? []).map(({ body }) => JSON.parse(body));
const identifierOf = ({ MessageBody }: Entry): string => JSON.parse(MessageBody).Identifier;
const refusedReport = (): string[][] =>
  parse(readFileSync(join(cwd, 'tasks.csv.refused.csv'))).map((cells) => cells.slice(0, 3));

describe('enqueue on a standard queue', () => {
  test('sends ten messages to a request and the job as their group', async () => {
    await enqueue(25, { args: ['--job', 'job-1'] });
    expect(requests.map((entries) => entries.length).toSorted()).toEqual([10, 10, 5].toSorted());
    expect(new Set(requests.flat().map((entry) => entry.MessageGroupId))).toEqual(new Set(['job-1']));
  });

  test('sends no group without a job', async () => {
    await enqueue(1);
    expect(requests.flat()[0]).not.toHaveProperty('MessageGroupId');
  });

  test('tries again the messages that SQS did not take, and those alone', async () => {
    const failed = (entry: Entry) =>
      ['a3', 'a7'].includes(identifierOf(entry))
        ? { SenderFault: false, Code: 'InternalError', Message: 'later' }
        : undefined;
    answer = (request) => (request === 1 ? { kind: 'forward', failed } : forward);
    const { exitCode, stdout } = await enqueue(10);
    expect(exitCode).toBe(0);
    expect(requests[1]?.map(identifierOf)).toEqual(['a3', 'a7']);
    expect(updates()).toHaveLength(10);
    expect(stdout).toMatch(/sent +10 {2}to \S+ in 2 requests/);
  });

  test("refuses a message at fault with SQS's code, without trying it again", async () => {
    const failed = (entry: Entry) =>
      identifierOf(entry) === 'a3'
        ? { SenderFault: true, Code: 'InvalidMessageContents', Message: 'bad\u001b' }
        : undefined;
    answer = () => ({ kind: 'forward', failed });
    const { exitCode, stdout } = await enqueue(10);
    expect(exitCode).toBe(3);
    expect(requests).toHaveLength(1);
    expect(updates()).toHaveLength(9);
    expect(refusedReport()[1]).toEqual(['5', 'SQS: InvalidMessageContents bad\\u{1b}', 'a3,Nightly 3']);
    expect(stdout).toMatch(/refused +1 {2}with the reasons in/);
  });

  test.each<[string, Answer]>([
    ['a connection that breaks', { kind: 'reset' }],
    ['a 503', { kind: 'error', status: 503, type: 'ServiceUnavailable' }],
    ['throttling on a 400', { kind: 'error', status: 400, type: 'RequestThrottled' }],
  ])('tries again after %s, with growing jittered waits', async (_what, failure) => {
    answer = (request) => (request <= 3 ? failure : forward);
    const waits: number[] = [];
    expect((await enqueue(5, { onSleep: (ms) => waits.push(ms) })).exitCode).toBe(0);
    expect(waits).toEqual([100, 200, 400]);
    expect(updates()).toHaveLength(5);
  });

  test('gives up after six tries and says how many were sent and where to go on', async () => {
    answer = (request) => (request === 1 ? forward : { kind: 'error', status: 500, type: 'InternalError' });
    const { exitCode, error, stdout } = await enqueue(200);
    expect(exitCode).toBe(1);
    expect(error).toContain(
      `SQS answered InternalError: said so, ${MAX_TRIES} times in a row. 10 of 200 rows are known to be sent, and `,
    );
    expect(stdout).toMatch(/sent +10 {2}/);
    // Whichever batch came first, every row before the line is on the queue, and the row on it is not.
    const line = Number(/--from-line (\d+)/.exec(error)?.[1]);
    const sent = new Set(updates().map(({ Identifier }) => Identifier));
    for (let before = 2; before < line; before++) expect(sent).toContain(`a${before - 2}`);
    expect(sent).not.toContain(`a${line - 2}`);
    expect(requests.length).toBeLessThanOrEqual(1 + LANES * MAX_TRIES);
  });

  test('gives up when SQS keeps refusing some messages for no fault of theirs', async () => {
    const failed = (entry: Entry) =>
      identifierOf(entry) === 'a3'
        ? { SenderFault: false, Code: 'KmsThrottled', Message: 'slow' }
        : undefined;
    answer = () => ({ kind: 'forward', failed });
    const { exitCode, error } = await enqueue(10);
    expect(exitCode).toBe(1);
    expect(error).toContain('SQS did not accept some messages: KMS slows down the use of the key');
    expect(error).toContain('9 of 10 rows were sent; continue with --from-line 5');
  });

  test.each<[string, Answer]>([
    ['a page', { kind: 'text', text: '<html></html>' }],
    ['an object that names no entry', { kind: 'text', text: '{}' }],
    ['the fault of SQS', { kind: 'error', status: 503, type: 'ServiceUnavailable' }],
    ['a connection that breaks', { kind: 'reset' }],
  ])('says that rows may have been sent where every answer was %s', async (_what, each) => {
    answer = () => each;
    const { exitCode, error, stdout } = await enqueue(10);
    expect(exitCode).toBe(1);
    expect(error).not.toContain('Nothing was sent');
    expect(error).toContain(
      '. 0 of 10 rows are known to be sent, and 10 more may be: SQS did not answer; continue with --from-line 2',
    );
    expect(stdout).toMatch(/sent +0\n {2}may be sent +10 {2}/);
    const asJson = await enqueue(10, { args: ['--json'] });
    expect(JSON.parse(asJson.stdout)).toMatchObject({ sent: 0, mayHaveArrived: 10, continueFrom: 2 });
  });

  test('counts as maybe sent no row that was sent or refused later', async () => {
    answer = (request) => (request <= 2 ? { kind: 'reset' } : forward);
    const { stdout } = await enqueue(10, { args: ['--json'] });
    expect(JSON.parse(stdout)).toMatchObject({ sent: 10, mayHaveArrived: 0 });
  });

  test('sends all rows when a run that gave up is continued', async () => {
    answer = (request) => (request <= 2 ? forward : { kind: 'reset' });
    const { error } = await enqueue(200);
    const line = /--from-line (\d+)/.exec(error)?.[1] ?? '';
    answer = () => forward;
    expect((await enqueue(200, { args: ['--from-line', line] })).exitCode).toBe(0);
    expect(new Set(updates().map(({ Identifier }) => Identifier)).size).toBe(200);
  });

  test.each<[string, Answer, string]>([
    ['access is denied', { kind: 'error', status: 403, type: 'AccessDenied' }, 'need sqs:SendMessage'],
    [
      'the credentials are old',
      { kind: 'error', status: 403, type: 'ExpiredToken' },
      'does not accept the credentials',
    ],
    [
      'the use of the key is denied',
      { kind: 'error', status: 400, type: 'KmsAccessDenied' },
      'they need kms:GenerateDataKey and kms:Decrypt on the key',
    ],
  ])('ends at once when %s', async (_what, failure, sentence) => {
    answer = () => failure;
    const { exitCode, error, stdout } = await enqueue(5);
    expect({ exitCode, error }).toEqual({ exitCode: 1, error: expect.stringContaining(sentence) });
    expect(error).toMatch(/Nothing was sent\.$/);
    expect(requests).toHaveLength(1);
    expect(stdout).toBe('');
  });

  test('ends when no row is accepted, alone either, for a reason that is not said to be in the rows', async () => {
    answer = () => ({ kind: 'error', status: 400, type: 'InvalidParameterValue' });
    const { exitCode, error } = await enqueue(5);
    expect(exitCode).toBe(1);
    expect(error).toMatch(/SQS answered InvalidParameterValue: said so\. Nothing was sent\.$/);
    expect(requests.map((entries) => entries.length)).toEqual([5, 1, 1, 1, 1, 1]);
  });

  test('says that the queue does not exist', async () => {
    const { exitCode, error } = await enqueue(5, { url: queueUrl('nowhere') });
    expect(exitCode).toBe(1);
    expect(error).toContain(`there is no queue ${queueUrl('nowhere')}: check --queue-url`);
    expect(requests).toHaveLength(1);
  });

  test('says that SQS cannot be reached, without the password of the URL', async () => {
    const { exitCode, error } = await enqueue(5, {
      url: 'http://user:secret@127.0.0.1:1/000000000000/updates',
    });
    expect(exitCode).toBe(1);
    expect(error).toMatch(
      /SQS cannot be reached for http:\/\/127.0.0.1:1\/\S+: check the network, .* \(.*ECONNREFUSED.*6 times in a row/,
    );
    expect(error).not.toContain('secret');
  });

  test('prints the failure with --json too', async () => {
    answer = (request) => (request === 1 ? forward : { kind: 'error', status: 403, type: 'AccessDenied' });
    const { exitCode, stdout } = await enqueue(20, { args: ['--json'] });
    expect(exitCode).toBe(1);
    const summary = JSON.parse(stdout);
    expect(summary).toMatchObject({ outcome: 'failed', rows: 20, sent: 10, requests: 2 });
    expect([2, 12]).toContain(summary.continueFrom);
  });

  test('stops after the requests in flight when it is interrupted, and says where to go on', async () => {
    let interrupt = (): void => {};
    answer = (request) => {
      if (request === LANES) interrupt();
      return forward;
    };
    const { exitCode, error } = await enqueue(1_000, { onStart: (given) => (interrupt = given) });
    expect(exitCode).toBe(130);
    const sent = updates().length;
    expect(sent).toBeLessThan(1_000);
    expect(error).toContain(
      `Interrupted. ${sent} of 1,000 rows were sent; continue with --from-line ${sent + 2} `,
    );
  });

  test('leaves at once at a second signal', async () => {
    const codes: number[] = [];
    let interrupt = (): void => {};
    answer = () => {
      interrupt();
      if (codes.length === 0) interrupt();
      return forward;
    };
    const onStart = (given: () => void): void => {
      interrupt = given;
    };
    await enqueue(10, { onStart, onExitNow: (code) => codes.push(code) });
    expect(codes).toEqual([130]);
  });

  test('fails when the refused rows cannot be written while it sends', async () => {
    const failed = () => {
      // The report's place is taken away under the run.
      if (existsSync(cwd)) renameSync(cwd, `${cwd}-away`);
      return { SenderFault: true, Code: 'InvalidMessageContents', Message: 'bad' };
    };
    answer = () => ({ kind: 'forward', failed });
    const { exitCode, error } = await enqueue(400);
    renameSync(`${cwd}-away`, cwd);
    expect(exitCode).toBe(1);
    expect(error).toMatch(
      /^Sending failed: The file of refused rows cannot be written to \S+: there is no folder \S+\. Nothing was sent\.$/,
    );
  });

  test('can be interrupted while stdin is still open', async () => {
    const { exitCode, error } = await enqueue(0, {
      file: '-',
      stdin: new PassThrough(),
      onStart: (interrupt) => queueMicrotask(interrupt),
    });
    expect({ exitCode, error }).toEqual({ exitCode: 130, error: 'Interrupted. Nothing was sent.' });
  });

  test('leaves a former report alone when it is interrupted before it sends', async () => {
    writeFileSync(join(cwd, 'tasks.csv.refused.csv'), 'former');
    const { exitCode, error } = await enqueue('!,x\na1,x\n', { onStart: (interrupt) => interrupt() });
    expect({ exitCode, error }).toEqual({ exitCode: 130, error: 'Interrupted. Nothing was sent.' });
    expect(readFileSync(join(cwd, 'tasks.csv.refused.csv'), 'utf8')).toBe('former');
    expect(readdirSync(cwd).filter((name) => name.includes('.part'))).toEqual([]);
    expect(requests).toEqual([]);
  });
});

describe('enqueue on a FIFO queue', () => {
  const url = (): string => queueUrl('updates.fifo');

  test('sends one request at a time, in file order', async () => {
    await enqueue(45, { url: url() });
    expect(requests.flat().map(identifierOf)).toEqual(Array.from({ length: 45 }, (_, i) => `a${i}`));
  });

  test('names the group by Identifier and gives each message a deduplication id', async () => {
    await enqueue(`a1,x\n${'y'.repeat(200)},x\n`, { url: url() });
    const [short, long] = requests.flat();
    expect(short?.MessageGroupId).toBe('a1');
    expect(long?.MessageGroupId).toMatch(/^[0-9a-f]{64}$/);
    expect(short?.MessageDeduplicationId).toMatch(/^[0-9a-f]{64}$/);
    expect(short?.MessageDeduplicationId).not.toBe(long?.MessageDeduplicationId);
  });

  test('lets no later row of a group pass one that is tried again', async () => {
    let failures = 0;
    const failed = (entry: Entry) =>
      identifierOf(entry) === 'a1' && failures++ < 2
        ? { SenderFault: false, Code: 'InternalError', Message: 'later' }
        : undefined;
    answer = () => ({ kind: 'forward', failed });
    expect((await enqueue('a1,one\nb2,one\na1,two\nb2,two\na1,three\n', { url: url() })).exitCode).toBe(0);
    const ofGroup = updates('updates.fifo').filter(({ Identifier }) => Identifier === 'a1');
    expect(ofGroup.map(({ Description }) => Description)).toEqual(['one', 'two', 'three']);
    expect(failures).toBeGreaterThan(2);
  });

  test('delivers once what was taken although its answer was lost', async () => {
    const waits: number[] = [];
    let lost = false;
    answer = () => forward;
    const server = createServer(async (request, response) => {
      const body = await text(request);
      // Without an answer it does not learn the time, and goes on.
      if (!String(request.headers['x-amz-target']).endsWith('SendMessageBatch'))
        return void request.socket.destroy();
      const {
        host: _host,
        'content-length': _length,
        ...headers
      } = request.headers as Record<string, string>;
      const answered = await fetch(sqs.address, { method: 'POST', headers, body });
      if (!lost) {
        lost = true;
        return void request.socket.destroy();
      }
      return void response.end(await answered.text());
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    const { exitCode } = await enqueue(10, {
      url: `http://127.0.0.1:${port}/000000000000/updates.fifo`,
      onSleep: (ms) => waits.push(ms),
    });
    server.closeAllConnections();
    server.close();
    expect({ exitCode, waits }).toEqual({ exitCode: 0, waits: [100] });
    expect(updates('updates.fifo')).toHaveLength(10);
  });
});
