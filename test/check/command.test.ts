import { type FauxqsServer, startFauxqs } from 'fauxqs';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { configureCheck } from '../../src/check/command.ts';
import { type SimulatedApi, startSimulatedApi } from '../../src/sandbox/simulated-api/index.ts';
import { fakeContext, runConfigured } from '../../testing/stages/context.ts';

let sqs: FauxqsServer;
let queues: Record<string, string>;
let api: SimulatedApi;

beforeAll(async () => {
  sqs = await startFauxqs({ port: 0, logger: false, host: '127.0.0.1' });
  const create = (name: string, retentionSeconds: number, more: Record<string, string> = {}): string => {
    const attributes = { MessageRetentionPeriod: String(retentionSeconds), ...more };
    sqs.createQueue(name, { attributes });
    // The emulator's own URLs put a name before the address, which makes them no URLs.
    return `${sqs.address}/000000000000/${name}`;
  };
  const RedrivePolicy = JSON.stringify({
    deadLetterTargetArn: 'arn:aws:sqs:us-east-1:000000000000:dead',
    maxReceiveCount: 1_000,
  });
  api = await startSimulatedApi({ host: '127.0.0.1', port: 0, settings: {}, token: 't' });
  queues = {
    source: create('updates', 345_600, { RedrivePolicy }),
    bare: create('bare', 345_600),
    encrypted: create('encrypted', 345_600, { RedrivePolicy, KmsMasterKeyId: 'alias/ours' }),
    good: create('dead', 1_209_600),
    short: create('short', 345_600),
    tooShort: create('too-short', 60),
  };
});

afterAll(async () => {
  await sqs.stop();
  await api.close();
});

beforeEach(() => {
  // The SDK reads these from the process itself.
  vi.stubEnv('AWS_REGION', 'eu-west-1');
  vi.stubEnv('AWS_ACCESS_KEY_ID', 'AKIAIOSFODNN7EXAMPLE');
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'hunter2');
  vi.stubEnv('AWS_ENDPOINT_URL_SQS', sqs.address);
  vi.stubEnv('AWS_ENDPOINT_URL_IOT_MANAGED_INTEGRATIONS', api.url);
  api.configure({ tasks: { kind: 'all', exceptPrefix: 'otaUpdater' } });
});

afterEach(() => {
  vi.unstubAllEnvs();
  api.configure({ denied: 'none', expiredCredentials: false, limit: null });
});

async function check(env: Record<string, string | undefined>, ...args: string[]) {
  const context = fakeContext({ env: { ...process.env, ...env } });
  const ran = await runConfigured(configureCheck, 'check', args, context);
  // A finding on one line.
  return { ...ran, stdout: ran.stdout.replace(/\n {20,}/g, ' ') };
}

describe('check', () => {
  test('ends with 0 when all is well', async () => {
    const { exitCode, stdout, stderr } = await check({
      QUEUE_URL: queues.source,
      DEAD_LETTER_QUEUE_URL: queues.good,
    });
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(/^ok {4}AWS credentials +found, the access key id ends in MPLE$/m);
    expect(stdout).toMatch(
      /\nno errors, no warnings in what was checked; 2 things that a worker needs were\nnot checked, see above\n$/,
    );
    expect(stdout).toMatch(/^ok {4}API +answers, accepts the credentials and allows GetOtaTask$/m);
    expect(stdout).toMatch(/^-- {4}API +whether UpdateOtaTask is allowed: /m);
    expect(stdout).not.toMatch(/hunter2|AKIA/);
    expect(stderr).toBe('');
  });

  test('ends with 0 when there are warnings only', async () => {
    const { exitCode, stdout } = await check({
      QUEUE_URL: queues.source,
      DEAD_LETTER_QUEUE_URL: queues.short,
      SHUTDOWN_GRACE_SECONDS: '60',
    });
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(/^warn {2}DEAD_LETTER_QUEUE_URL +keeps messages 4 days; /m);
    expect(stdout).toMatch(/\n3 warnings, no errors in what was checked; /);
  });

  test('ends with 1 when there are errors, and reports all of them', async () => {
    const { exitCode, stdout } = await check({
      QUEUE_URL: queues.source,
      DEAD_LETTER_QUEUE_URL: queues.tooShort,
      OUTCOME_QUEUE_URL: `${queues.source}-not`,
    });
    expect(exitCode).toBe(1);
    expect(stdout).toMatch(
      /^FAIL {2}DEAD_LETTER_QUEUE_URL +keeps messages 1 minute, shorter than QUEUE_URL/m,
    );
    expect(stdout).toMatch(/^FAIL {2}OUTCOME_QUEUE_URL +there is no queue \S+updates-not/m);
    expect(stdout).toMatch(/\n2 errors, 1 warning: not ready to run\n$/);
  });

  const set = () => ({ QUEUE_URL: queues.source, DEAD_LETTER_QUEUE_URL: queues.good });

  test.each<[string, () => Record<string, string | undefined>, RegExp]>([
    [
      'Redis on a dead port',
      () => ({ ...set(), REDIS_URL: 'redis://u:hunter2@127.0.0.1:1' }),
      /^FAIL {2}REDIS_URL +Redis cannot be used: connection refused/m,
    ],
    [
      'credentials that the API does not accept',
      () => {
        api.configure({ expiredCredentials: true });
        return set();
      },
      /^FAIL {2}API +does not accept the credentials/m,
    ],
    [
      'an API that denies everything',
      () => {
        api.configure({ denied: 'all' });
        return set();
      },
      /^-- {4}API +answers, but denies GetOtaTask, .* whether it allows updates is not known/m,
    ],
    [
      'a KMS key',
      () => ({ ...set(), QUEUE_URL: queues.encrypted }),
      /^-- {4}QUEUE_URL +whether the credentials may use the KMS key alias\/ours .* kms:Decrypt to receive/m,
    ],
    [
      'a state folder that is a file',
      () => ({ ...set(), STATE_DIR: import.meta.filename }),
      /^warn {2}STATE_DIR +\S+ cannot be used: it is not a folder/m,
    ],
    [
      'a source without a redrive policy',
      () => ({ ...set(), QUEUE_URL: queues.bare }),
      /^warn {2}QUEUE_URL +has no redrive policy: .*"maxReceiveCount":1000/m,
    ],
  ])('does not say that all is well with %s', async (_, environment, line) => {
    const { stdout } = await check(environment());
    expect(stdout).toMatch(line);
    expect(stdout).not.toMatch(/all is well|[^t] ready to run|hunter2/);
  });

  test('prints the settings in force, and keeps secrets to itself', async () => {
    const { stdout } = await check({ ...set(), REDIS_URL: 'redis://u:hunter2@127.0.0.1:1/2' });
    expect(stdout).toMatch(/^ {2}RATE_LIMIT +10 {2}\(default\)$/m);
    expect(stdout).toMatch(/^ {2}REDIS_URL +redis:\/\/127\.0\.0\.1:1\/2$/m);
    expect(stdout).not.toContain('hunter2');
  });

  test('recognises one queue by two URLs', async () => {
    const { exitCode, stdout } = await check({
      QUEUE_URL: queues.source,
      DEAD_LETTER_QUEUE_URL: `${queues.source}?again`,
    });
    expect(exitCode).toBe(1);
    expect(stdout).toMatch(/^FAIL {2}DEAD_LETTER_QUEUE_URL +is the same queue as QUEUE_URL/m);
  });

  test('prints one JSON object with --json', async () => {
    const environment = { QUEUE_URL: queues.source, DEAD_LETTER_QUEUE_URL: queues.tooShort };
    const { exitCode, stdout } = await check(environment, '--json');
    expect(exitCode).toBe(1);
    expect(JSON.parse(stdout)).toMatchObject({
      ok: false,
      findings: expect.arrayContaining([
        expect.objectContaining({ severity: 'error', rule: 'dead-letter-retention' }),
        expect.objectContaining({ severity: 'ok', rule: 'clock' }),
      ]),
    });
  });

  test('refuses a faulty configuration before any request', async () => {
    const { exitCode, error, stdout } = await check({ QUEUE_URL: 'updates', RATE_LIMIT: 'fast' });
    expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: '' });
    expect(error).toMatch(/^the configuration has \d faults:\n {2}QUEUE_URL: /);
  });
});
