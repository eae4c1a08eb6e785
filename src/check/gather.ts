/** Collects the facts that the rules judge. I/O is passed in. */
import { proxyOf } from '../aws/proxy.ts';
import type { Config, Environment } from '../config.ts';
import { causeOf } from '../errors.ts';
import type { LedgerContext, LedgerPlace } from '../jobs/ledger/open.ts';
import type { Failure } from '../message/failure.ts';
import type { ApiProbe } from '../ota/probe.ts';
import type { RedisAnswer } from '../ota/redis-probe.ts';
import type { SQSClient } from '../queue/client.ts';
import { errorFacts, sqsErrorKind } from '../queue/errors.ts';
import { hasEndpoint } from '../queue/middleware.ts';
import { Queue } from '../queue/queue.ts';
import { remoteText } from '../text/remote.ts';
import { type BackoffSettings, fullJitter } from '../time/backoff.ts';
import type { Clock } from '../time/clock.ts';
import type { Answer, CheckFacts, QueueFacts, QueueRole, ReadError, StateFacts } from './facts.ts';

export interface CheckSources {
  readonly config: Config;
  readonly env: Environment;
  readonly client: SQSClient;
  /** See `watchClockSkew`. */
  readonly clockSkewMs: () => number | undefined;
  /** Returns an address of a host; throws when there is none. */
  readonly resolveHost: (host: string) => Promise<string>;
  readonly api: Pick<ApiProbe, 'endpoint' | 'read'>;
  readonly askRedis: (url: string) => Promise<RedisAnswer>;
  readonly tryState: (place: LedgerPlace, context: Omit<LedgerContext, 'holder'>) => Promise<StateFacts>;
  readonly clock: Clock;
  readonly random: () => number;
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>;
}

/** Asks for everything once, and again if throttled. Does not reject. */
export async function gatherFacts(sources: CheckSources): Promise<CheckFacts> {
  const { config, env, client, clockSkewMs, clock } = sources;
  const [endpointSet, region, credentials] = await Promise.all([
    hasEndpoint(client),
    answer(async () => client.config.region()),
    answer(async () => {
      const { accessKeyId, expiration } = await client.config.credentials();
      return { accessKey: accessKeyId.slice(-4), leftMs: expiration && expiration.getTime() - clock.wall() };
    }),
  ]);
  const canAsk = region.ok && credentials.ok;
  const [queues, api, redis, state] = await Promise.all([
    Promise.all(queueUrls(config).map(({ role, url }) => readQueue(sources, role, url, canAsk))),
    region.ok ? askApi(sources, region.value, canAsk) : undefined,
    config.redisUrl === undefined ? undefined : redisFacts(sources, config.redisUrl),
    sources.tryState(config, sources),
  ]);
  return {
    settings: config,
    region,
    credentials,
    queues,
    endpointSet,
    clockSkewMs: clockSkewMs(),
    api,
    redis,
    proxy: proxyOf(env),
    state,
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
  sources: CheckSources,
  role: QueueRole,
  url: string,
  canAsk: boolean,
): Promise<QueueFacts> {
  if (!canAsk) return { role, url, attributes: undefined };
  const ask = () => answer(() => new Queue(sources.client, url).attributes());
  const attributes = await persist(ask, (last) => !last.ok && passing.has(last.error.kind), sources);
  return { role, url, attributes };
}

/** Kinds of failures, of SQS and of the API, that may pass within a second. */
const passing: ReadonlySet<string> = new Set(['throttled', 'service', 'retryable', 'conflict']);

/** How often a throttled question is asked. */
const MAX_TRIES = 5;
const backoff: BackoffSettings = { baseMs: 250, maxMs: 2_000 };
/** The longest wait accepted from an answer, in milliseconds. */
const LONGEST_WAIT_MS = 3_000;

async function persist<T>(
  ask: () => Promise<T>,
  again: (last: T) => boolean,
  { random, sleep }: Pick<CheckSources, 'random' | 'sleep'>,
  waitMs: (last: T) => number = () => 0,
): Promise<T> {
  for (let tries = 1; ; tries++) {
    const last = await ask();
    if (tries === MAX_TRIES || !again(last)) return last;
    const wait = Math.max(fullJitter(backoff, tries, random), Math.min(waitMs(last), LONGEST_WAIT_MS));
    await sleep(wait, never);
  }
}

const never = new AbortController().signal;

async function askApi(sources: CheckSources, region: string, canAsk: boolean): Promise<CheckFacts['api']> {
  const { api, resolveHost } = sources;
  const endpoint = await answer(() => api.endpoint(region));
  if (!endpoint.ok) {
    return { url: region, custom: false, fips: false, address: endpoint, read: 'not-asked' };
  }
  // An IPv6 address is in brackets only inside a URL.
  const address = await answer(async () =>
    resolveHost(new URL(endpoint.value.url).hostname.replace(/^\[|\]$/g, '')),
  );
  if (!canAsk) return { ...endpoint.value, address, read: 'not-asked' };
  const failure = await persist<Failure | undefined>(
    () => api.read(),
    // Without an answer another try would take too long, and be no different.
    (last) => last?.status !== undefined && passing.has(last.kind),
    sources,
    (last) => Math.max(last?.retryAfterMs ?? 0, last?.awsRetryAfterMs ?? 0),
  );
  return { ...endpoint.value, address, read: failure ?? 'allowed' };
}

async function redisFacts(
  { askRedis, clock }: CheckSources,
  url: string,
): Promise<NonNullable<CheckFacts['redis']>> {
  const { protocol, password, hostname } = new URL(url);
  return {
    tls: protocol === 'rediss:',
    password: password !== '',
    loopback: hostname === 'localhost' || hostname === '[::1]' || /^127\./.test(hostname),
    answer: await askRedis(url).then(
      ({ at, replica }) => ({ ok: true, value: { skewMs: clock.wall() - at, replica } }),
      (error: unknown) => ({ ok: false, fault: remoteText(causeOf(error)) }),
    ),
  };
}

async function answer<T>(ask: () => Promise<T>): Promise<Answer<T>> {
  try {
    return { ok: true, value: await ask() };
  } catch (error) {
    return { ok: false, error: describeError(error) };
  }
}

function describeError(error: unknown): ReadError {
  const { name, message, code, status } = errorFacts(error);
  // A host with several addresses fails with an AggregateError, whose message is empty.
  const said = message || (code ?? name);
  return { name, message: said, kind: sqsErrorKind(error), code, answered: status !== undefined };
}
