/** Every setting: its environment variable, the accepted values, the default and the meaning. */
import { z } from 'zod';
import { isClearTextToAws } from '../aws/endpoints.ts';
import { secretKey } from '../notices/signature.ts';
import { CLEAR_TEXT } from './aws.ts';
import { consoleVariables } from './console.ts';
import { integer, optional, port, required, withDefault } from './variable.ts';

/** Upper limit of a worker's call time-out, in milliseconds. */
export const MAX_CALL_TIMEOUT_MS = 600_000;

/** Limit for a list that a person writes. */
const MAX_WORKER_URLS = 100;

const queueUrl = z
  .url({ protocol: /^https?$/, error: 'must be the URL of a queue (https://sqs.…)' })
  .refine((url) => !isClearTextToAws(url), CLEAR_TEXT);

const redisUrl = z
  .url({ protocol: /^rediss?$/, error: 'must be a redis:// or rediss:// URL' })
  // The client reads an empty host as this machine, and fails every connection if the database is not a number.
  .refine(
    namesRedis,
    'must name a host, and after it at most the number of a database (redis://host:6379/2)',
  );

function namesRedis(text: string): boolean {
  const { hostname = '', pathname = '' } = URL.parse(text) ?? {};
  return hostname !== '' && /^(\/\d{0,5})?$/.test(pathname);
}

const ledgerUrl = z
  .url({
    protocol: /^postgres(?:ql)?$/,
    error: 'must be a postgres:// URL (postgres://user@host:5432/database)',
  })
  .refine(
    (url) => /^\/[^/]+$/.test(URL.parse(url)?.pathname ?? ''),
    'must be a postgres:// URL that names a database',
  );

const rateLimit = z
  .string()
  .refine(
    (text) => text === 'unlimited' || (Number(text) >= 0.01 && Number(text) <= 100_000),
    'must be a number of calls per second from 0.01 to 100000, or "unlimited"',
  )
  .transform((text) => (text === 'unlimited' ? Number.POSITIVE_INFINITY : Number(text)));

const outcomeFormat = z.enum(['json', 'cloudevents'], { error: 'must be json or cloudevents' });

const metrics = z.enum(['prometheus', 'emf'], { error: 'must be prometheus or emf' });

const flag = z
  .enum(['true', 'false'], { error: 'must be true or false' })
  .transform((text) => text === 'true');

const workerUrls = z
  .string()
  .transform((text) => text.split(',').map((url) => url.trim()))
  .refine(
    (urls) => urls.length <= MAX_WORKER_URLS && urls.every(isHttpUrl),
    'must be URLs separated by commas, such as http://worker:8080',
  );

function isHttpUrl(text: string): boolean {
  const url = URL.parse(text);
  return url !== null && /^https?:$/.test(url.protocol) && url.hostname !== '' && url.username === '';
}

const webhookUrl = z
  .string()
  .refine(
    (url) => isHttpUrl(url) && URL.parse(url)?.hash === '',
    'must be a URL (https://example.com/hooks/ota) without user and password',
  );

/** Two while a secret is being replaced; the limit allows a few more. */
const MAX_SECRETS = 4;

const webhookSecrets = z
  .string()
  .transform((text) => text.split(',').map((secret) => secret.trim()))
  .refine(
    (all) => all.length <= MAX_SECRETS && all.every((secret) => secretKey(secret) !== undefined),
    'must be `whsec_` and 24 to 64 random bytes in base64; while you replace it, the new and the old one, separated by a comma',
  );

const topicArn = z
  .string()
  .regex(
    /^arn:aws[a-z-]*:sns:[a-z0-9-]{1,63}:\d{12}:[A-Za-z0-9_-]{1,256}(\.fifo)?$/,
    'must be the ARN of an SNS topic (arn:aws:sns:eu-west-1:123456789012:jobs)',
  );

const eventBus = z
  .string()
  .regex(
    /^(arn:aws[a-z-]*:events:[a-z0-9-]{1,63}:\d{12}:event-bus\/)?[A-Za-z0-9_./-]{1,256}$/,
    'must be the name or the ARN of an EventBridge event bus',
  );

const logLevel = z.enum(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'], {
  error: 'must be one of fatal, error, warn, info, debug, trace, silent',
});

/** Keyed by the name that the code uses. */
export const variables = {
  queueUrl: required('QUEUE_URL', queueUrl, 'The queue that updates are read from. Required.'),
  deadLetterQueueUrl: required(
    'DEAD_LETTER_QUEUE_URL',
    queueUrl,
    'The queue for updates that cannot be applied. Required; must be a different queue.',
  ),
  /** Calls per second; `Infinity` is unlimited. */
  rateLimit: withDefault(
    'RATE_LIMIT',
    rateLimit,
    '10',
    'Maximum calls per second, including retries; `unlimited` for no limit.',
  ),
  rateAdaptive: withDefault(
    'RATE_ADAPTIVE',
    flag,
    'true',
    'Find the rate that the API accepts, below `RATE_LIMIT`.',
  ),
  maxConcurrency: withDefault(
    'MAX_CONCURRENCY',
    integer(1, 10_000),
    '50',
    'Maximum number of calls in flight.',
  ),
  limitsFile: optional(
    'LIMITS_FILE',
    z.string().regex(/\S/, 'must name a file'),
    'A file with `RATE_LIMIT=` and `MAX_CONCURRENCY=` that may be changed while the worker runs; the lowest of environment, ' +
      'file and Redis applies.',
  ),
  maxAttempts: withDefault(
    'MAX_ATTEMPTS',
    integer(1, 100),
    '5',
    'Calls per delivery for retryable failures other than throttling.',
  ),
  retryBaseMs: withDefault(
    'RETRY_BASE_MS',
    integer(1, 60_000),
    '200',
    'Maximum of the first backoff; doubles with each failure, with full jitter.',
  ),
  retryMaxMs: withDefault('RETRY_MAX_MS', integer(1, 900_000), '20000', 'Maximum backoff.'),
  maxDeliveries: withDefault(
    'MAX_DELIVERIES',
    integer(1, 1_000),
    '5',
    'Deliveries after which a persistent failure is dead-lettered.',
  ),
  failureRunLimit: withDefault(
    'FAILURE_RUN_LIMIT',
    integer(0, 10_000),
    '20',
    'Calls are paused after this many failures of the same kind in a row, for different Identifiers; `0` disables this.',
  ),
  callTimeoutMs: withDefault(
    'CALL_TIMEOUT_MS',
    integer(100, MAX_CALL_TIMEOUT_MS),
    '10000',
    'Timeout of one call, including the connection.',
  ),
  maxHeldMb: withDefault(
    'MAX_HELD_MB',
    integer(8, 100_000),
    '32',
    'Memory, in megabytes, for the messages that are held or being received; the default fits a container of 256 MiB.',
  ),
  visibilityTimeoutSeconds: withDefault(
    'VISIBILITY_TIMEOUT_SECONDS',
    integer(2, 43_200),
    '30',
    'Lease (visibility timeout) of a message, extended while the message is held.',
  ),
  shutdownGraceSeconds: withDefault(
    'SHUTDOWN_GRACE_SECONDS',
    integer(1, 600),
    '25',
    'Time to finish after SIGTERM; the default is below the 30 s that ECS and Kubernetes give.',
  ),
  redisUrl: optional(
    'REDIS_URL',
    redisUrl,
    'Redis, through which all workers share one rate budget, the rate that was found and the newest-wins marks.',
  ),
  outcomeQueueUrl: optional(
    'OUTCOME_QUEUE_URL',
    queueUrl,
    'The queue on which the outcome of every update is published, for bulk jobs.',
  ),
  outcomeFormat: withDefault(
    'OUTCOME_FORMAT',
    outcomeFormat,
    'json',
    'Format of outcomes: `json`, or `cloudevents` (CloudEvents 1.0 in JSON format, with the same JSON as data).',
  ),
  stateDir: withDefault(
    'STATE_DIR',
    z.string().regex(/\S/, 'must name a folder'),
    '.ota-updater',
    'Folder for the ledger of bulk jobs, the log of changes of the dead-letter commands, and the rate that a worker has found.',
  ),
  ledgerUrl: optional(
    'LEDGER_URL',
    ledgerUrl,
    'A PostgreSQL database for the ledger of bulk jobs, in place of `STATE_DIR`, so that several machines can plan, send, steer and report. ' +
      'TLS and sockets are set in the URL, as in node-postgres (`sslmode=verify-full`).',
  ),
  httpHost: withDefault(
    'HTTP_HOST',
    z.string().regex(/^\S+$/, 'must be a host name or an address'),
    '127.0.0.1',
    'Address on which health and metrics are served.',
  ),
  /** undefined: no listener. */
  httpPort: withDefault(
    'HTTP_PORT',
    port,
    '8080',
    'Port for health and metrics; `0` picks a free one, `off` disables both.',
  ),
  metrics: withDefault(
    'METRICS',
    metrics,
    'prometheus',
    'How the worker publishes its metrics: always at `/metrics`; `emf` also writes them to stdout once a minute, as lines in ' +
      "CloudWatch's embedded metric format.",
  ),
  workerUrls: optional(
    'WORKER_URLS',
    workerUrls,
    'The workers that `status` asks: URLs of their health listeners, separated by commas; a name that resolves to several ' +
      'addresses stands for one worker at each. Without it, one worker at `HTTP_HOST` and `HTTP_PORT`.',
  ),
  notifyWebhookUrl: optional(
    'NOTIFY_WEBHOOK_URL',
    webhookUrl,
    'URL that gets a signed POST when a job is done, aborted, paused by a rule, or stuck.',
  ),
  notifyWebhookSecret: optional(
    'NOTIFY_WEBHOOK_SECRET',
    webhookSecrets,
    'Secret with which those requests are signed, as Standard Webhooks specifies. Required with the URL.',
  ),
  notifyTopicArn: optional('NOTIFY_TOPIC_ARN', topicArn, 'An SNS topic that gets the same notices.'),
  notifyEventBus: optional(
    'NOTIFY_EVENT_BUS',
    eventBus,
    'An EventBridge event bus that gets the same notices, with the source `ota-updater`.',
  ),
  ...consoleVariables,
  logLevel: withDefault('LOG_LEVEL', logLevel, 'info', 'Lowest level that is logged (the levels of pino).'),
};
