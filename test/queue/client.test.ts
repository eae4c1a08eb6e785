/** What the client of SQS takes from its surroundings: credentials, retry mode, endpoint. */
import { hash } from 'node:crypto';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import { createSqsClient } from '../../src/queue/client.ts';
import { failedQueue, sqsErrorKind } from '../../src/queue/errors.ts';
import { explainSqsError } from '../../src/queue/explain.ts';
import { Queue } from '../../src/queue/queue.ts';
import { type StsAnswer, startSts, stsDenied } from '../../testing/faults/sts.ts';

afterEach(() => {
  vi.unstubAllEnvs();
});

const credentials = { accessKeyId: 'a', secretAccessKey: 'b' };

function folder(): string {
  const path = mkdtempSync(join(tmpdir(), 'sqs-client-'));
  onTestFinished(() => rmSync(path, { recursive: true }));
  return path;
}

/** How a request about a queue's attributes fails; nothing listens where it goes. */
async function failureOf(client: ReturnType<typeof createSqsClient>): Promise<unknown> {
  onTestFinished(() => client.destroy());
  return new Queue(client, 'http://127.0.0.1:1/000000000000/q').attributes().then(
    () => expect.fail('it was answered'),
    (error: unknown) => error,
  );
}

// EKS gives a role by web identity. As errors of the queue these would say that its attributes may not be read.
test.each<[string, StsAnswer]>([
  ['AccessDenied', stsDenied],
  ['InternalFailure', { status: 500, code: 'InternalFailure' }],
  ['InvalidIdentityToken', { status: 400, code: 'InvalidIdentityToken' }],
])('%s of STS is a fault of the credentials, and not of the queue', async (code, answer) => {
  const sts = await startSts(answer);
  onTestFinished(() => sts.close());
  const token = join(folder(), 'token');
  writeFileSync(token, 'a web identity token');
  for (const [name, value] of Object.entries(sts.env(token))) vi.stubEnv(name, value);
  const error = await failureOf(createSqsClient(1));
  expect(sqsErrorKind(error)).toBe('no-credentials');
  expect(String(error)).toContain(code);
  expect(sts.requests).toBeGreaterThan(0);
});

test('a line break in the credentials is a fault of the set-up, with its variable', async () => {
  const error = await failureOf(
    createSqsClient(1, { region: 'eu-west-1', credentials: { ...credentials, sessionToken: 'x\n' } }),
  );
  expect(sqsErrorKind(error)).toBe('no-credentials');
  expect(String(error)).toContain('AWS_SESSION_TOKEN');
});

test('a profile that is not there is said once for each source, with a semicolon between', async () => {
  vi.stubEnv('AWS_CONFIG_FILE', join(folder(), 'config'));
  vi.stubEnv('AWS_SHARED_CREDENTIALS_FILE', join(folder(), 'credentials'));
  vi.stubEnv('AWS_EC2_METADATA_DISABLED', 'true');
  vi.stubEnv('AWS_PROFILE', 'absent');
  for (const name of ['AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY']) vi.stubEnv(name, undefined);
  const client = createSqsClient(1, { region: 'eu-west-1' });
  expect(explainSqsError(await failureOf(client), 'http://127.0.0.1:1/1/q')).toMatch(
    /^AWS credentials could not be obtained: .*\[absent\].*[^.]; Profile absent could not be found/,
  );
});

test('a warning of the SDK does not go to stderr: of two sources of credentials', async () => {
  const file = join(folder(), 'credentials');
  writeFileSync(file, '[worker]\naws_access_key_id = a\naws_secret_access_key = b\n');
  vi.stubEnv('AWS_SHARED_CREDENTIALS_FILE', file);
  vi.stubEnv('AWS_PROFILE', 'worker');
  vi.stubEnv('AWS_ACCESS_KEY_ID', 'c');
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'd');
  const warnings = vi.spyOn(console, 'warn').mockImplementation(() => {});
  onTestFinished(() => warnings.mockRestore());
  const client = createSqsClient(1, { region: 'eu-west-1' });
  onTestFinished(() => client.destroy());
  expect(await client.config.credentials()).toMatchObject({ accessKeyId: 'a' });
  expect(warnings).not.toHaveBeenCalled();
});

test.each(['environment', 'profile'])('adaptive retries of the %s do not come in', async (where) => {
  if (where === 'environment') vi.stubEnv('AWS_RETRY_MODE', 'adaptive');
  else {
    const file = join(folder(), 'config');
    writeFileSync(file, '[default]\nretry_mode = adaptive\n');
    vi.stubEnv('AWS_CONFIG_FILE', file);
  }
  const client = createSqsClient(1, { region: 'eu-west-1', credentials });
  onTestFinished(() => client.destroy());
  expect(await client.config.retryStrategy()).toMatchObject({ mode: 'standard' });
});

describe('where no credentials are obtained, it is said why', () => {
  const START = 'https://login.example/start';
  const expired = {
    startUrl: START,
    region: 'eu-west-1',
    accessToken: 'x',
    expiresAt: '2020-01-01T00:00:00Z',
  };
  const sso = `sso_start_url = ${START}\nsso_region = eu-west-1\nsso_account_id = 1\nsso_role_name = r`;

  test.each([
    [
      'an SSO login that has expired',
      sso,
      /^AWS credentials could not be obtained: The SSO session .* has expired\. .* run aws sso login /,
    ],
    [
      'a credential_process that fails',
      'credential_process = echo "run corp-login first" >&2; exit 3 # --pin 4711',
      /^AWS credentials could not be obtained: credential_process failed: run corp-login first$/,
    ],
    [
      'a credential_process that answers nonsense',
      'credential_process = echo nonsense',
      /^AWS credentials could not be obtained: Profile default credential_process returned invalid JSON$/,
    ],
    [
      'a profile that is based on none',
      'role_arn = arn:aws:iam::1:role/r\nsource_profile = absent',
      /^AWS credentials could not be obtained: .*\[absent\]/,
    ],
    ['no sign of any', '', /^no AWS credentials were found: set AWS_PROFILE, /],
  ])('%s', async (_, profile, sentence) => {
    const home = folder();
    const cache = join(home, '.aws', 'sso', 'cache');
    mkdirSync(cache, { recursive: true });
    writeFileSync(join(cache, `${hash('sha1', START, 'hex')}.json`), JSON.stringify(expired));
    writeFileSync(join(home, 'config'), `[default]\n${profile}\n`);
    vi.stubEnv('HOME', home);
    vi.stubEnv('AWS_CONFIG_FILE', join(home, 'config'));
    vi.stubEnv('AWS_SHARED_CREDENTIALS_FILE', join(home, 'absent'));
    vi.stubEnv('AWS_EC2_METADATA_DISABLED', 'true');
    for (const name of ['AWS_PROFILE', 'AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY'])
      vi.stubEnv(name, undefined);
    const client = createSqsClient(1, { region: 'eu-west-1' });
    const [first, second] = await Promise.all([failureOf(client), failureOf(client)]);
    expect(explainSqsError(first, 'http://127.0.0.1:1/1/q')).toMatch(sentence);
    expect(String(second)).toBe(String(first));
  });
});

test.each([
  ['attributes', (queue: Queue) => queue.attributes()],
  ['receive', (queue: Queue) => queue.receive({ max: 1, waitSeconds: 0 })],
  ['send', (queue: Queue) => queue.send([{ key: 'a', body: 'b' }])],
  ['delete', (queue: Queue) => queue.delete(['handle'])],
])('%s: a captive page is told with status and content type, and its queue', async (_, ask) => {
  const server = createServer((request, response) => {
    request.resume();
    response.writeHead(200, { 'content-type': 'text/html' }).end('<html>Please log in</html>');
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  const client = createSqsClient(1, { region: 'eu-west-1', credentials });
  onTestFinished(() => client.destroy());
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/1/q`;
  const error: unknown = await ask(new Queue(client, url)).catch((thrown: unknown) => thrown);
  expect(failedQueue(error)).toBe(url);
  expect(explainSqsError(error, url)).toMatch(/^SQS does not answer at \S+, .* \(HTTP 200, text\/html\)$/);
});
