import { describe, expect, test } from 'vitest';
import { ConfigError, describeConfig, type Environment, readConfig } from '../src/config.ts';

const queues = {
  QUEUE_URL: 'https://sqs.eu-west-1.amazonaws.com/123456789012/updates',
  DEAD_LETTER_QUEUE_URL: 'https://sqs.eu-west-1.amazonaws.com/123456789012/updates-dead',
};

const secret = `whsec_${Buffer.alloc(32, 7).toString('base64')}`;

/** The faults of a good environment with `changes` put over it. */
function faultsOf(changes: Environment): readonly string[] {
  try {
    readConfig({ ...queues, ...changes });
    return [];
  } catch (error) {
    if (error instanceof ConfigError) return error.faults;
    throw error;
  }
}

describe('readConfig', () => {
  test('needs the two queues only, and has a default for the rest', () => {
    expect(readConfig(queues)).toEqual({
      queueUrl: queues.QUEUE_URL,
      deadLetterQueueUrl: queues.DEAD_LETTER_QUEUE_URL,
      rateLimit: 10,
      rateAdaptive: true,
      maxConcurrency: 50,
      maxAttempts: 5,
      retryBaseMs: 200,
      retryMaxMs: 20_000,
      maxDeliveries: 5,
      failureRunLimit: 20,
      callTimeoutMs: 10_000,
      maxHeldMb: 32,
      visibilityTimeoutSeconds: 30,
      shutdownGraceSeconds: 25,
      limitsFile: undefined,
      redisUrl: undefined,
      outcomeQueueUrl: undefined,
      outcomeFormat: 'json',
      stateDir: '.ota-updater',
      httpHost: '127.0.0.1',
      httpPort: 8080,
      metrics: 'prometheus',
      consoleHost: '127.0.0.1',
      consolePort: 8090,
      logLevel: 'info',
    });
  });

  test('is frozen', () => {
    expect(Object.isFrozen(readConfig(queues))).toBe(true);
  });

  test('takes an empty variable as one that is not set', () => {
    const empty = Object.fromEntries(describeConfig().map(({ name }) => [name, '']));
    expect(readConfig({ ...empty, ...queues })).toEqual(readConfig(queues));
  });

  test('looks at no variable of others', () => {
    expect(readConfig({ ...queues, PATH: '/bin', AWS_REGION: 'eu-west-1' })).toEqual(readConfig(queues));
  });

  test.each<[string, string, string, unknown]>([
    ['RATE_LIMIT', '0.01', 'rateLimit', 0.01],
    ['RATE_LIMIT', '2.5', 'rateLimit', 2.5],
    ['RATE_LIMIT', '100000', 'rateLimit', 100_000],
    ['RATE_LIMIT', 'unlimited', 'rateLimit', Number.POSITIVE_INFINITY],
    ['RATE_ADAPTIVE', 'true', 'rateAdaptive', true],
    ['RATE_ADAPTIVE', 'false', 'rateAdaptive', false],
    ['MAX_CONCURRENCY', '1', 'maxConcurrency', 1],
    ['MAX_CONCURRENCY', '10000', 'maxConcurrency', 10_000],
    ['MAX_ATTEMPTS', '1', 'maxAttempts', 1],
    ['MAX_ATTEMPTS', '100', 'maxAttempts', 100],
    ['RETRY_BASE_MS', '1', 'retryBaseMs', 1],
    ['RETRY_BASE_MS', '20000', 'retryBaseMs', 20_000],
    ['RETRY_MAX_MS', '200', 'retryMaxMs', 200],
    ['RETRY_MAX_MS', '900000', 'retryMaxMs', 900_000],
    ['MAX_DELIVERIES', '1', 'maxDeliveries', 1],
    ['MAX_DELIVERIES', '1000', 'maxDeliveries', 1_000],
    ['FAILURE_RUN_LIMIT', '0', 'failureRunLimit', 0],
    ['FAILURE_RUN_LIMIT', '10000', 'failureRunLimit', 10_000],
    ['CALL_TIMEOUT_MS', '100', 'callTimeoutMs', 100],
    ['CALL_TIMEOUT_MS', '600000', 'callTimeoutMs', 600_000],
    ['VISIBILITY_TIMEOUT_SECONDS', '2', 'visibilityTimeoutSeconds', 2],
    ['VISIBILITY_TIMEOUT_SECONDS', '43200', 'visibilityTimeoutSeconds', 43_200],
    ['SHUTDOWN_GRACE_SECONDS', '1', 'shutdownGraceSeconds', 1],
    ['SHUTDOWN_GRACE_SECONDS', '600', 'shutdownGraceSeconds', 600],
    ['REDIS_URL', 'redis://localhost:6379', 'redisUrl', 'redis://localhost:6379'],
    ['REDIS_URL', 'rediss://user:secret@cache:6380/1', 'redisUrl', 'rediss://user:secret@cache:6380/1'],
    [
      'OUTCOME_QUEUE_URL',
      'http://localhost:4566/0/outcomes',
      'outcomeQueueUrl',
      'http://localhost:4566/0/outcomes',
    ],
    ['STATE_DIR', '/var/lib/ota', 'stateDir', '/var/lib/ota'],
    ['HTTP_HOST', '0.0.0.0', 'httpHost', '0.0.0.0'],
    ['HTTP_PORT', '0', 'httpPort', 0],
    ['HTTP_PORT', '65535', 'httpPort', 65_535],
    ['HTTP_PORT', 'off', 'httpPort', undefined],
    ['LOG_LEVEL', 'silent', 'logLevel', 'silent'],
    ['NOTIFY_WEBHOOK_SECRET', secret, 'notifyWebhookSecret', [secret]],
    ['NOTIFY_WEBHOOK_SECRET', `${secret}, ${secret}`, 'notifyWebhookSecret', [secret, secret]],
    [
      'NOTIFY_TOPIC_ARN',
      'arn:aws-cn:sns:cn-north-1:123456789012:a.fifo',
      'notifyTopicArn',
      'arn:aws-cn:sns:cn-north-1:123456789012:a.fifo',
    ],
    ['NOTIFY_EVENT_BUS', 'default', 'notifyEventBus', 'default'],
  ])('reads %s=%s', (name, text, key, value) => {
    expect(readConfig({ ...queues, [name]: text })).toHaveProperty(key, value);
  });

  test.each([
    ['NOTIFY_WEBHOOK_URL', 'ftp://x/y', 'must be a URL'],
    ['NOTIFY_WEBHOOK_URL', 'https://user:pw@x/y', 'without user and password'],
    ['NOTIFY_WEBHOOK_SECRET', 'whsec_c2hvcnQ=', '24 to 64'],
  ])('refuses %s=%s without repeating it', (name, text, rule) => {
    const [fault = ''] = faultsOf({
      [name]: text,
      ...(name.endsWith('URL') && { NOTIFY_WEBHOOK_SECRET: secret }),
    });
    expect(fault).toContain(`${name}: must be`);
    expect(fault).toContain(rule);
    expect(fault).not.toContain(text);
  });

  test('wants a secret for the webhook, and repeats neither', () => {
    const url = 'https://hooks.example.com/T0/B0/key-of-the-hook';
    expect(faultsOf({ NOTIFY_WEBHOOK_URL: url })).toEqual([
      'NOTIFY_WEBHOOK_SECRET: is required with NOTIFY_WEBHOOK_URL, because requests are signed with it',
    ]);
    expect(faultsOf({ NOTIFY_WEBHOOK_URL: url, NOTIFY_WEBHOOK_SECRET: secret })).toEqual([]);
    const faults = faultsOf({
      NOTIFY_WEBHOOK_URL: 'hooks/key-of-the-hook',
      NOTIFY_WEBHOOK_SECRET: 'hunter2',
    });
    expect(faults).toHaveLength(2);
    expect(faults.join()).not.toMatch(/hunter2|key-of/);
  });

  test.each([
    ['NOTIFY_TOPIC_ARN', 'jobs', 'the ARN of an SNS topic'],
    ['NOTIFY_TOPIC_ARN', 'arn:aws:sqs:eu-west-1:123456789012:jobs', 'the ARN of an SNS topic'],
    ['NOTIFY_EVENT_BUS', 'arn:aws:events:eu-west-1:1:event-bus/x', 'an EventBridge event bus'],
    ['RATE_LIMIT', '0', 'from 0.01 to 100000, or "unlimited"'],
    ['RATE_LIMIT', '0.009', 'from 0.01'],
    ['RATE_LIMIT', '100001', 'to 100000'],
    ['RATE_LIMIT', '-1', 'from 0.01'],
    ['RATE_LIMIT', '10/s', 'number of calls per second'],
    ['RATE_LIMIT', 'Unlimited', '"unlimited"'],
    ['RATE_LIMIT', 'Infinity', '"unlimited"'],
    ['RATE_LIMIT', 'NaN', 'number of calls'],
    ['RATE_LIMIT', ' ', 'number of calls'],
    ['RATE_ADAPTIVE', 'yes', 'true or false'],
    ['RATE_ADAPTIVE', 'TRUE', 'true or false'],
    ['RATE_ADAPTIVE', '1', 'true or false'],
    ['MAX_CONCURRENCY', '0', 'from 1 to 10000'],
    ['MAX_CONCURRENCY', '10001', 'from 1 to 10000'],
    ['MAX_CONCURRENCY', '1.5', 'whole number'],
    ['MAX_CONCURRENCY', '1e3', 'whole number'],
    ['MAX_CONCURRENCY', '9'.repeat(400), 'from 1 to 10000'],
    ['MAX_ATTEMPTS', '0', 'from 1 to 100'],
    ['MAX_ATTEMPTS', '101', 'from 1 to 100'],
    ['RETRY_BASE_MS', '0', 'from 1 to 60000'],
    ['RETRY_BASE_MS', 'fast', 'whole number'],
    ['RETRY_MAX_MS', '900001', 'to 900000'],
    ['MAX_DELIVERIES', '0', 'from 1 to 1000'],
    ['MAX_DELIVERIES', '1001', 'from 1 to 1000'],
    ['FAILURE_RUN_LIMIT', '-1', 'from 0 to 10000'],
    ['FAILURE_RUN_LIMIT', '10001', 'from 0 to 10000'],
    ['CALL_TIMEOUT_MS', '99', 'from 100 to 600000'],
    ['CALL_TIMEOUT_MS', '600001', 'from 100 to 600000'],
    ['CALL_TIMEOUT_MS', '10s', 'whole number'],
    ['VISIBILITY_TIMEOUT_SECONDS', '1', 'from 2 to 43200'],
    ['VISIBILITY_TIMEOUT_SECONDS', '43201', 'from 2 to 43200'],
    ['SHUTDOWN_GRACE_SECONDS', '0', 'from 1 to 600'],
    ['SHUTDOWN_GRACE_SECONDS', '601', 'from 1 to 600'],
    ['HTTP_PORT', '65536', '65535'],
    ['HTTP_PORT', '-1', '"off"'],
    ['HTTP_PORT', 'OFF', '"off"'],
    ['HTTP_PORT', 'http', '"off"'],
    ['LOG_LEVEL', 'verbose', 'fatal, error, warn'],
    ['LOG_LEVEL', 'INFO', 'fatal, error, warn'],
  ])('refuses %s=%s, naming variable, rule and value', (name, text, rule) => {
    const fault = expect.stringMatching(new RegExp(`^${name}: `));
    expect(faultsOf({ [name]: text })).toEqual([fault]);
    expect(faultsOf({ [name]: text })[0]).toContain(rule);
    expect(faultsOf({ [name]: text })[0]).toContain(JSON.stringify(text));
  });

  test.each([
    ['QUEUE_URL', 'updates'],
    ['QUEUE_URL', 'arn:aws:sqs:eu-west-1:123456789012:updates'],
    ['QUEUE_URL', 'ftp://sqs.eu-west-1.amazonaws.com/123456789012/updates'],
    ['DEAD_LETTER_QUEUE_URL', 'updates-dead'],
    ['OUTCOME_QUEUE_URL', 'sqs://outcomes'],
    ['REDIS_URL', 'localhost:6379'],
    ['REDIS_URL', 'http://localhost:6379'],
  ])('refuses %s=%s', (name, text) => {
    expect(faultsOf({ [name]: text })).toEqual([expect.stringMatching(new RegExp(`^${name}: must be `))]);
  });

  test.each(['QUEUE_URL', 'DEAD_LETTER_QUEUE_URL'])('requires %s', (name) => {
    expect(faultsOf({ [name]: undefined })).toEqual([`${name}: is required`]);
    expect(faultsOf({ [name]: '' })).toEqual([`${name}: is required`]);
  });

  test.each([
    ['DEAD_LETTER_QUEUE_URL', 'QUEUE_URL', { DEAD_LETTER_QUEUE_URL: queues.QUEUE_URL }],
    ['OUTCOME_QUEUE_URL', 'QUEUE_URL', { OUTCOME_QUEUE_URL: queues.QUEUE_URL }],
    ['OUTCOME_QUEUE_URL', 'DEAD_LETTER_QUEUE_URL', { OUTCOME_QUEUE_URL: queues.DEAD_LETTER_QUEUE_URL }],
  ])('refuses a %s that is the %s', (second, first, changes) => {
    expect(faultsOf(changes)).toEqual([`${second}: must differ from ${first}`]);
  });

  test('refuses a first backoff above the longest one', () => {
    expect(faultsOf({ RETRY_BASE_MS: '201', RETRY_MAX_MS: '200' })).toHaveLength(1);
    expect(faultsOf({ RETRY_BASE_MS: '20001' })).toHaveLength(1);
    expect(faultsOf({ RETRY_MAX_MS: '199' })).toEqual([expect.stringContaining('RETRY_MAX_MS')]);
    expect(faultsOf({ RETRY_BASE_MS: '200', RETRY_MAX_MS: '200' })).toEqual([]);
  });

  test('lists every fault in one message', () => {
    const bad = {
      QUEUE_URL: undefined,
      OUTCOME_QUEUE_URL: queues.DEAD_LETTER_QUEUE_URL,
      RATE_LIMIT: 'fast',
      MAX_ATTEMPTS: '0',
      RETRY_BASE_MS: '30000',
      HTTP_PORT: 'http',
      LOG_LEVEL: 'loud',
    };
    expect(() => readConfig({ ...queues, ...bad })).toThrow(ConfigError);
    const faults = faultsOf(bad);
    expect(faults).toHaveLength(7);
    const { message } = new ConfigError(faults);
    expect(message).toMatch(/^the configuration has 7 faults:\n/);
    for (const name of Object.keys(bad)) expect(message).toMatch(new RegExp(`^ {2}${name}: `, 'm'));
  });

  test.each([
    ['QUEUE_URL', 'ftp://user:hunter2@host/q?token=hunter2'],
    ['DEAD_LETTER_QUEUE_URL', 'user:hunter2@host'],
    ['OUTCOME_QUEUE_URL', 'https://user:hunter2@'],
    ['REDIS_URL', 'http://user:hunter2@cache:6379'],
    ['REDIS_URL', 'hunter2@cache'],
  ])('does not print the secret in a bad %s', (name, text) => {
    const faults = faultsOf({ [name]: text });
    expect(faults).toHaveLength(1);
    expect(new ConfigError(faults).message).not.toContain('hunter2');
  });

  test.each([
    ['RATE_LIMIT', '"10"', /in quotes/],
    ['REDIS_URL', "'redis://:hunter2@cache'", /in quotes/],
    ['REDIS_URL', 'redis://:hunter2@cache/ota', /number of a database/],
    ['REDIS_URL', 'redis://:hunter2@cache/1/2', /number of a database/],
    ['REDIS_URL', 'rediss://', /host/],
    ['QUEUE_URL', `"${queues.QUEUE_URL}"`, /in quotes/],
    ['QUEUE_URL', `${queues.QUEUE_URL}\r`, /carriage return/],
    ['LOG_LEVEL', 'info ', /blank/],
    ['STATE_DIR', '\ufeff/state', /byte order mark/],
    ['\ufeffQUEUE_URL', queues.QUEUE_URL, /byte order mark/],
    ['QUEUE_URL', 'http://sqs.eu-west-1.amazonaws.com/1/q', /must begin with https/],
    ['DEAD_LETTER_QUEUE_URL', 'http://queue.amazonaws.com/1/q', /must begin with https/],
    ['OUTCOME_QUEUE_URL', 'http://sqs.cn-north-1.amazonaws.com.cn/1/q', /must begin with https/],
  ])('says how a value is written wrong: %s=%j', (name, text, says) => {
    const plain = name.replace('\ufeff', '');
    const faults = faultsOf({ [plain]: undefined, [name]: text });
    expect(faults).toEqual([expect.stringMatching(says)]);
    expect(faults[0]).toMatch(new RegExp(`^${plain}: `));
    expect(faults[0]).not.toContain('hunter2');
  });

  test('does not print the secret in two queue URLs that are the same', () => {
    const url = 'https://user:hunter2@host/q';
    const faults = faultsOf({ QUEUE_URL: url, DEAD_LETTER_QUEUE_URL: url });
    expect(faults).toHaveLength(1);
    expect(faults[0]).not.toContain('hunter2');
  });
});

describe('describeConfig', () => {
  test('has a row for every variable, with a meaning', () => {
    expect(describeConfig()).toHaveLength(Object.keys(readConfig(queues)).length);
    for (const { doc } of describeConfig()) expect(doc).not.toBe('');
  });

  test('gives the defaults that are really used', () => {
    const defaults = Object.fromEntries(
      describeConfig()
        .filter(({ fallback }) => fallback !== 'none')
        .map(({ name, fallback }) => [name, fallback]),
    );
    expect(readConfig({ ...queues, ...defaults })).toEqual(readConfig(queues));
    expect(defaults).toMatchObject({ RATE_LIMIT: '10', HTTP_PORT: '8080', STATE_DIR: '.ota-updater' });
  });
});

describe('readConfig of some settings', () => {
  test('reads these alone, whatever is wrong with the others', () => {
    const config = readConfig({ STATE_DIR: '/jobs', RATE_LIMIT: 'fast' }, ['stateDir', 'outcomeQueueUrl']);
    expect(config).toEqual({ stateDir: '/jobs', outcomeQueueUrl: undefined });
  });

  test('requires what is needed besides', () => {
    expect(() => readConfig(queues, ['queueUrl'], ['outcomeQueueUrl'])).toThrow(
      new ConfigError(['OUTCOME_QUEUE_URL: is required']),
    );
    const outcomes = { ...queues, OUTCOME_QUEUE_URL: 'https://sqs.example/1/outcomes' };
    expect(readConfig(outcomes, ['queueUrl'], ['outcomeQueueUrl'])).toEqual({
      queueUrl: queues.QUEUE_URL,
      outcomeQueueUrl: outcomes.OUTCOME_QUEUE_URL,
    });
  });

  test('compares only what it reads', () => {
    const env = { ...queues, DEAD_LETTER_QUEUE_URL: queues.QUEUE_URL };
    expect(readConfig(env, ['queueUrl'])).toEqual({ queueUrl: queues.QUEUE_URL });
  });
});
