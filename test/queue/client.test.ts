/** What the client of SQS takes from its surroundings: credentials, retry mode, endpoint. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, onTestFinished, test, vi } from 'vitest';
import { createSqsClient } from '../../src/queue/client.ts';
import { sqsErrorKind } from '../../src/queue/errors.ts';
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
