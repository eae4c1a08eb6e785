import { once } from 'node:events';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type FauxqsServer, startFauxqs } from 'fauxqs';
import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest';
import { watchClockSkew } from '../../src/aws/server-time.ts';
import type { CheckFacts } from '../../src/check/facts.ts';
import { type CheckSources, gatherFacts } from '../../src/check/gather.ts';
import { type Environment, readConfig } from '../../src/config.ts';
import type { Failure } from '../../src/message/failure.ts';
import { createSqsClient, type SQSClientConfig } from '../../src/queue/client.ts';
import { systemClock } from '../../src/time/clock.ts';

let sqs: FauxqsServer;
let sourceUrl: string;
let deadLetterUrl: string;

beforeAll(async () => {
  sqs = await startFauxqs({ port: 0, logger: false, host: '127.0.0.1' });
  const deadLetter = sqs.createQueue('dead', { attributes: { MessageRetentionPeriod: '1209600' } });
  deadLetterUrl = urlOf('dead');
  sourceUrl = urlOf('updates');
  sqs.createQueue('updates', {
    attributes: {
      VisibilityTimeout: '45',
      MaximumMessageSize: '262144',
      RedrivePolicy: JSON.stringify({ deadLetterTargetArn: deadLetter.queueArn, maxReceiveCount: 5 }),
    },
  });
});

afterAll(() => sqs.stop());

/** The emulator's own URLs put a name before the address, which makes them no URLs. */
const urlOf = (name: string): string => `${sqs.address}/000000000000/${name}`;

interface Options {
  readonly env?: Environment;
  readonly client?: SQSClientConfig;
  readonly now?: () => number;
  readonly resolveHost?: CheckSources['resolveHost'];
  readonly api?: Partial<CheckSources['api']>;
  readonly askRedis?: CheckSources['askRedis'];
  readonly onSleep?: (ms: number) => void;
}

const REGIONAL = { url: 'https://api.example', custom: false, fips: false };

function gather({
  env = {},
  client: overrides = {},
  now = Date.now,
  resolveHost,
  api = {},
  askRedis = async () => ({ at: 0, replica: false }),
  onSleep = () => {},
}: Options = {}): Promise<CheckFacts> {
  const client = createSqsClient(3, {
    endpoint: sqs.address,
    region: 'eu-west-1',
    credentials: { accessKeyId: 'AKIAIOSFODNN7EXAMPLE', secretAccessKey: 'hunter2', sessionToken: 'hunter2' },
    ...overrides,
  });
  onTestFinished(() => client.destroy());
  const all = { QUEUE_URL: sourceUrl, DEAD_LETTER_QUEUE_URL: deadLetterUrl, ...env };
  return gatherFacts({
    config: readConfig(all),
    env: all,
    client,
    clockSkewMs: watchClockSkew(client, { ...systemClock, wall: now }),
    resolveHost: resolveHost ?? (async () => '192.0.2.1'),
    api: { endpoint: async () => REGIONAL, read: async () => undefined, ...api },
    askRedis,
    tryState: async ({ stateDir: path }) => ({ path, fault: undefined, ledger: undefined }),
    clock: { ...systemClock, wall: now },
    random: () => 0.5,
    sleep: async (ms) => onSleep(ms),
  });
}

/** An SQS that answers everything alike. */
async function serve(listener: RequestListener): Promise<string> {
  const server: Server = createServer(listener).listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const refuse =
  (status: number, code: string, date?: Date): RequestListener =>
  (_, response) => {
    if (date !== undefined) response.setHeader('date', date.toUTCString());
    response.writeHead(status, { 'content-type': 'application/x-amz-json-1.0' });
    response.end(JSON.stringify({ __type: `com.amazonaws.sqs#${code}`, message: 'not\nyou' }));
  };

describe('gatherFacts', () => {
  test('reads source and dead-letter queue', async () => {
    const { queues } = await gather();
    expect(queues).toMatchObject([
      {
        role: 'source',
        url: sourceUrl,
        attributes: {
          value: { visibilitySeconds: 45, maximumMessageBytes: 262_144, retentionSeconds: 345_600 },
        },
      },
      { role: 'dead-letter', url: deadLetterUrl, attributes: { value: { retentionSeconds: 1_209_600 } } },
    ]);
  });

  test('reads the outcome queue when there is one', async () => {
    sqs.createQueue('outcomes');
    const outcome = urlOf('outcomes');
    const { queues } = await gather({ env: { OUTCOME_QUEUE_URL: outcome } });
    expect(queues[2]).toMatchObject({ role: 'outcome', url: outcome, attributes: { ok: true } });
  });

  test('shows the end of the access key id, and no secret', async () => {
    const facts = await gather();
    expect(facts.credentials).toEqual({ ok: true, value: { accessKey: 'MPLE', leftMs: undefined } });
    expect(JSON.stringify(facts)).not.toMatch(/hunter2|AKIA/);
  });

  test('keeps a queue that does not exist as a fact', async () => {
    const { queues } = await gather({ env: { QUEUE_URL: `${sourceUrl}-not` } });
    expect(queues[0]).toMatchObject({ attributes: { ok: false, error: { name: 'QueueDoesNotExist' } } });
    expect(queues[1]).toMatchObject({ attributes: { ok: true } });
  });

  test('keeps a refusal as a fact, on one line', async () => {
    const endpoint = await serve(refuse(403, 'AccessDeniedException'));
    const { queues } = await gather({ client: { endpoint } });
    expect(queues[0]).toMatchObject({
      attributes: { ok: false, error: { name: 'AccessDeniedException', message: 'not you' } },
    });
  });

  test('keeps a connection refused as a fact', async () => {
    const closed = await startFauxqs({ port: 0, logger: false, host: '127.0.0.1' });
    const endpoint = closed.address;
    await closed.stop();
    const { queues, clockSkewMs } = await gather({ client: { endpoint } });
    expect(queues[0]).toMatchObject({ attributes: { ok: false, error: { kind: 'unreachable' } } });
    expect(clockSkewMs).toBeUndefined();
  });

  test('asks no queue without credentials', async () => {
    const credentials = async (): Promise<never> => {
      throw Object.assign(new Error('none found'), { name: 'CredentialsProviderError' });
    };
    const facts = await gather({ client: { credentials } });
    expect(facts.credentials).toMatchObject({ ok: false, error: { name: 'CredentialsProviderError' } });
    expect(facts.queues.map(({ attributes }) => attributes)).toEqual([undefined, undefined]);
  });

  test('asks no queue and no API without a region', async () => {
    const region = async (): Promise<never> => {
      throw new Error('Region is missing');
    };
    const facts = await gather({ client: { region } });
    expect(facts.region).toMatchObject({ ok: false, error: { message: 'Region is missing' } });
    expect(facts.queues.map(({ attributes }) => attributes)).toEqual([undefined, undefined]);
    expect(facts.api).toBeUndefined();
  });

  test('asks the API for its endpoint in the region, and resolves the host of that', async () => {
    const endpoint = vi.fn(async () => ({ ...REGIONAL, url: 'http://[::1]:8443/base' }));
    const { api } = await gather({ api: { endpoint }, resolveHost: async (host) => `address of ${host}` });
    expect(endpoint).toHaveBeenCalledWith('eu-west-1');
    expect(api).toMatchObject({ address: { ok: true, value: 'address of ::1' }, read: 'allowed' });
  });

  test('keeps a host without an address, and an endpoint that is no URL, as facts', async () => {
    const resolveHost = async (host: string): Promise<never> => {
      throw Object.assign(new Error(`getaddrinfo ENOTFOUND ${host}`), { code: 'ENOTFOUND' });
    };
    expect((await gather({ resolveHost })).api?.address).toMatchObject({ error: { message: /ENOTFOUND/ } });
    const endpoint = async () => ({ ...REGIONAL, url: 'localhost' });
    expect((await gather({ api: { endpoint } })).api?.address).toMatchObject({ ok: false });
  });

  test('keeps how the API answers, asked again while that may be over soon', async () => {
    const failure: Failure = { kind: 'throttled', name: 'Slow', message: '', status: 429, retryAfterMs: 900 };
    const read = vi.fn(
      async (): Promise<Failure | undefined> => (read.mock.calls.length < 3 ? failure : undefined),
    );
    const waits: number[] = [];
    const onSleep = (ms: number): void => void waits.push(ms);
    expect((await gather({ api: { read }, onSleep })).api?.read).toBe('allowed');
    expect(waits).toEqual([900, 900]);

    const down = { ...failure, kind: 'retryable' as const, retryAfterMs: 900_000 };
    read.mockClear();
    read.mockImplementation(async () => down);
    expect((await gather({ api: { read }, onSleep })).api?.read).toBe(down);
    expect(read).toHaveBeenCalledTimes(5);
    expect(Math.max(...waits)).toBe(3_000);

    const silent: Failure = { kind: 'retryable', name: 'TimeoutError', message: 'no answer' };
    read.mockClear();
    read.mockImplementation(async () => silent);
    expect((await gather({ api: { read }, onSleep })).api?.read).toBe(silent);
    expect(read).toHaveBeenCalledOnce();

    const denied = { ...failure, kind: 'denied' as const };
    read.mockClear();
    read.mockImplementation(async () => denied);
    expect((await gather({ api: { read }, onSleep })).api?.read).toBe(denied);
    expect(read).toHaveBeenCalledOnce();
  });

  test('asks SQS again while it is throttled', async () => {
    let requests = 0;
    const endpoint = await serve((request, response) => {
      if (++requests <= 3) return refuse(400, 'RequestThrottled')(request, response);
      response.end('{"Attributes":{"QueueArn":"arn"}}');
    });
    const { queues } = await gather({ client: { endpoint } });
    expect(queues.every(({ attributes }) => attributes?.ok)).toBe(true);
    expect(requests).toBe(5);
  });

  test.each([
    [
      { at: 1_000_000, replica: false },
      { ok: true, value: { skewMs: 5_000, replica: false } },
    ],
    [
      Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' }),
      { ok: false, fault: 'connection refused: nothing listens there (ECONNREFUSED)' },
    ],
  ])('keeps how Redis answers: %j', async (answered, answer) => {
    const { redis } = await gather({
      env: { REDIS_URL: 'redis://:hunter2@cache/1' },
      now: () => 1_005_000,
      askRedis: async () => {
        if (answered instanceof Error) throw answered;
        return answered;
      },
    });
    expect(redis).toEqual({ tls: false, password: true, loopback: false, answer });
  });

  test.each<[string, SQSClientConfig, string, boolean]>([
    ['an endpoint of the client itself', {}, '', true],
    ['nothing', { endpoint: undefined } as unknown as SQSClientConfig, '', false],
    ['the variable', { endpoint: undefined } as unknown as SQSClientConfig, 'http://localhost:1', true],
  ])('knows whether an endpoint of SQS is configured: %s', async (_, client, variable, expected) => {
    vi.stubEnv('AWS_ENDPOINT_URL_SQS', variable);
    onTestFinished(() => void vi.unstubAllEnvs());
    // Without credentials no request is made.
    const credentials = async (): Promise<never> => {
      throw new Error('none found');
    };
    expect((await gather({ client: { ...client, credentials } })).endpointSet).toBe(expected);
  });
});
