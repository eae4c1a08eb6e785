/** Where requests about a queue go: by its URL, by what is configured, and by the switches of the SDK. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, onTestFinished, test, vi } from 'vitest';
import { createSqsClient, type SQSClientConfig } from '../../src/queue/client.ts';
import { Queue } from '../../src/queue/queue.ts';
import { originFor } from '../../src/queue/urls.ts';

const regional = 'https://sqs-by-the-switches';

test.each([
  ['https://sqs.eu-west-1.amazonaws.com/1/q', regional, regional],
  ['https://eu-west-1.queue.amazonaws.com/1/q', regional, regional],
  ['https://queue.amazonaws.com/1/q', regional, regional],
  ['https://sqs.eu-west-1.api.aws/1/q', regional, regional],
  ['https://sqs.cn-north-1.amazonaws.com.cn/1/q', regional, regional],
  ['https://sqs-fips.us-east-1.amazonaws.com/1/q', 'itself', regional],
  // A VPC endpoint was chosen by name; it may not be FIPS for that.
  ['https://vpce-1.sqs.eu-west-1.vpce.amazonaws.com/1/q', regional, 'itself'],
  ['https://vpce-1.sqs-fips.us-east-1.vpce.amazonaws.com/1/q', 'itself', 'itself'],
  ['http://localhost:9324/1/q', 'itself', 'itself'],
  ['http://sqs.eu-west-1.localhost.localstack.cloud:4566/1/q', 'itself', 'itself'],
  ['https://amazonaws.com.example/1/q', 'itself', 'itself'],
  ['no URL', regional, regional],
])('%s: with FIPS %s, with dual-stack %s, else itself', (url, fips, dualStack) => {
  const itself = (origin: string): string => (origin === 'itself' ? new URL(url).origin : origin);
  expect(originFor(url, regional, { fips: true, dualStack: false })).toBe(itself(fips));
  expect(originFor(url, regional, { fips: false, dualStack: true })).toBe(itself(dualStack));
  const plain = URL.canParse(url) ? 'itself' : regional;
  expect(originFor(url, regional, { fips: false, dualStack: false })).toBe(itself(plain));
});

afterEach(() => {
  vi.unstubAllEnvs();
});

/** The host that a request about a queue is sent to. */
async function hostAsked(queueUrl: string, client: SQSClientConfig = {}): Promise<string> {
  const asked = Promise.withResolvers<string>();
  const sqs = createSqsClient(1, {
    region: 'us-east-1',
    credentials: { accessKeyId: 'a', secretAccessKey: 'b' },
    requestHandler: {
      handle: async ({ hostname }: { hostname: string }) => {
        asked.resolve(hostname);
        throw new Error('nothing is sent');
      },
    } as unknown as NonNullable<SQSClientConfig['requestHandler']>,
    ...client,
  });
  onTestFinished(() => sqs.destroy());
  await expect(new Queue(sqs, queueUrl).attributes()).rejects.toThrow('nothing is sent');
  return await asked.promise;
}

const AWS = 'https://sqs.us-east-1.amazonaws.com/1/q';

test.each<[string, Record<string, string>, string, string]>([
  ['nothing is set', {}, AWS, 'sqs.us-east-1.amazonaws.com'],
  ['FIPS', { AWS_USE_FIPS_ENDPOINT: 'true' }, AWS, 'sqs-fips.us-east-1.amazonaws.com'],
  ['dual-stack', { AWS_USE_DUALSTACK_ENDPOINT: 'true' }, AWS, 'sqs.us-east-1.api.aws'],
  [
    'both',
    { AWS_USE_FIPS_ENDPOINT: 'true', AWS_USE_DUALSTACK_ENDPOINT: 'true' },
    AWS,
    'sqs-fips.us-east-1.api.aws',
  ],
  ['FIPS for an emulator', { AWS_USE_FIPS_ENDPOINT: 'true' }, 'http://localhost:9324/1/q', 'localhost'],
  ['an endpoint', { AWS_ENDPOINT_URL_SQS: 'http://emulator:9324' }, AWS, 'emulator'],
  ['an endpoint of all', { AWS_ENDPOINT_URL: 'http://emulator:9324' }, AWS, 'emulator'],
  [
    'an endpoint that is to be ignored',
    { AWS_ENDPOINT_URL: 'http://emulator:9324', AWS_IGNORE_CONFIGURED_ENDPOINT_URLS: 'true' },
    'http://localhost:9324/1/q',
    'localhost',
  ],
])('with %s in the environment', async (_, env, url, host) => {
  for (const [name, value] of Object.entries(env)) vi.stubEnv(name, value);
  const warnings = vi.spyOn(console, 'warn');
  onTestFinished(() => warnings.mockRestore());
  expect(await hostAsked(url)).toBe(host);
  expect(warnings).not.toHaveBeenCalled();
});

test.each([
  ['use_fips_endpoint = true', 'sqs-fips.us-east-1.amazonaws.com'],
  ['use_dualstack_endpoint = true', 'sqs.us-east-1.api.aws'],
  ['endpoint_url = http://emulator:9324', 'emulator'],
])('with %s in the profile', async (line, host) => {
  const folder = mkdtempSync(join(tmpdir(), 'sqs-host-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  writeFileSync(join(folder, 'config'), `[profile worker]\n${line}\n`);
  vi.stubEnv('AWS_CONFIG_FILE', join(folder, 'config'));
  vi.stubEnv('AWS_PROFILE', 'worker');
  expect(await hostAsked(AWS)).toBe(host);
});
