/** Puts a worker together from its configuration: the one place that knows every part. */
import type { FastifyInstance } from 'fastify';
import { systemClock } from '../clock.ts';
import type { Config, Environment } from '../config.ts';
import { createHttpServer } from '../http/server.ts';
import { logEvents } from '../observe/log-events.ts';
import type { Logger } from '../observe/logger.ts';
import { createMetrics } from '../observe/metrics.ts';
import { type Counts, countEvents, emptyCounts } from '../observe/tally.ts';
import { createOtaApi, type OtaApiOptions } from '../ota/client.ts';
import { LocalRateLimiter } from '../ota/limiter.ts';
import { FixedRate } from '../ota/rate.ts';
import { createSqsClient, type SQSClientConfig } from '../queue/client.ts';
import { Queue } from '../queue/queue.ts';
import type { WorkerListener } from '../worker/events.ts';
import { MAX_POLLS } from '../worker/receiver.ts';
import { Worker } from '../worker/worker.ts';

/** A worker with its surroundings, not started. */
export interface Assembly {
  readonly worker: Worker;
  readonly counts: Counts;
  readonly http: FastifyInstance;
  /** Closes what outlives the worker. */
  readonly close: () => Promise<void>;
}

export interface AssemblyOptions {
  readonly config: Config;
  readonly env: Environment;
  readonly log: Logger;
  readonly listeners?: readonly WorkerListener[];
  /** For clients that do not take their endpoint and credentials from the environment: the sandbox's. */
  readonly sqs?: SQSClientConfig;
  readonly api?: OtaApiOptions['client'];
}

/** Requests besides polls that may be under way at once: deletes, extensions, dead letters. */
const SETTLING_SOCKETS = 20;

export function assemble({
  config,
  env,
  log,
  listeners = [],
  sqs = {},
  api = {},
}: AssemblyOptions): Assembly {
  const client = createSqsClient(MAX_POLLS + SETTLING_SOCKETS, sqs, env);
  const counts = emptyCounts();
  // Metrics read snapshots of a worker that is made with their listener: the closure ties the knot.
  const metrics = createMetrics(() => worker.snapshot());
  const worker: Worker = new Worker({
    config,
    source: new Queue(client, config.queueUrl),
    deadLetterQueue: new Queue(client, config.deadLetterQueueUrl),
    api: createOtaApi({
      callTimeoutMs: config.callTimeoutMs,
      maxSockets: config.maxConcurrency,
      client: api,
    }),
    limiter: new LocalRateLimiter(config.rateLimit),
    rate: new FixedRate(config.rateLimit),
    clock: systemClock,
    random: Math.random,
    listeners: [logEvents(log), metrics.listener, countEvents(counts), ...listeners],
  });
  const http = createHttpServer({ snapshot: () => worker.snapshot(), registry: metrics.registry });
  return {
    worker,
    counts,
    http,
    close: async () => {
      await http.close();
      client.destroy();
    },
  };
}
