import { type FauxqsServer, startFauxqs } from 'fauxqs';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { configureCheck } from '../../src/check/command.ts';

import { fakeContext, runConfigured } from '../../testing/stages/context.ts';

let sqs: FauxqsServer;
let queues: Record<string, string>;

beforeAll(async () => {
  sqs = await startFauxqs({ port: 0, logger: false, host: '127.0.0.1' });
  const create = (name: string, retentionSeconds: number): string => {
    sqs.createQueue(name, { attributes: { MessageRetentionPeriod: String(retentionSeconds) } });
    // The emulator's own URLs put a name before the address, which makes them no URLs.
    return `${sqs.address}/000000000000/${name}`;
  };
  queues = {
    source: create('updates', 345_600),
    good: create('dead', 1_209_600),
    short: create('short', 345_600),
    tooShort: create('too-short', 60),
  };
});

afterAll(() => sqs.stop());

beforeEach(() => {
  // The SDK reads these from the process itself.
  vi.stubEnv('AWS_REGION', 'eu-west-1');
  vi.stubEnv('AWS_ACCESS_KEY_ID', 'AKIAIOSFODNN7EXAMPLE');
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'hunter2');
  vi.stubEnv('AWS_ENDPOINT_URL_SQS', sqs.address);
  vi.stubEnv('AWS_ENDPOINT_URL_IOT_MANAGED_INTEGRATIONS', 'http://127.0.0.1:8443');
});

afterEach(() => vi.unstubAllEnvs());

async function check(env: Record<string, string | undefined>, ...args: string[]) {
  return await runConfigured(configureCheck, 'check', args, fakeContext({ env: { ...process.env, ...env } }));
}

describe('check', () => {
  test('ends with 0 when all is well', async () => {
    const { exitCode, stdout, stderr } = await check({
      QUEUE_URL: queues.source,
      DEAD_LETTER_QUEUE_URL: queues.good,
    });
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(/^ok {4}AWS credentials +found, the access key id ends in MPLE$/m);
    expect(stdout).toMatch(/\nall is well: ready to run\n$/);
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
    expect(stdout).toMatch(/\n2 warnings, no errors: ready to run\n$/);
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
    expect(stdout).toMatch(/^FAIL {2}OUTCOME_QUEUE_URL +there is no such queue/m);
    expect(stdout).toMatch(/\n2 errors, 0 warnings: not ready to run\n$/);
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
