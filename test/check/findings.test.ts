import { describe, expect, test } from 'vitest';
import type { Answer, CheckFacts, QueueFacts, QueueRole } from '../../src/check/facts.ts';
import type { Finding } from '../../src/check/finding.ts';
import { findingsOf, isOk } from '../../src/check/findings.ts';
import type { FailureKind } from '../../src/message/failure.ts';
import { sqsErrorKind } from '../../src/queue/errors.ts';
import type { QueueAttributes } from '../../src/queue/types.ts';

const DAY = 86_400;
const MiB = 1_048_576;

const failed = (name: string, message = 'no', code?: string): Answer<never> => {
  const kind = sqsErrorKind(Object.assign(new Error(message), { name, code }));
  return { ok: false, error: { name, message, kind, code, answered: code === undefined } };
};

const attributes = (name: string, changes: Partial<QueueAttributes> = {}): QueueAttributes => ({
  arn: `arn:aws:sqs:eu-west-1:123456789012:${name}`,
  fifo: false,
  retentionSeconds: 14 * DAY,
  visibilitySeconds: 30,
  maximumMessageBytes: MiB,
  redrivePolicy: undefined,
  visible: 0,
  notVisible: 0,
  delayed: 0,
  contentBasedDeduplication: false,
  createdAt: undefined,
  kmsKeyId: undefined,
  ...changes,
});

const url = (name: string, region = 'eu-west-1'): string =>
  `https://sqs.${region}.amazonaws.com/123456789012/${name}`;

const queue = (role: QueueRole, name: string, changes: Partial<QueueAttributes> = {}): QueueFacts => ({
  role,
  url: url(name),
  attributes: {
    ok: true,
    value: attributes(name, { ...(role === 'source' && { redrivePolicy: redriveTo('dead') }), ...changes }),
  },
});

const redriveTo = (name: string): string =>
  JSON.stringify({ deadLetterTargetArn: attributes(name).arn, maxReceiveCount: '1000' });

/** Facts of a set-up that is as it should be. */
const healthy: CheckFacts = {
  proxy: undefined,
  redis: undefined,
  settings: { shutdownGraceSeconds: 25, visibilityTimeoutSeconds: 30, callTimeoutMs: 10_000 },
  region: { ok: true, value: 'eu-west-1' },
  credentials: { ok: true, value: { accessKey: 'MPLE', leftMs: undefined } },
  queues: [queue('source', 'updates'), queue('dead-letter', 'dead')],
  state: { path: '/state', fault: undefined, ledger: undefined },
  endpointSet: false,
  clockSkewMs: 0,
  api: {
    url: 'https://api.iotmanagedintegrations.eu-west-1.api.aws',
    custom: false,
    fips: false,
    address: { ok: true, value: '192.0.2.1' },
    read: 'allowed',
  },
};

/** What is found with `changes` put over healthy facts, but for what is well. */
function faultsOf(changes: Partial<CheckFacts>): Finding[] {
  return findingsOf({ ...healthy, ...changes }).filter(
    ({ severity }) => severity === 'error' || severity === 'warning',
  );
}

/** Healthy facts with other attributes of source and dead-letter queue. */
const pair = (
  source: Partial<QueueAttributes>,
  deadLetter: Partial<QueueAttributes>,
): Partial<CheckFacts> => ({
  queues: [queue('source', 'updates', source), queue('dead-letter', 'dead', deadLetter)],
});

/** Healthy facts with an outcome queue besides. */
const outcomes = (changes: Partial<QueueAttributes>): Partial<CheckFacts> => ({
  queues: [...healthy.queues, queue('outcome', 'outcomes', changes)],
});

const unread = (role: QueueRole, answer: QueueFacts['attributes']): Partial<CheckFacts> => ({
  queues: [
    ...healthy.queues.filter((other) => other.role !== role),
    { role, url: url('x'), attributes: answer },
  ],
});

const policy = (maxReceiveCount: unknown, name = 'dead'): Partial<CheckFacts> => {
  const deadLetterTargetArn = attributes(name).arn;
  return pair({ redrivePolicy: JSON.stringify({ maxReceiveCount, deadLetterTargetArn }) }, {});
};

const settings = (changes: Partial<CheckFacts['settings']>): Partial<CheckFacts> => ({
  settings: { ...healthy.settings, ...changes },
});

const api = (changes: Partial<NonNullable<CheckFacts['api']>>): Partial<CheckFacts> => ({
  api: healthy.api === undefined ? undefined : { ...healthy.api, ...changes },
});

const redis = (changes: Partial<NonNullable<CheckFacts['redis']>>): Partial<CheckFacts> => ({
  redis: {
    tls: true,
    password: true,
    loopback: false,
    answer: { ok: true, value: { skewMs: 0, replica: false } },
    ...changes,
  },
});

const read = (kind: FailureKind, status?: number): Partial<CheckFacts> =>
  api({ read: { kind, name: 'Name', message: 'no', ...(status !== undefined && { status }) } });

type Case = readonly [title: string, changes: Partial<CheckFacts>];
type Fault = readonly [...Case, severity: 'error' | 'warning', rule: string, where: string];

describe('findingsOf', () => {
  test('reports every rule as ok for a healthy set-up', () => {
    expect(faultsOf({})).toEqual([]);
    expect(findingsOf(healthy).map(({ rule }) => rule)).toEqual([
      'region',
      'credentials',
      'queue-read',
      'queue-read',
      'dead-letter-retention',
      'dead-letter-size',
      'redrive-policy',
      'queue-actions',
      'clock',
      'api-endpoint',
      'api-read',
      'api-update',
      'state-folder',
      'shutdown-grace',
      'lease',
    ]);
  });

  test.each<Fault>([
    ['no region', { region: failed('Error'), api: undefined }, 'error', 'region', 'AWS region'],
    [
      'no credentials',
      { credentials: failed('CredentialsProviderError') },
      'error',
      'credentials',
      'AWS credentials',
    ],
    [
      'a source that does not exist',
      unread('source', failed('QueueDoesNotExist')),
      'error',
      'queue-missing',
      'QUEUE_URL',
    ],
    [
      'a dead-letter queue that does not exist, in the query protocol',
      unread('dead-letter', failed('AWS.SimpleQueueService.NonExistentQueue')),
      'error',
      'queue-missing',
      'DEAD_LETTER_QUEUE_URL',
    ],
    [
      'a source that may not be read',
      unread('source', failed('AccessDenied')),
      'error',
      'queue-permission',
      'QUEUE_URL',
    ],
    [
      'a dead-letter queue that may not be read',
      unread('dead-letter', failed('AccessDeniedException')),
      'error',
      'queue-permission',
      'DEAD_LETTER_QUEUE_URL',
    ],
    [
      'an outcome queue that may not be read',
      unread('outcome', failed('AccessDenied')),
      'warning',
      'queue-permission',
      'OUTCOME_QUEUE_URL',
    ],
    [
      'an outcome queue that does not exist',
      unread('outcome', failed('QueueDoesNotExist')),
      'error',
      'queue-missing',
      'OUTCOME_QUEUE_URL',
    ],
    [
      'expired credentials',
      unread('source', failed('ExpiredToken')),
      'error',
      'queue-credentials',
      'QUEUE_URL',
    ],
    [
      'a connection refused',
      unread('source', failed('Error', 'connect', 'ECONNREFUSED')),
      'error',
      'queue-unreachable',
      'QUEUE_URL',
    ],
    [
      'no answer in time',
      unread('source', failed('TimeoutError')),
      'error',
      'queue-unreachable',
      'QUEUE_URL',
    ],
    [
      'an answer nobody expects',
      unread('source', failed('InternalFailure')),
      'error',
      'queue-unreadable',
      'QUEUE_URL',
    ],
    [
      'credentials that have expired',
      { credentials: { ok: true, value: { accessKey: 'MPLE', leftMs: -60_000 } } },
      'error',
      'credentials',
      'AWS credentials',
    ],
    [
      'a queue that is throttled all the time',
      unread('source', failed('RequestThrottled')),
      'warning',
      'queue-throttled',
      'QUEUE_URL',
    ],
    [
      'an answer that is not of SQS',
      unread('dead-letter', {
        ok: false,
        error: { name: 'ForeignAnswer', message: 'HTTP 200, text/html', kind: 'foreign', answered: true },
      }),
      'error',
      'queue-foreign',
      'DEAD_LETTER_QUEUE_URL',
    ],
    ['no redrive policy', pair({ redrivePolicy: undefined }, {}), 'warning', 'redrive-policy', 'QUEUE_URL'],
    ['an API that cannot be reached', read('unreachable'), 'error', 'api-read', 'API'],
    ['credentials that the API does not accept', read('misconfigured'), 'error', 'api-read', 'API'],
    ['a page in place of the API', read('unidentified', 200), 'error', 'api-read', 'API'],
    ['an API that fails', read('retryable', 500), 'error', 'api-read', 'API'],
    ['an API that is throttled all the time', read('throttled', 429), 'warning', 'api-read', 'API'],
    ['a bug', read('internal'), 'error', 'api-read', 'API'],
    [
      'Redis on a dead port',
      redis({ answer: { ok: false, fault: 'refused' } }),
      'error',
      'redis',
      'REDIS_URL',
    ],
    [
      'a replica of Redis',
      redis({ answer: { ok: true, value: { skewMs: 0, replica: true } } }),
      'error',
      'redis',
      'REDIS_URL',
    ],
    [
      'a clock of Redis that is ahead',
      redis({ answer: { ok: true, value: { skewMs: -61_000, replica: false } } }),
      'warning',
      'redis-clock',
      "Redis's clock",
    ],
    [
      'a state folder that cannot be used',
      { state: { path: '/state', fault: 'it is not a folder', ledger: undefined } },
      'warning',
      'state-folder',
      'STATE_DIR',
    ],
    [
      'a ledger that cannot be read',
      {
        state: {
          path: '/state',
          fault: undefined,
          ledger: { setting: 'STATE_DIR', fault: 'it is not a database' },
        },
      },
      'warning',
      'ledger',
      'ledger of jobs',
    ],
    [
      'one queue by two URLs',
      {
        queues: [
          queue('source', 'updates', { redrivePolicy: redriveTo('updates') }),
          { ...queue('dead-letter', 'updates'), url: `${url('updates')}/` },
        ],
      },
      'error',
      'queues-distinct',
      'DEAD_LETTER_QUEUE_URL',
    ],
    [
      'an outcome queue that does not keep messages as long as SQS can',
      outcomes({ retentionSeconds: 4 * DAY }),
      'warning',
      'outcome-retention',
      'OUTCOME_QUEUE_URL',
    ],
    [
      'an outcome queue that is the source',
      { queues: [...healthy.queues, queue('outcome', 'updates')] },
      'error',
      'queues-distinct',
      'OUTCOME_QUEUE_URL',
    ],
    [
      'FIFO dead letters of a standard queue',
      pair({}, { fifo: true }),
      'error',
      'queue-kinds',
      'DEAD_LETTER_QUEUE_URL',
    ],
    [
      'standard dead letters of a FIFO queue',
      pair({ fifo: true }, {}),
      'error',
      'queue-kinds',
      'DEAD_LETTER_QUEUE_URL',
    ],
    [
      'dead letters kept shorter than messages',
      pair({ retentionSeconds: 4 * DAY }, { retentionSeconds: 4 * DAY - 1 }),
      'error',
      'dead-letter-retention',
      'DEAD_LETTER_QUEUE_URL',
    ],
    [
      'dead letters kept below 14 days',
      pair({ retentionSeconds: 4 * DAY }, { retentionSeconds: 14 * DAY - 1 }),
      'warning',
      'dead-letter-retention',
      'DEAD_LETTER_QUEUE_URL',
    ],
    [
      'a dead-letter queue that takes less than the source',
      pair({ maximumMessageBytes: 262_144 }, { maximumMessageBytes: 262_143 }),
      'error',
      'dead-letter-size',
      'DEAD_LETTER_QUEUE_URL',
    ],
    [
      'a dead-letter queue without room for the reason',
      pair({ maximumMessageBytes: 262_144 }, { maximumMessageBytes: 262_144 }),
      'warning',
      'dead-letter-size',
      'DEAD_LETTER_QUEUE_URL',
    ],
    ['a redrive after few receives', policy(99), 'warning', 'redrive-policy', 'QUEUE_URL'],
    ['a redrive after few receives, as text', policy('5'), 'warning', 'redrive-policy', 'QUEUE_URL'],
    [
      'dead letters that SQS moves on',
      pair({}, { redrivePolicy: JSON.stringify({ maxReceiveCount: 3, deadLetterTargetArn: 'arn:x' }) }),
      'warning',
      'dead-letter-redrive',
      'DEAD_LETTER_QUEUE_URL',
    ],
    ['a redrive elsewhere', policy(1_000, 'other'), 'warning', 'redrive-target', 'QUEUE_URL'],
    [
      'a redrive policy that is not JSON',
      pair({ redrivePolicy: '{' }, {}),
      'warning',
      'redrive-policy',
      'QUEUE_URL',
    ],
    ['a redrive policy without a count', policy(undefined), 'warning', 'redrive-policy', 'QUEUE_URL'],
    ['a clock 61 s ahead', { clockSkewMs: 61_000 }, 'warning', 'clock', 'local clock'],
    ['a clock 61 s behind', { clockSkewMs: -61_000 }, 'warning', 'clock', 'local clock'],
    ['a clock 5 minutes and more ahead', { clockSkewMs: 300_001 }, 'error', 'clock', 'local clock'],
    ['a clock 5 minutes and more behind', { clockSkewMs: -300_001 }, 'error', 'clock', 'local clock'],
    ['a clock that could not be compared', { clockSkewMs: undefined }, 'warning', 'clock', 'local clock'],
    [
      'an API that does not resolve',
      api({ address: failed('Error'), read: 'not-asked' }),
      'error',
      'api-endpoint',
      'API endpoint',
    ],
    [
      'an endpoint of the API that does not resolve',
      api({ custom: true, url: 'https://api.invalid', address: failed('Error'), read: 'not-asked' }),
      'error',
      'api-endpoint',
      'AWS_ENDPOINT_URL_IOT_MANAGED_INTEGRATIONS',
    ],
    [
      'an endpoint of the API together with FIPS',
      api({ custom: true, fips: true }),
      'error',
      'api-endpoint',
      'AWS_ENDPOINT_URL_IOT_MANAGED_INTEGRATIONS',
    ],
    [
      'a grace longer than the platform gives',
      settings({ shutdownGraceSeconds: 31 }),
      'warning',
      'shutdown-grace',
      'SHUTDOWN_GRACE_SECONDS',
    ],
    [
      'a lease as long as a call',
      settings({ visibilityTimeoutSeconds: 10 }),
      'warning',
      'lease',
      'VISIBILITY_TIMEOUT_SECONDS',
    ],
    ['Redis without TLS', redis({ tls: false }), 'warning', 'redis-open', 'REDIS_URL'],
    ['Redis without a password', redis({ password: false }), 'warning', 'redis-open', 'REDIS_URL'],
  ])('reports %s', (_, changes, severity, rule, where) => {
    expect(faultsOf(changes)).toEqual([
      { severity, rule, where, what: expect.any(String), fix: expect.any(String) },
    ]);
  });

  test.each<Case>([
    ['Redis with both', redis({})],
    ['Redis on this machine', redis({ tls: false, password: false, loopback: true })],
    [
      'a clock of Redis that is that of SQS, where this machine is off',
      {
        ...redis({ answer: { ok: true, value: { skewMs: 50_000, replica: undefined } } }),
        clockSkewMs: 50_000,
      },
    ],
    ['an API that denies the read', read('denied', 403)],
    ['an API that finds fault with the read', read('rejected', 400)],
    ['a host of the API that only a proxy resolves', api({ address: failed('Error'), read: 'allowed' })],
    ['a queue that was not asked', unread('source', undefined)],
    [
      'credentials that last an hour',
      { credentials: { ok: true, value: { accessKey: 'a', leftMs: 3_600_000 } } },
    ],
    ['retention that is equal and the longest', pair({ retentionSeconds: 14 * DAY }, {})],
    ['a small source beside a large dead-letter queue', pair({ maximumMessageBytes: 1_024 }, {})],
    ['a redrive after 100 receives', policy(100)],
    ['two FIFO queues', pair({ fifo: true }, { fifo: true })],
    [
      'answers without retention and size',
      pair({ retentionSeconds: undefined, maximumMessageBytes: undefined }, {}),
    ],
    ['a clock 60 s off', { clockSkewMs: -60_000 }],
    ['a grace of 30 s', settings({ shutdownGraceSeconds: 30 })],
    ['a lease longer than a call', settings({ callTimeoutMs: 29_999 })],
    ['an endpoint of the API set by hand', api({ custom: true, url: 'http://127.0.0.1:8443' })],
    ['an outcome queue of its own', { queues: [...healthy.queues, queue('outcome', 'outcomes')] }],
    [
      'queues of one name in two regions that could not be compared by ARN',
      {
        endpointSet: true,
        queues: [
          queue('source', 'updates', { arn: undefined, redrivePolicy: redriveTo('updates') }),
          { ...queue('dead-letter', 'updates'), url: url('updates', 'eu-west-2') },
        ],
      },
    ],
  ])('accepts %s', (_, changes) => {
    expect(faultsOf(changes)).toEqual([]);
  });

  test('takes two URLs for one queue without ARNs when they differ in a slash', () => {
    const [source, deadLetter] = [
      queue('source', 'a', { arn: undefined }),
      queue('dead-letter', 'a', { arn: undefined }),
    ];
    const faults = faultsOf({ queues: [source, { ...deadLetter, url: `${deadLetter.url}/` }] });
    expect(faults.map(({ rule }) => rule)).toEqual(['queues-distinct']);
  });

  test.each([
    ['ap-southeast-2', 'https://sqs.ap-southeast-2.amazonaws.com/1/q'],
    ['us-east-1', 'https://sqs.us-east-1.api.aws/1/q'],
    ['cn-north-1', 'https://sqs.cn-north-1.amazonaws.com.cn/1/q'],
    ['cn-north-1', 'https://sqs.cn-north-1.api.amazonwebservices.com.cn/1/q'],
    ['eusc-de-east-1', 'https://sqs.eusc-de-east-1.amazonaws.eu/1/q'],
    ['eusc-de-east-1', 'https://sqs.eusc-de-east-1.api.amazonwebservices.eu/1/q'],
    ['us-west-2', 'https://us-west-2.queue.amazonaws.com/1/q'],
    ['us-east-2', 'https://vpce-1.sqs.us-east-2.vpce.amazonaws.com/1/q'],
    ['us-gov-west-1', 'https://sqs-fips.us-gov-west-1.amazonaws.com/1/q'],
  ])('reports a queue in %s when the region is eu-west-1', (its, address) => {
    const queues = [{ ...queue('source', 'q'), url: address }];
    expect(faultsOf({ queues })).toMatchObject([
      { severity: 'error', rule: 'queue-region', what: expect.stringContaining(its) },
    ]);
    expect(faultsOf({ queues, endpointSet: true })).toEqual([]);
    expect(faultsOf({ queues, region: { ok: true, value: its } }).map(({ rule }) => rule)).toEqual([
      'api-region',
    ]);
  });

  test('warns of a region where the API is not known to run, unless its endpoint is set', () => {
    const region: Answer<string> = { ok: true, value: 'us-east-1' };
    const queues = [queue('source', 'a'), queue('dead-letter', 'dead')].map((each) => ({
      ...each,
      url: 'http://localhost',
    }));
    const elsewhere = { region, queues: queues.map((each, i) => ({ ...each, url: `${each.url}/${i}` })) };
    expect(faultsOf(elsewhere)).toMatchObject([{ severity: 'warning', rule: 'api-region' }]);
    expect(faultsOf({ ...elsewhere, ...api({ custom: true }) })).toEqual([]);
    expect(faultsOf({ region: { ok: true, value: 'ca-central-1' }, queues: elsewhere.queues })).toEqual([]);
  });

  test('does not judge the clock when SQS was not asked', () => {
    const queues = healthy.queues.map((each) => ({ ...each, attributes: undefined }));
    const rules = findingsOf({ ...healthy, queues, clockSkewMs: undefined }).map(({ rule }) => rule);
    expect(rules).not.toContain('clock');
  });

  test("shows the queues' own visibility timeout without judging it", () => {
    const found = findingsOf({
      ...healthy,
      ...pair({ visibilitySeconds: 0 }, { visibilitySeconds: 43_200 }),
    });
    const details = found.filter(({ rule }) => rule === 'queue-read').map(({ what }) => what);
    expect(details).toEqual([
      'standard queue, keeps messages 14 days, own visibility timeout 0 seconds',
      'standard queue, keeps messages 14 days, own visibility timeout 12 hours',
    ]);
  });

  test('does not show user and password of a URL', () => {
    const queues: QueueFacts[] = [
      {
        role: 'source',
        url: 'https://user:hunter2@host/q?key=hunter2',
        attributes: failed('QueueDoesNotExist'),
      },
    ];
    const text = JSON.stringify(
      findingsOf({ ...healthy, queues, ...api({ url: 'https://user:hunter2@host/' }) }),
    );
    expect(text).toContain('https://host/q');
    expect(text).not.toContain('hunter2');
  });
});

describe('isOk', () => {
  const finding = (severity: Finding['severity']): Finding => ({
    severity,
    rule: 'region',
    where: 'w',
    what: 'x',
  });

  test('allows warnings, and no error', () => {
    expect(isOk([])).toBe(true);
    expect(isOk([finding('ok'), finding('warning'), finding('unchecked')])).toBe(true);
    expect(isOk([finding('ok'), finding('error')])).toBe(false);
  });
});

describe('what was not checked', () => {
  const unchecked = (changes: Partial<CheckFacts>): Finding[] =>
    findingsOf({ ...healthy, ...changes }).filter(({ severity }) => severity === 'unchecked');

  test('is named, with what it takes', () => {
    expect(unchecked({}).map(({ rule, fix }) => [rule, fix])).toEqual([
      [
        'queue-actions',
        'the worker needs sqs:ReceiveMessage, DeleteMessage and ChangeMessageVisibility on QUEUE_URL, sqs:SendMessage on DEAD_LETTER_QUEUE_URL',
      ],
      ['api-update', 'the worker needs iotmanagedintegrations:UpdateOtaTask'],
    ]);
  });

  test('holds an API that denies the read: that proves nothing about updates', () => {
    const found = unchecked(read('denied', 403)).filter(({ where }) => where === 'API');
    expect(found).toMatchObject([{ rule: 'api-read', fix: expect.stringContaining('GetOtaTask') }]);
  });

  test('holds the use of a KMS key, with what each role needs on it', () => {
    const key = 'arn:aws:kms:eu-west-1:123456789012:key/k';
    const found = unchecked({
      queues: [
        queue('source', 'updates', { kmsKeyId: key }),
        queue('dead-letter', 'dead', { kmsKeyId: key }),
        queue('outcome', 'outcomes', { kmsKeyId: 'alias/aws/sqs' }),
      ],
    }).filter(({ rule }) => rule === 'queue-key');
    expect(found.map(({ where, fix }) => [where, fix])).toEqual([
      [
        'QUEUE_URL',
        'it must allow kms:Decrypt to receive (worker), kms:GenerateDataKey and kms:Decrypt to send (enqueue, jobs, dead-letters redrive, other producers)',
      ],
      [
        'DEAD_LETTER_QUEUE_URL',
        'it must allow kms:GenerateDataKey and kms:Decrypt to send (worker), kms:Decrypt to receive (dead-letters)',
      ],
    ]);
    expect(found[0]?.what).toContain(key);
  });
});

test('no redrive policy: the one to set is given as it is to be typed', () => {
  const [found] = faultsOf(pair({ redrivePolicy: undefined }, {}));
  expect(found?.what).toContain('Source queue must be configured as a Dead Letter Queue');
  expect(found?.fix).toContain(
    '{"deadLetterTargetArn":"arn:aws:sqs:eu-west-1:123456789012:dead","maxReceiveCount":1000}',
  );
});
