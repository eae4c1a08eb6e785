/** Collects the facts that the rules judge. I/O is passed in; a failure is a fact. */

import { type ProxySettings, proxyOf } from '../aws/proxy.ts';
import type { Config, Environment } from '../config.ts';
import type { SQSClient } from '../queue/client.ts';
import { errorFacts, type SqsErrorKind, sqsErrorKind } from '../queue/errors.ts';
import { hasEndpoint } from '../queue/middleware.ts';
import { Queue } from '../queue/queue.ts';
import type { QueueAttributes } from '../queue/types.ts';
import { type ApiEndpoint, apiEndpoint } from './endpoint.ts';

/** An error as the findings need it. */
interface ReadError {
  /** The error's name; for AWS's errors this is their code. */
  readonly name: string;
  /** One line, without secrets. */
  readonly message: string;
  readonly kind: SqsErrorKind;
}

/** The answer to a question, or why there is none. */
export type Answer<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly error: ReadError };

export type QueueRole = 'source' | 'dead-letter' | 'outcome';

export interface QueueFacts {
  readonly role: QueueRole;
  readonly url: string;
  /** undefined: not asked, because region or credentials are missing. */
  readonly attributes: Answer<QueueAttributes> | undefined;
}

interface ApiFacts extends ApiEndpoint {
  /** An address of the endpoint's host. */
  readonly address: Answer<string>;
}

/** The settings that the findings judge. */
type CheckedSettings = Pick<Config, 'shutdownGraceSeconds' | 'visibilityTimeoutSeconds' | 'callTimeoutMs'>;

interface RedisFacts {
  readonly tls: boolean;
  readonly password: boolean;
  /** By its name. */
  readonly loopback: boolean;
}

/** Everything the findings are made from. Holds no secrets. */
export interface CheckFacts {
  readonly settings: CheckedSettings;
  readonly region: Answer<string>;
  /** The last four characters of the access key id. */
  readonly accessKey: Answer<string>;
  readonly queues: readonly QueueFacts[];
  /** An endpoint of SQS is configured: the URLs of the queues do not choose the host. */
  readonly endpointSet: boolean;
  /** Positive when the local clock is ahead; undefined when no answer carried a time. */
  readonly clockSkewMs: number | undefined;
  /** undefined: its region is not known. */
  readonly api: ApiFacts | undefined;
  /** undefined: there is none. */
  readonly redis: RedisFacts | undefined;
  /** undefined: none is set. */
  readonly proxy: ProxySettings | undefined;
}

export interface CheckSources {
  readonly config: Config;
  readonly env: Environment;
  readonly client: SQSClient;
  /** See `watchClockSkew`. */
  readonly clockSkewMs: () => number | undefined;
  /** An address of a host, or a throw when there is none. */
  readonly resolveHost: (host: string) => Promise<string>;
}

/** Asks for everything once. Does not reject. */
export async function gatherFacts({
  config,
  env,
  client,
  clockSkewMs,
  resolveHost,
}: CheckSources): Promise<CheckFacts> {
  const [endpointSet, region, accessKey] = await Promise.all([
    hasEndpoint(client),
    answer(async () => client.config.region()),
    answer(async () => (await client.config.credentials()).accessKeyId.slice(-4)),
  ]);
  const canAsk = region.ok && accessKey.ok;
  const [queues, api] = await Promise.all([
    Promise.all(queueUrls(config).map(({ role, url }) => readQueue(client, role, url, canAsk))),
    region.ok ? resolveApi(apiEndpoint(env, region.value), resolveHost) : undefined,
  ]);
  return {
    settings: config,
    region,
    accessKey,
    queues,
    endpointSet,
    clockSkewMs: clockSkewMs(),
    api,
    redis: config.redisUrl === undefined ? undefined : redisFacts(config.redisUrl),
    proxy: proxyOf(env),
  };
}

function queueUrls(config: Config): { role: QueueRole; url: string }[] {
  return [
    { role: 'source', url: config.queueUrl },
    { role: 'dead-letter', url: config.deadLetterQueueUrl },
    ...(config.outcomeQueueUrl === undefined
      ? []
      : [{ role: 'outcome' as const, url: config.outcomeQueueUrl }]),
  ];
}

async function readQueue(
  client: SQSClient,
  role: QueueRole,
  url: string,
  canAsk: boolean,
): Promise<QueueFacts> {
  const attributes = canAsk ? await answer(() => new Queue(client, url).attributes()) : undefined;
  return { role, url, attributes };
}

async function resolveApi(
  endpoint: ApiEndpoint,
  resolveHost: (host: string) => Promise<string>,
): Promise<ApiFacts> {
  // An IPv6 address is in brackets in a URL only.
  const address = await answer(async () =>
    resolveHost(new URL(endpoint.url).hostname.replace(/^\[|\]$/g, '')),
  );
  return { ...endpoint, address };
}

async function answer<T>(ask: () => Promise<T>): Promise<Answer<T>> {
  try {
    return { ok: true, value: await ask() };
  } catch (error) {
    return { ok: false, error: describeError(error) };
  }
}

function describeError(error: unknown): ReadError {
  const { name, message, code } = errorFacts(error);
  // A host with several addresses fails with an AggregateError, whose message is empty.
  return { name, message: message || (code ?? name), kind: sqsErrorKind(error) };
}

function redisFacts(url: string): RedisFacts {
  const { protocol, password, hostname } = new URL(url);
  return {
    tls: protocol === 'rediss:',
    password: password !== '',
    loopback: hostname === 'localhost' || hostname === '[::1]' || /^127\./.test(hostname),
  };
}
