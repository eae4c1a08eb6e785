import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type RequestListener } from 'node:http';
import { type AddressInfo, createServer as createTcpServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import { createRequestHandler } from '../../src/aws/request-handler.ts';
import { classify, type FailureKind } from '../../src/message/failure.ts';
import type { Update } from '../../src/message/update.ts';
import {
  createClient,
  createOtaApi,
  type OtaApi,
  type OtaApiOptions,
  toCallError,
} from '../../src/ota/client.ts';
import {
  type ScriptedAnswer,
  type SimulatedApi,
  startSimulatedApi,
} from '../../src/sandbox/simulated-api/index.ts';
import { startSts } from '../../testing/faults/sts.ts';

const update: Update = { Identifier: 'a1', Description: 'new' };
const never = new AbortController().signal;
const credentials = {
  accessKeyId: 'AKIAIOSFODNN7EXAMPLE',
  secretAccessKey: 'secret',
  sessionToken: 'HUNTER2',
};

afterEach(() => {
  vi.unstubAllEnvs();
});

async function simulate(): Promise<SimulatedApi> {
  const server = await startSimulatedApi({ record: true });
  onTestFinished(() => server.close());
  return server;
}

function connect(
  endpoint: string,
  client: OtaApiOptions['client'] = { credentials },
  callTimeoutMs = 20_000,
): OtaApi {
  const api = createOtaApi({
    callTimeoutMs,
    maxSockets: 10,
    client: { region: 'eu-west-1', endpoint, ...client },
  });
  onTestFinished(() => api.destroy());
  return api;
}

/** Calls once and classifies what came of it. */
async function failureOf(api: OtaApi, signal = never) {
  const answer = await api.updateOtaTask(update, signal);
  if (answer.ok) throw new Error('the update was applied');
  return classify(answer.error, Date.parse('2026-11-23T07:00:00Z'));
}

async function serve(listener: RequestListener): Promise<string> {
  const server = createServer(listener).listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

describe('updateOtaTask', () => {
  test('sends only the fields of the API, and returns the request id', async () => {
    const server = await simulate();
    const full: Update = {
      Identifier: 'a1',
      TaskConfigurationId: 'cfgB7',
      JobId: 'job',
      RequestId: 'row',
      IssuedAt: '2026-11-23T07:00:00Z',
    };
    const answer = await connect(server.url).updateOtaTask(full, never);
    expect(answer).toEqual({ ok: true, requestId: expect.stringMatching(/^[0-9a-f-]{36}$/) });
    expect(server.callsFor('a1')[0]?.input).toEqual({ TaskConfigurationId: 'cfgB7' });
    expect(server.task('a1')).toMatchObject({ TaskConfigurationId: 'cfgB7' });
  });

  test.each<[FailureKind, string, ScriptedAnswer]>([
    ['throttled', '429 ThrottlingException', { status: 429, errorType: 'ThrottlingException' }],
    [
      'throttled',
      'a name with namespace and suffix',
      { status: 400, errorType: 'com.amazonaws.x#ThrottlingException:http://amazon.com/' },
    ],
    [
      'throttled',
      'a name in the body',
      { status: 400, body: { __type: 'x#ThrottlingException', message: 'slow' } },
    ],
    ['throttled', '429 HTML page', { status: 429, body: '<html>slow</html>' }],
    ['retryable', '503 HTML page', { status: 503, body: '<html>away</html>' }],
    ['retryable', '500 InternalServerException', { status: 500, errorType: 'InternalServerException' }],
    ['retryable', 'a reset connection', 'reset'],
    ['retryable', 'a reset connection after the update took effect', 'apply-then-reset'],
    ['rejected', '400 ValidationException', { status: 400, errorType: 'ValidationException' }],
    ['denied', '403 AccessDeniedException', { status: 403, errorType: 'AccessDeniedException' }],
    ['misconfigured', '403 ExpiredTokenException', { status: 403, errorType: 'ExpiredTokenException' }],
    ['unidentified', '404 HTML page', { status: 404, body: '<html>no such site</html>' }],
    ['unidentified', '403 without a body', { status: 403 }],
    ['unidentified', "403 with a gateway's JSON", { status: 403, body: { error: 'forbidden' } }],
    [
      'unidentified',
      "404 with a gateway's JSON and code",
      { status: 404, body: { code: 404, message: 'no route' } },
    ],
    ['unidentified', '403 with a numeric code', { status: 403, body: { code: 403 } }],
    [
      'unidentified',
      '404 with JSON that is not an object',
      { status: 404, body: '"no"', headers: { 'content-type': 'application/json' } },
    ],
    ['unidentified', '200 with JSON', { status: 200, body: {} }],
    ['unidentified', '200 HTML page', { status: 200, body: '<html>welcome</html>' }],
    ['unidentified', '301', { status: 301, headers: { location: 'https://elsewhere.invalid/' } }],
  ])('reads as %s: %s', async (kind, _, answer) => {
    const server = await simulate();
    server.script('a1', [answer]);
    expect(await failureOf(connect(server.url))).toMatchObject({ kind });
    expect(server.stats().calls).toBe(1);
  });

  test('returns Retry-After, status, message and request id', async () => {
    const server = await simulate();
    server.script('a1', [
      {
        status: 429,
        errorType: 'ThrottlingException',
        body: { message: 'slow down' },
        headers: { 'Retry-After': '7' },
      },
    ]);
    expect(await failureOf(connect(server.url))).toEqual({
      kind: 'throttled',
      name: 'ThrottlingException',
      message: 'slow down',
      status: 429,
      requestId: expect.stringMatching(/^[0-9a-f-]{36}$/),
      retryAfterMs: 7_000,
    });
  });

  test('returns Retry-After of a page that is not JSON', async () => {
    const server = await simulate();
    server.script('a1', [
      {
        status: 503,
        body: '<html>',
        headers: { 'Retry-After': 'Mon, 23 Nov 2026 07:00:10 GMT', Date: 'Mon, 23 Nov 2026 07:00:00 GMT' },
      },
    ]);
    expect(await failureOf(connect(server.url))).toMatchObject({ kind: 'retryable', retryAfterMs: 10_000 });
  });

  test('reads a refused connection as unreachable', async () => {
    const url = await serve(() => {});
    const closed = createServer().listen(0, '127.0.0.1');
    await once(closed, 'listening');
    const { port } = closed.address() as AddressInfo;
    closed.close();
    await once(closed, 'close');
    expect(url).not.toContain(String(port));
    const failure = await failureOf(connect(`http://127.0.0.1:${port}`));
    expect(failure).toMatchObject({ kind: 'unreachable', message: expect.stringContaining('ECONNREFUSED') });
  });

  test.each([
    ['node:http', {}],
    ['undici', { requestHandler: createRequestHandler(1, 5_000) }],
  ])('tells a connection that was never made from one that was lost, on %s', async (_, handler) => {
    const closing = createTcpServer((socket) => socket.destroy()).listen(0, '127.0.0.1');
    await once(closing, 'listening');
    onTestFinished(() => void closing.close());
    const host = `127.0.0.1:${(closing.address() as AddressInfo).port}`;
    const plain = await simulate();
    const failure = (endpoint: string) => failureOf(connect(endpoint, { credentials, ...handler }));
    expect(await failure(`http://${host}`)).toMatchObject({ kind: 'retryable' });
    // Closed during the TLS handshake: with the same code.
    expect(await failure(`https://${host}`)).toMatchObject({ kind: 'unreachable' });
    expect(await failure(plain.url.replace('http:', 'https:'))).toMatchObject({ kind: 'unreachable' });
    expect(await failure('http://nowhere.invalid')).toMatchObject({ kind: 'unreachable', name: 'ENOTFOUND' });
  });

  test.each<[FailureKind, string, number, Record<string, string>, object]>([
    ['unidentified', 'JSON of its own', 400, {}, { code: 'invalid_request' }],
    ['unidentified', 'JSON with a name that AWS has', 403, {}, { code: 'AccessDenied' }],
    ['unidentified', 'JSON about a login', 401, {}, { code: 'Unauthorized' }],
    ['rejected', 'a name of the model', 400, {}, { __type: 'x#ValidationException' }],
    [
      'rejected',
      'the code of a connection, and a request id',
      400,
      { 'x-amzn-requestid': 'r-1' },
      { code: 'ECONNRESET' },
    ],
    ['unidentified', 'the code of a connection', 403, {}, { code: 'ECONNREFUSED' }],
    ['unidentified', 'a name that is a list', 400, {}, { __type: ['a'], message: 'x' }],
    ['unidentified', 'a name that is a number', 400, {}, { __type: 7, message: 'x' }],
    ['unidentified', 'a name that is an object', 403, {}, { __type: {}, message: ['x'] }],
    [
      'rejected',
      'a name that is a list, and a request id',
      400,
      { 'x-amzn-requestid': 'r-1' },
      { __type: ['a'] },
    ],
    ['rejected', 'a request id', 400, { 'x-amzn-requestid': 'r-1' }, { code: 'Whatever' }],
    ['rejected', 'a request id in the other form', 404, { 'x-amz-request-id': 'r-1' }, {}],
    ['denied', "AWS's header", 403, { 'x-amzn-errortype': 'ForbiddenException' }, { message: 'Forbidden' }],
  ])('takes for %s an answer with %s', async (kind, _, status, headers, body) => {
    const url = await serve((_request, response) => {
      response.writeHead(status, { 'content-type': 'application/json', ...headers });
      response.end(JSON.stringify(body));
    });
    expect(await failureOf(connect(url))).toMatchObject({ kind });
  });

  test('times out a call without an answer', async () => {
    const server = await simulate();
    server.script('a1', ['hang']);
    const failure = await failureOf(connect(server.url, { credentials }, 100));
    expect(failure).toMatchObject({ kind: 'retryable', name: 'TimeoutError' });
  });

  test('times out a call whose answer stops half-way', async () => {
    const url = await serve((_, response) => {
      response.writeHead(500, { 'content-type': 'application/json', 'content-length': '100' });
      response.write('{"mess');
    });
    const failure = await failureOf(connect(url, { credentials }, 200));
    expect(failure).toMatchObject({ kind: 'retryable', name: 'TimeoutError' });
  });

  test('times out a call that waits for credentials', async () => {
    const server = await simulate();
    const credentialsThatNeverCome = () => new Promise<never>(() => {});
    const api = connect(server.url, { credentials: credentialsThatNeverCome }, 100);
    expect(await failureOf(api)).toMatchObject({ kind: 'misconfigured', name: 'CredentialsProviderError' });
    const controller = new AbortController();
    controller.abort();
    expect(await api.updateOtaTask(update, controller.signal)).toMatchObject({ ok: false });
    expect(server.stats().calls).toBe(0);
  });

  test('ends a call at once when the signal aborts before or during it', async () => {
    const server = await simulate();
    server.script('a1', ['hang']);
    const api = connect(server.url);
    const controller = new AbortController();
    const answer = api.updateOtaTask(update, controller.signal);
    await server.waitFor(() => server.stats().calls === 1);
    controller.abort();
    expect(await answer).toMatchObject({ ok: false, error: { name: 'AbortError' } });
    expect(await api.updateOtaTask(update, controller.signal)).toMatchObject({
      ok: false,
      error: { name: 'AbortError' },
    });
    expect(server.stats().calls).toBe(1);
  });

  test('does not return a session token that an error quotes', async () => {
    const server = await simulate();
    const canonical = `The Canonical String for this request should have been\n'PUT\nx-amz-security-token:HUNTER2'`;
    server.script('a1', [
      { status: 403, errorType: 'InvalidSignatureException', body: { message: `no match.\n\n${canonical}` } },
    ]);
    const failure = await failureOf(connect(server.url));
    expect(failure).toMatchObject({ kind: 'misconfigured', message: 'no match.' });
    expect(JSON.stringify(failure)).not.toContain('HUNTER2');
  });
});

describe('the configuration of the worker', () => {
  test('is at fault when no credentials are found', async () => {
    const server = await simulate();
    for (const name of [
      'AWS_ACCESS_KEY_ID',
      'AWS_SECRET_ACCESS_KEY',
      'AWS_PROFILE',
      'AWS_CONTAINER_CREDENTIALS_RELATIVE_URI',
    ]) {
      vi.stubEnv(name, undefined);
    }
    vi.stubEnv('AWS_EC2_METADATA_DISABLED', 'true');
    vi.stubEnv('AWS_CONFIG_FILE', '/dev/null');
    vi.stubEnv('AWS_SHARED_CREDENTIALS_FILE', '/dev/null');
    expect(await failureOf(connect(server.url, {}))).toMatchObject({
      kind: 'misconfigured',
      name: 'CredentialsProviderError',
    });
    expect(server.stats().calls).toBe(0);
  });

  // As one reads a secret from a file, or sets it in an env file that keeps quotes and line ends.
  test.each([
    ['AWS_ACCESS_KEY_ID', { accessKeyId: 'AKID\n' }],
    ['AWS_SECRET_ACCESS_KEY', { secretAccessKey: 'secret\r\n' }],
    ['AWS_SESSION_TOKEN', { sessionToken: 'token\nHUNTER2' }],
    ['AWS_SESSION_TOKEN', { sessionToken: '\u{feff}token' }],
    ['AWS_ACCESS_KEY_ID', { accessKeyId: '' }],
  ])('is at fault when %s is nothing that a request can carry: %j', async (variable, part) => {
    const server = await simulate();
    const failure = await failureOf(connect(server.url, { credentials: { ...credentials, ...part } }));
    expect(failure).toMatchObject({ kind: 'misconfigured', name: 'CredentialsProviderError' });
    expect(failure.message).toContain(variable);
    expect(failure.message).not.toMatch(/HUNTER2|secret\r/);
    expect(server.stats().calls).toBe(0);
  });

  test('cannot bring a rate limiter of the SDK into the calls', async () => {
    vi.stubEnv('AWS_RETRY_MODE', 'adaptive');
    const client = createClient({ maxSockets: 1, callTimeoutMs: 1, client: { credentials } });
    onTestFinished(() => client.destroy());
    expect(await client.config.retryStrategy()).toMatchObject({ mode: 'standard' });
  });

  test.each([
    ['node:http', 'an endpoint that is no URL', { endpoint: 'nonsense' }],
    ['undici', 'an endpoint that is no URL', { endpoint: 'nonsense' }],
    ['undici', 'an endpoint without its scheme', { endpoint: 'localhost:8080' }],
    ['node:http', 'an endpoint without its scheme', { endpoint: 'localhost:8080' }],
    ['undici', 'another scheme', { endpoint: 'ftp://127.0.0.1:9' }],
    ['undici', 'AWS over http', { endpoint: 'http://api.iotmanagedintegrations.eu-west-1.api.aws' }],
    ['node:http', 'a port that is none', { endpoint: 'http://127.0.0.1:99999' }],
    ['node:http', 'a region that is none', { region: 'eu-west-1\n' }],
    ['undici', 'a region that is none', { region: '"eu-west-1"' }],
    ['node:http', 'no region', { region: async () => '' }],
  ])('is at fault when no request can be made of it, on %s: %s', async (handler, _, client) => {
    const requestHandler = handler === 'undici' && { requestHandler: createRequestHandler(1, 5_000) };
    const api = connect('http://127.0.0.1:9', { credentials, ...requestHandler, ...client });
    expect(await failureOf(api)).toMatchObject({
      kind: 'misconfigured',
      name: 'InvalidConfiguration',
      message: expect.stringMatching(/^no request can be made: ./),
    });
  });

  test('is at fault when FIPS is set for a custom endpoint', async () => {
    const server = await simulate();
    const failure = await failureOf(connect(server.url, { credentials, useFipsEndpoint: true }));
    expect(failure).toMatchObject({ kind: 'misconfigured', message: expect.stringContaining('FIPS') });
  });

  // EKS gives a role by web identity. None of these errors comes from the API; as rejections they would dead-letter the
  // whole queue.
  test.each([
    [400, 'InvalidIdentityToken'],
    [400, 'IDPCommunicationError'],
    [403, 'AccessDenied'],
    [403, 'IDPRejectedClaim'],
    [400, 'ValidationError'],
    [400, 'ExpiredTokenException'],
  ])('is at fault when STS refuses the credentials with %i %s', async (status, code) => {
    const server = await simulate();
    const sts = await startSts({ status, code });
    const folder = mkdtempSync(join(tmpdir(), 'ota-client-'));
    onTestFinished(async () => {
      rmSync(folder, { recursive: true });
      await sts.close();
    });
    writeFileSync(join(folder, 'token'), 'a web identity token');
    for (const [name, value] of Object.entries(sts.env(join(folder, 'token')))) vi.stubEnv(name, value);

    const failure = await failureOf(connect(server.url, {}));

    expect(failure.message).toContain('sts:AssumeRoleWithWebIdentity');
    expect(failure.kind).toBe('misconfigured');
    expect(server.stats().calls).toBe(0);
  });
});

describe('toCallError', () => {
  test.each<[string, unknown, ReturnType<typeof toCallError>]>([
    ['nothing', undefined, { name: 'Error', message: 'undefined' }],
    ['null', null, { name: 'Error', message: 'null' }],
    ['a text', 'boom', { name: 'Error', message: 'boom' }],
    ['an empty object', {}, { name: 'Error', message: '' }],
    [
      'fields of the wrong kinds',
      { name: 5, message: {}, code: 20, stack: 1, $metadata: { httpStatusCode: '500' } },
      { name: 'Error', message: '' },
    ],
    [
      'metadata',
      { name: 'X', message: 'm', $metadata: { httpStatusCode: 500, requestId: 'r' } },
      { name: 'X', message: 'm', status: 500, requestId: 'r' },
    ],
    [
      'a status from the response alone',
      { name: 'X', message: 'm', $response: { statusCode: 502, headers: { 'retry-after': '1' } } },
      { name: 'X', message: 'm', status: 502, retryAfter: '1' },
    ],
    [
      'a code',
      { name: 'Error', message: 'm', code: 'ECONNRESET' },
      { name: 'Error', message: 'm', code: 'ECONNRESET' },
    ],
  ])('reads %s', (_, thrown, error) => {
    expect(toCallError(thrown)).toEqual(error);
  });

  test('keeps the stack of an Error', () => {
    const bug = new TypeError('bug');
    expect(toCallError(bug)).toEqual({ name: 'TypeError', message: 'bug', stack: bug.stack });
  });

  test('uses the code of an AggregateError, which has no message of its own', () => {
    const refused = [
      Object.assign(new Error('connect ECONNREFUSED ::1:443'), { code: 'ECONNREFUSED' }),
      Object.assign(new Error('connect ECONNREFUSED 127.0.0.1:443'), { code: 'ECONNREFUSED' }),
    ];
    const error = Object.assign(new AggregateError(refused), { code: 'ECONNREFUSED' });
    expect(toCallError(error).message).toContain('ECONNREFUSED');
  });
});
