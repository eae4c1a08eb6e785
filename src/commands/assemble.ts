/** Builds a worker from its configuration. This is the only place that knows every part. */
import { randomUUID } from 'node:crypto';
import type { Registry } from 'prom-client';
import { proxyOf } from '../aws/proxy.ts';
import { createRequestHandler, createSpreadHandler } from '../aws/request-handler.ts';
import { connections } from '../aws/transport.ts';
import { MAX_CALL_TIMEOUT_MS } from '../config/variables.ts';
import type { Config, Environment } from '../config.ts';
import { createHttpServer, type HttpServer } from '../http/server.ts';
import { Bounds } from '../limits/bounds.ts';
import { followLimits } from '../limits/follow.ts';
import { logEvents } from '../observe/log-events.ts';
import type { Logger } from '../observe/logger.ts';
import { createMetrics } from '../observe/metrics.ts';
import { createOtaApi, type OtaApiOptions } from '../ota/client.ts';
import { claimDurationMs, LocalNewest, type Newest } from '../ota/newest/newest.ts';
import { RedisNewest } from '../ota/newest/newest-redis.ts';
import type { RateKeeper } from '../ota/rate/rate-keeper.ts';
import { createSqsClient, type SQSClientConfig } from '../queue/client.ts';
import { watchQueueTime } from '../queue/clock.ts';
import { Queue } from '../queue/queue.ts';
import { sleep, systemClock } from '../time/clock.ts';
import type { QueueTime } from '../time/queue-time.ts';
import type { Counts } from '../worker/activity.ts';
import { Conditions } from '../worker/conditions.ts';
import { createEmitter, type WorkerListener } from '../worker/events.ts';
import { MAX_POLLS } from '../worker/receive/receiver.ts';
import { OUTCOME_REQUESTS } from '../worker/settle/outcome-outbox.ts';
import type { Tracing } from '../worker/tracing.ts';
import { Worker } from '../worker/worker.ts';
import { createPace } from './pace.ts';
import type { RateKept } from './rate.ts';

/** A worker and everything around it, not started. */
export interface Assembly {
  readonly worker: Worker;
  readonly counts: Counts;
  readonly http: HttpServer;
  /** The worker's metrics. */
  readonly registry: Registry;
  /** Follows changes of the limits. Resolves when the current limits are in force, or cannot be found out soon. */
  readonly followLimits: () => Promise<void>;
  /** undefined: the rate that the worker finds is not stored. */
  readonly rateKeeper: RateKeeper | undefined;
  /** Closes everything, even if the worker was never started. Call it once. */
  readonly close: () => Promise<void>;
}

export interface AssemblyOptions {
  readonly config: Config;
  readonly env: Environment;
  readonly log: Logger;
  readonly listeners?: readonly WorkerListener[];
  /** Default: nothing is traced. */
  readonly tracing?: Tracing | undefined;
  /** For clients that do not take endpoint and credentials from the environment, such as the sandbox's. */
  readonly sqs?: SQSClientConfig;
  readonly api?: OtaApiOptions['client'];
  /** Stores the rate found, and gives the rate that an earlier worker found. Default: neither. */
  readonly rateKept?: RateKept | undefined;
  /** How long the rate found stays low before that is reported, in milliseconds; default: a minute. */
  readonly lowRateAfterMs?: number;
}

/** Maximum time to connect. */
const CONNECT_TIMEOUT_MS = 5_000;

/** Requests other than polls that may be in flight at once: deletes, extensions, dead letters. */
const SETTLING_SOCKETS = 20;

export function assemble({
  config,
  env,
  log,
  listeners = [],
  tracing,
  sqs = {},
  api: apiClient = {},
  rateKept,
  lowRateAfterMs,
}: AssemblyOptions): Assembly {
  const { outcomeQueueUrl } = config;
  const outcomeSockets = outcomeQueueUrl === undefined ? 0 : OUTCOME_REQUESTS;
  const sqsSockets = MAX_POLLS + SETTLING_SOCKETS + outcomeSockets;
  const client = createSqsClient(
    sqsSockets,
    { requestHandler: requestHandlerOf(createRequestHandler, sqsSockets, env), ...sqs },
    env,
  );
  const queueTime = watchQueueTime(client, systemClock);
  // Metrics read the worker's snapshots, and the worker needs their listener: the closure resolves the cycle.
  const metrics = createMetrics(() => worker.snapshot());
  const all = [logEvents(log), metrics.listener, ...listeners];
  const emit = createEmitter(all);
  const conditions = new Conditions({ clock: systemClock, emit });
  const pace = createPace({
    config,
    kept: rateKept,
    clock: systemClock,
    log,
    onShared: onShared('sharing-rate', conditions, emit),
    onFleet: (role, rate) => emit({ type: 'fleet', role, rate }),
    onLow: onLow(conditions),
    lowRateAfterMs,
  });
  const bounds = new Bounds({
    rate: config.rateLimit,
    concurrency: config.maxConcurrency,
    now: systemClock.wall,
  });
  bounds.onChange(({ bound, from, to }) => {
    if (bound === 'rate' && to !== from) pace.setCeiling(to);
  });
  const limits = followLimits({
    file: config.limitsFile,
    redisUrl: config.redisUrl,
    bounds,
    onFault: (source, fault) => {
      if (fault === undefined) conditions.clear('limits', source);
      else conditions.renew('limits', fault, source);
    },
    sleep,
  });
  const api = createOtaApi({
    callTimeoutMs: config.callTimeoutMs,
    maxSockets: config.maxConcurrency,
    env,
    client: {
      requestHandler: requestHandlerOf(
        createSpreadHandler,
        config.maxConcurrency,
        env,
        config.callTimeoutMs / 2,
      ),
      ...apiClient,
    },
  });
  const newest = createNewest(config, queueTime, conditions, emit);
  const worker: Worker = new Worker({
    config,
    source: new Queue(client, config.queueUrl),
    deadLetterQueue: new Queue(client, config.deadLetterQueueUrl),
    ...(outcomeQueueUrl !== undefined && { outcomeQueue: new Queue(client, outcomeQueueUrl) }),
    api,
    limiter: pace.limiter,
    rate: pace.rate,
    bounds,
    newest,
    conditions,
    clock: systemClock,
    queueTime,
    random: Math.random,
    listeners: all,
    tracing,
  });
  const http = createHttpServer({
    worker: randomUUID(),
    snapshot: () => worker.snapshot(),
    registry: metrics.registry,
  });
  return {
    worker,
    counts: worker.counts,
    http,
    registry: metrics.registry,
    followLimits: limits.begin,
    rateKeeper: pace.keeper,
    close: async () => {
      await pace.keeper?.close();
      limits.close();
      await http.close();
      client.destroy();
      // A worker that stopped has closed these; a worker that never started has not.
      await pace.close();
      newest.close();
      api.destroy();
    },
  };
}

/** The faster request handler, unless there is a proxy: only the SDK's own handler supports proxies. */
function requestHandlerOf(
  create: typeof createRequestHandler | typeof createSpreadHandler,
  maxSockets: number,
  env: Environment,
  mostMs = CONNECT_TIMEOUT_MS,
) {
  const connectTimeoutMs = Math.min(CONNECT_TIMEOUT_MS, mostMs);
  return proxyOf(env) === undefined
    ? create(maxSockets, connectTimeoutMs)
    : connections(maxSockets, env, connectTimeoutMs);
}

function onLow(conditions: Conditions): (low: boolean, found: number, part: number) => void {
  return (low, found, part) => {
    if (!low) conditions.clear('throttled');
    else {
      const message = `${found.toFixed(1)} calls per second of ${part.toFixed(1)}`;
      conditions.raise('throttled', { name: 'Throttled', message });
    }
  };
}

/** Sharing from the start is an event; not sharing, or no longer sharing, is a condition. */
function onShared(
  condition: 'sharing-rate' | 'sharing-marks',
  conditions: Conditions,
  emit: WorkerListener,
): (shared: boolean, reason?: unknown) => void {
  return (shared, reason) => {
    if (!shared) conditions.raise(condition, reason);
    else if (conditions.has(condition)) conditions.clear(condition);
    else emit({ type: 'shared', condition });
  };
}

function createNewest(
  { redisUrl, callTimeoutMs }: Config,
  queueTime: QueueTime,
  conditions: Conditions,
  emit: WorkerListener,
): Newest {
  if (redisUrl === undefined) return new LocalNewest();
  return new RedisNewest({
    url: redisUrl,
    workerId: randomUUID(),
    claimMs: claimDurationMs(callTimeoutMs),
    unansweredMs: callTimeoutMs,
    longestClaimMs: claimDurationMs(MAX_CALL_TIMEOUT_MS),
    now: () => queueTime.latest(),
    onShared: onShared('sharing-marks', conditions, emit),
    onForeign: (what, identifier) => emit({ type: 'newest-foreign', what, identifier }),
  });
}
