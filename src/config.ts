/** Configuration: environment variables to one frozen object. The same schema generates docs/reference/configuration.md. */
import { z } from 'zod';
import { CommandError, exitCodes } from './errors.ts';

const integer = (min: number, max: number) =>
  z
    .string()
    .regex(/^\d+$/, `must be a whole number from ${min} to ${max}`)
    .transform(Number)
    .refine((n) => n >= min && n <= max, `must be a whole number from ${min} to ${max}`);

const queueUrl = z.url({ protocol: /^https?$/, error: 'must be the URL of a queue (https://sqs.…)' });

const rateLimit = z
  .string()
  .refine(
    (text) =>
      text === 'unlimited' ||
      (Number.isFinite(Number(text)) && Number(text) >= 0.01 && Number(text) <= 100_000),
    {
      error: 'must be a number of calls per second from 0.01 to 100000, or "unlimited"',
    },
  )
  .transform((text) => (text === 'unlimited' ? Number.POSITIVE_INFINITY : Number(text)));

const flag = z
  .enum(['true', 'false'], { error: 'must be true or false' })
  .transform((text) => text === 'true');

const port = z.union([z.literal('off').transform(() => undefined), integer(0, 65_535)], {
  error: 'must be a port from 0 (any free one) to 65535, or "off"',
});

const redisUrl = z.url({ protocol: /^rediss?$/, error: 'must be a redis:// or rediss:// URL' });

const logLevel = z.enum(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'], {
  error: 'must be one of fatal, error, warn, info, debug, trace, silent',
});

const required = <T extends z.ZodType>(schema: T, doc: string) => schema.meta({ doc });

const entry = <Out>(schema: z.ZodType<Out, string>, fallback: string, doc: string) =>
  schema.prefault(fallback).meta({ doc, fallback });

const optional = <T extends z.ZodType>(schema: T, doc: string) => schema.optional().meta({ doc });

const environmentSchema = z.object({
  QUEUE_URL: required(queueUrl, 'The queue that updates are read from. Required.'),
  DEAD_LETTER_QUEUE_URL: required(
    queueUrl,
    'Where updates go that cannot be applied. Required; must differ.',
  ),
  RATE_LIMIT: entry(rateLimit, '10', 'Calls per second at most, retries included; `unlimited` for none.'),
  RATE_ADAPTIVE: entry(flag, 'true', 'Find the rate the API really accepts, below `RATE_LIMIT`.'),
  MAX_CONCURRENCY: entry(integer(1, 10_000), '50', 'Calls in flight at most.'),
  MAX_ATTEMPTS: entry(
    integer(1, 100),
    '5',
    'Calls per delivery for retryable failures other than throttling.',
  ),
  RETRY_BASE_MS: entry(integer(1, 60_000), '200', 'First backoff at most; doubles from there, full jitter.'),
  RETRY_MAX_MS: entry(integer(1, 900_000), '20000', 'Longest backoff.'),
  MAX_DELIVERIES: entry(integer(1, 1_000), '5', 'Deliveries before a failure that goes on is dead-lettered.'),
  FAILURE_RUN_LIMIT: entry(
    integer(0, 10_000),
    '20',
    'Different Identifiers failing alike in a row before the cause is sought elsewhere; `0` switches it off.',
  ),
  CALL_TIMEOUT_MS: entry(integer(100, 600_000), '10000', 'One call, connection included.'),
  VISIBILITY_TIMEOUT_SECONDS: entry(
    integer(2, 43_200),
    '30',
    'Lease per message, extended while it is held.',
  ),
  SHUTDOWN_GRACE_SECONDS: entry(
    integer(1, 600),
    '25',
    'Time to finish after SIGTERM; below the 30 s that ECS and Kubernetes give.',
  ),
  REDIS_URL: optional(redisUrl, 'One rate budget, and one memory of what is newest, for all workers.'),
  OUTCOME_QUEUE_URL: optional(queueUrl, 'Where the outcome of every update is published, for bulk jobs.'),
  STATE_DIR: entry(
    z.string().regex(/\S/, 'must name a folder'),
    '.ota-updater',
    'Where bulk jobs keep their ledger, and the dead-letter commands their log of changes.',
  ),
  HTTP_HOST: entry(
    z.string().regex(/^\S+$/, 'must be a host name or an address'),
    '127.0.0.1',
    'Address that health and metrics listen on.',
  ),
  HTTP_PORT: entry(port, '8080', 'Their port; `0` picks one, `off` disables.'),
  LOG_LEVEL: entry(logLevel, 'info', 'pino level.'),
});

const apiSchema = environmentSchema.pick({
  RATE_LIMIT: true,
  RATE_ADAPTIVE: true,
  MAX_CONCURRENCY: true,
  MAX_ATTEMPTS: true,
  RETRY_BASE_MS: true,
  RETRY_MAX_MS: true,
  CALL_TIMEOUT_MS: true,
});

const jobsSchema = environmentSchema
  .pick({ QUEUE_URL: true, OUTCOME_QUEUE_URL: true, STATE_DIR: true })
  .required({ OUTCOME_QUEUE_URL: true });

/** The worker's configuration. Times are in milliseconds where the name says so, in seconds where it says that. */
export interface Config {
  readonly queueUrl: string;
  readonly deadLetterQueueUrl: string;
  /** Calls per second; `Infinity` is unlimited. */
  readonly rateLimit: number;
  readonly rateAdaptive: boolean;
  readonly maxConcurrency: number;
  readonly maxAttempts: number;
  readonly retryBaseMs: number;
  readonly retryMaxMs: number;
  readonly maxDeliveries: number;
  readonly failureRunLimit: number;
  readonly callTimeoutMs: number;
  readonly visibilityTimeoutSeconds: number;
  readonly shutdownGraceSeconds: number;
  readonly redisUrl: string | undefined;
  readonly outcomeQueueUrl: string | undefined;
  readonly stateDir: string;
  readonly httpHost: string;
  /** undefined: no listener. */
  readonly httpPort: number | undefined;
  readonly logLevel: z.infer<typeof logLevel>;
}

export type Environment = Readonly<Record<string, string | undefined>>;

/** Every fault of a configuration in one message, a line each. */
export class ConfigError extends CommandError {
  override readonly name = 'ConfigError';
  readonly faults: readonly string[];

  constructor(faults: readonly string[]) {
    super(
      `the configuration has ${faults.length === 1 ? 'a fault' : `${faults.length} faults`}:\n${faults.map((f) => `  ${f}`).join('\n')}`,
      exitCodes.misuse,
    );
    this.faults = faults;
  }
}

/**
 * Reads the configuration of a worker.
 * @throws ConfigError naming every fault at once.
 */
export function readConfig(environment: Environment): Config {
  const env = parse(environmentSchema, withoutEmpty(environment));
  return Object.freeze({
    queueUrl: env.QUEUE_URL,
    deadLetterQueueUrl: env.DEAD_LETTER_QUEUE_URL,
    ...toApiConfig(env),
    maxDeliveries: env.MAX_DELIVERIES,
    failureRunLimit: env.FAILURE_RUN_LIMIT,
    visibilityTimeoutSeconds: env.VISIBILITY_TIMEOUT_SECONDS,
    shutdownGraceSeconds: env.SHUTDOWN_GRACE_SECONDS,
    redisUrl: env.REDIS_URL,
    outcomeQueueUrl: env.OUTCOME_QUEUE_URL,
    stateDir: env.STATE_DIR,
    httpHost: env.HTTP_HOST,
    httpPort: env.HTTP_PORT,
    logLevel: env.LOG_LEVEL,
  });
}

/** What calls to the API need, for commands that use no queue. */
export type ApiConfig = Pick<
  Config,
  | 'rateLimit'
  | 'rateAdaptive'
  | 'maxConcurrency'
  | 'maxAttempts'
  | 'retryBaseMs'
  | 'retryMaxMs'
  | 'callTimeoutMs'
>;

/**
 * Reads what calls to the API need, and looks at nothing else.
 * @throws ConfigError naming every fault of it at once.
 */
export function readApiConfig(environment: Environment): ApiConfig {
  return Object.freeze(toApiConfig(parse(apiSchema, only(environment, apiSchema.shape))));
}

/** What sending and following bulk jobs needs. */
export interface JobsConfig {
  readonly queueUrl: string;
  readonly outcomeQueueUrl: string;
  readonly stateDir: string;
}

/**
 * Reads what sending and following bulk jobs needs, and looks at nothing else.
 * @throws ConfigError naming every fault of it at once.
 */
export function readJobsConfig(environment: Environment): JobsConfig {
  const env = parse(jobsSchema, only(environment, jobsSchema.shape));
  return Object.freeze({
    queueUrl: env.QUEUE_URL,
    outcomeQueueUrl: env.OUTCOME_QUEUE_URL,
    stateDir: env.STATE_DIR,
  });
}

/** The folder that bulk jobs are remembered in. */
export function readStateDir(environment: Environment): string {
  const schema = environmentSchema.pick({ STATE_DIR: true });
  return parse(schema, only(environment, schema.shape)).STATE_DIR;
}

/** Where outcomes are published; undefined when nothing says so. */
export function readOutcomeQueueUrl(environment: Environment): string | undefined {
  const schema = environmentSchema.pick({ OUTCOME_QUEUE_URL: true });
  return parse(schema, only(environment, schema.shape)).OUTCOME_QUEUE_URL;
}

/** The variables that `shape` names, and no others. */
function only(environment: Environment, shape: object): Environment {
  const present = Object.entries(withoutEmpty(environment));
  return Object.fromEntries(present.filter(([name]) => Object.hasOwn(shape, name)));
}

function toApiConfig(env: z.infer<typeof apiSchema>): ApiConfig {
  return {
    rateLimit: env.RATE_LIMIT,
    rateAdaptive: env.RATE_ADAPTIVE,
    maxConcurrency: env.MAX_CONCURRENCY,
    maxAttempts: env.MAX_ATTEMPTS,
    retryBaseMs: env.RETRY_BASE_MS,
    retryMaxMs: env.RETRY_MAX_MS,
    callTimeoutMs: env.CALL_TIMEOUT_MS,
  };
}

/** What tells the two queues and the folder apart: all that a command needs which applies nothing itself. */
export type QueueConfig = Pick<Config, 'queueUrl' | 'deadLetterQueueUrl' | 'stateDir'>;

const queueSchema = environmentSchema.pick({
  QUEUE_URL: true,
  DEAD_LETTER_QUEUE_URL: true,
  STATE_DIR: true,
});

/**
 * Reads the part of the configuration that says where messages are. Faults of other variables are not looked for.
 * @throws ConfigError naming every fault at once.
 */
export function readQueueConfig(environment: Environment): QueueConfig {
  const { QUEUE_URL, DEAD_LETTER_QUEUE_URL, STATE_DIR } = parse(
    queueSchema,
    only(environment, queueSchema.shape),
  );
  return Object.freeze({
    queueUrl: QUEUE_URL,
    deadLetterQueueUrl: DEAD_LETTER_QUEUE_URL,
    stateDir: STATE_DIR,
  });
}

function withoutEmpty(environment: Environment): Environment {
  return Object.fromEntries(
    Object.entries(environment).filter(([, value]) => value !== undefined && value !== ''),
  );
}

function parse<Schema extends z.ZodType>(schema: Schema, environment: Environment): z.output<Schema> {
  const parsed = schema.safeParse(environment);
  const faults = parsed.success ? [] : parsed.error.issues.map((issue) => describeFault(issue, environment));
  faults.push(...crossFaults(environment));
  if (!parsed.success || faults.length > 0) throw new ConfigError(faults);
  return parsed.data;
}

export interface VariableDescription {
  readonly name: string;
  /** `none` where there is no default. */
  readonly fallback: string;
  /** `a whole number from 1 to 100`, say. */
  readonly accepts: string;
  readonly doc: string;
}

/** Every variable, for docs/reference/configuration.md. */
export function describeConfig(): VariableDescription[] {
  return Object.entries(environmentSchema.shape).map(([name, schema]) => {
    const meta = schema.meta() as { doc: string; fallback?: string };
    // No variable accepts a lone space: its error message says what is accepted.
    const refusal = schema.safeParse(' ').error?.issues[0]?.message ?? '';
    const accepts = refusal.replace(/^must (be |name )?/, '');
    return { name, fallback: meta.fallback ?? 'none', accepts, doc: meta.doc };
  });
}

function describeFault(issue: z.core.$ZodIssue, environment: Environment): string {
  const name = String(issue.path[0]);
  if (environment[name] === undefined) return `${name}: is required`;
  // A URL may hold a password.
  const shown = name.endsWith('_URL') ? '' : ` (is ${JSON.stringify(environment[name])})`;
  return `${name}: ${issue.message}${shown}`;
}

function crossFaults(env: Environment): string[] {
  const faults: string[] = [];
  const same = (a: string | undefined, b: string | undefined): boolean =>
    a !== undefined &&
    b !== undefined &&
    URL.canParse(a) &&
    new URL(a).href.replace(/\/$/, '') === URL.parse(b)?.href.replace(/\/$/, '');
  const queues = ['QUEUE_URL', 'DEAD_LETTER_QUEUE_URL', 'OUTCOME_QUEUE_URL'] as const;
  for (const [i, first] of queues.entries()) {
    for (const second of queues.slice(i + 1)) {
      if (same(env[first], env[second])) faults.push(`${second}: must differ from ${first}`);
    }
  }
  const number = (name: string, fallback: number): number => Number(env[name] ?? fallback);
  if (number('RETRY_BASE_MS', 200) > number('RETRY_MAX_MS', 20_000)) {
    faults.push('RETRY_BASE_MS: must not be above RETRY_MAX_MS');
  }
  return faults;
}
