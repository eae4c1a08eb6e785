/** A stage for end-to-end tests: a real SQS server and the simulated API over HTTP, with a worker in this process. */
import { randomUUID } from 'node:crypto';
import { watchServerTime } from '../../src/aws/server-time.ts';
import { type Config, type Environment, readConfig } from '../../src/config.ts';
import { Bounds } from '../../src/limits/bounds.ts';
import type { DeadLetterRecord } from '../../src/message/dead-letter-record.ts';
import type { Message } from '../../src/message/message.ts';
import type { Outcome } from '../../src/message/outcome.ts';
import { createOtaApi, type OtaApi, type OtaApiOptions } from '../../src/ota/client.ts';
import { LocalNewest, type Newest } from '../../src/ota/newest/newest.ts';
import { LocalRateLimiter, type RateLimiter } from '../../src/ota/rate/limiter.ts';
import { FixedRate } from '../../src/ota/rate/rate-control.ts';
import type { SQSClient, SQSClientConfig } from '../../src/queue/client.ts';
import type { Queue } from '../../src/queue/queue.ts';
import type { SimulatedApi, SimulatedApiSettingsInput } from '../../src/sandbox/simulated-api/index.ts';
import type { WorkerTelemetry } from '../../src/telemetry/start.ts';
import { type Clock, type StartTimer, systemClock } from '../../src/time/clock.ts';
import { QueueTime } from '../../src/time/queue-time.ts';
import { type ConditionName, Conditions } from '../../src/worker/conditions.ts';
import { createEmitter, type WorkerEvent, type WorkerListener } from '../../src/worker/events.ts';
import { defaultTimings, type WorkerTimings } from '../../src/worker/options.ts';
import { Worker } from '../../src/worker/worker.ts';
import type { SqsJudge } from '../sqs/server.ts';
import type { SqsServer } from '../sqs/sqs-server.ts';
import { limitsOfHungCalls } from './hung-calls.ts';
import { credentials, REGION, receiveAll, Servers } from './servers.ts';

export { credentials, REGION };

/** Short times for what the contract states in seconds: tests wait for events, not for half a minute. */
export const fastTimings: WorkerTimings = {
  ...defaultTimings,
  trialMs: 1_000,
  probes: {
    outage: { firstMs: 200, factor: 1, maxMs: 200 },
    denied: { firstMs: 200, factor: 1.5, maxMs: 400 },
    untried: { firstMs: 20, factor: 1.0025, maxMs: 400 },
    unreachable: { firstMs: 50, factor: 1.5, maxMs: 200 },
    misconfigured: { firstMs: 200, factor: 1.5, maxMs: 400 },
  },
  findQueuesBackoff: { baseMs: 300, maxMs: 300 },
  deadLetterBackoff: { baseMs: 100, maxMs: 200 },
  outcomeBackoff: { baseMs: 100, maxMs: 200 },
};

/** A lease that is extended while a test watches: every 3 s; a machine that stalls for 2 s loses no lease. */
export const watchedLease = { VISIBILITY_TIMEOUT_SECONDS: '6' };

/**
 * A grace in which messages are released: a second of it is left when calls and letters are given up, for a busy machine takes its
 * time.
 */
export const graceWithRelease = { SHUTDOWN_GRACE_SECONDS: '7' };

export interface StageOptions {
  readonly api?: SimulatedApiSettingsInput;
  /** Overrides of the worker's environment. */
  readonly env?: Environment;
  readonly timings?: WorkerTimings;
  readonly queueAttributes?: Record<string, string>;
  readonly deadLetterAttributes?: Record<string, string>;
  /** Creates the queue `outcomes`, to which the worker publishes. */
  readonly outcomes?: boolean;
  readonly outcomeAttributes?: Record<string, string>;
  /** Both queues are FIFO queues, `updates.fifo` and `dead.fifo`, served as strictly as AWS's. */
  readonly fifo?: boolean;
  /** SQS is as strict as AWS's; implied by `fifo`. */
  readonly strict?: boolean;
  /** Another SQS server than fauxqs. */
  readonly judge?: SqsJudge;
  /** Further settings for the SQS client, such as another endpoint (a proxy's). */
  readonly sqs?: SQSClientConfig;
  /** Further settings for the API client, such as other credentials. */
  readonly apiClient?: OtaApiOptions['client'];
  /** Answers of the API that have a latency, by its settings or a script, wait for `letAnswer` instead of a time. */
  readonly holdAnswers?: boolean;
  /** Calls time out only when the API lets them hang: for tests in which some calls hang and others do not. */
  readonly endHungCalls?: boolean;
  /** Wraps the client of the API for the worker. */
  readonly wrapApi?: (api: OtaApi) => OtaApi;
  /** The worker's clock. */
  readonly clock?: Clock;
  /** SQS's time, for ages that a test cannot wait for; default: what SQS tells the worker. */
  readonly queueTime?: QueueTime;
  /** The worker's random source: with 0, every backoff and deferral ends at once. */
  readonly random?: () => number;
  /** Maximum calls per second that a worker may start, if less than RATE_LIMIT, such as a share of it. */
  readonly share?: number;
  /** The limiter of a worker; default: one in its process. */
  readonly limiter?: (perSecond: number) => RateLimiter;
  /** A worker's memory of what is newest; default: its own, in memory. */
  readonly newest?: () => Newest;
  /** The API's clock, epoch milliseconds, which also determines the devices behind its tasks. */
  readonly apiNow?: () => number;
  /** The API's random source, for its faults and latencies. */
  readonly apiRandom?: () => number;
  /** Tracing of the stage's worker; created once, and closed with the stage. */
  readonly tracing?: (config: Config) => Promise<WorkerTelemetry | undefined>;
  /** Called with every event of the worker before the stage is. */
  readonly listeners?: readonly WorkerListener[];
}

export type SettledEvent = Extract<WorkerEvent, { type: 'settled' }>;

/**
 * Starts both servers and creates the queues `updates`, `dead` and, if asked, `outcomes`; creates the worker without starting it.
 */
export async function setStage(options: StageOptions = {}): Promise<Stage> {
  const answering = Promise.withResolvers<void>();
  const servers = await Servers.start({
    queues: {
      updates: options.queueAttributes ?? {},
      dead: options.deadLetterAttributes ?? {},
      ...(options.outcomes === true && { outcomes: options.outcomeAttributes ?? {} }),
    },
    fifo: options.fifo ?? false,
    strict: options.strict ?? false,
    judge: options.judge,
    api: {
      record: true,
      ...(options.api && { settings: options.api }),
      ...(options.apiNow && { now: options.apiNow }),
      ...(options.apiRandom && { random: options.apiRandom }),
      ...(options.holdAnswers === true && { sleep: () => answering.promise }),
    },
  });
  const stage = new Stage(servers, options, answering.resolve);
  await stage.beginTracing();
  return stage;
}

export class Stage {
  readonly sqs: SqsServer;
  readonly api: SimulatedApi;
  readonly source: Queue;
  readonly dead: Queue;
  readonly events: WorkerEvent[] = [];
  readonly sqsUrl: string;
  readonly config: Config;
  worker: Worker;
  /** Releases the answers that `holdAnswers` holds, and all later ones. */
  readonly letAnswer: () => void;
  readonly #servers: Servers;
  readonly #options: StageOptions;
  readonly #watchers = new Set<() => void>();
  #telemetry: WorkerTelemetry | undefined;
  readonly #callTimer: StartTimer | undefined;

  constructor(servers: Servers, options: StageOptions, letAnswer: () => void) {
    this.letAnswer = letAnswer;
    this.#servers = servers;
    this.sqs = servers.sqs;
    this.api = servers.api;
    this.sqsUrl = servers.sqsUrl;
    this.#callTimer = options.endHungCalls === true ? limitsOfHungCalls(servers.api) : undefined;
    this.#options = options;
    this.config = readConfig(this.environment(options.env));
    this.source = this.queue('updates');
    this.dead = this.queue('dead');
    this.worker = this.makeWorker();
  }

  /** Creates the stage's worker again, traced, if the options ask for it. */
  async beginTracing(): Promise<void> {
    this.#telemetry = await this.#options.tracing?.(this.config);
    if (this.#telemetry !== undefined) this.worker = this.makeWorker();
  }

  /** Sends pending spans. */
  async closeTracing(mostMs: number): Promise<void> {
    await this.#telemetry?.close(mostMs);
  }

  /** A worker's environment for this stage: for workers in this process and for separate processes. */
  environment(overrides: Environment = {}): Record<string, string> {
    const environment = {
      QUEUE_URL: this.#servers.queueUrl('updates'),
      DEAD_LETTER_QUEUE_URL: this.#servers.queueUrl('dead'),
      ...(this.#options.outcomes === true && {
        OUTCOME_QUEUE_URL: this.#servers.queueUrl('outcomes'),
      }),
      AWS_REGION: REGION,
      AWS_ACCESS_KEY_ID: credentials.accessKeyId,
      AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
      AWS_ENDPOINT_URL_SQS: this.sqsUrl,
      AWS_ENDPOINT_URL_IOT_MANAGED_INTEGRATIONS: this.api.url,
      RATE_LIMIT: 'unlimited',
      RETRY_BASE_MS: '10',
      RETRY_MAX_MS: '50',
      // Only a safeguard: the worker, SQS and the API share this process, and no call may time out because it is slow.
      CALL_TIMEOUT_MS: '20000',
      HTTP_PORT: '0',
      ...overrides,
    };
    return Object.fromEntries(
      Object.entries(environment).filter((entry): entry is [string, string] => entry[1] !== undefined),
    );
  }

  /** A queue of this stage over HTTP, as the worker under test sees it. */
  queue(name: string, sqs: SQSClientConfig = {}): Queue {
    return this.#servers.queue(name, sqs);
  }

  /** Another worker on the same queues. */
  makeWorker(config: Config = this.config): Worker {
    const { apiClient, wrapApi = (api) => api, clock = systemClock, random = Math.random } = this.#options;
    const { limiter = (perSecond: number) => new LocalRateLimiter(perSecond) } = this.#options;
    const { newest = () => new LocalNewest(), queueTime = new QueueTime(clock) } = this.#options;
    const watch = (client: SQSClient): void => {
      if (this.#options.queueTime === undefined) watchServerTime(client, clock, queueTime);
    };
    const queue = (name: string): Queue => this.#servers.queue(name, this.#options.sqs, watch);
    const listeners: WorkerListener[] = [
      ...(this.#options.listeners ?? []),
      (event) => {
        this.events.push(event);
        for (const watcher of this.#watchers) watcher();
      },
    ];
    const emit = createEmitter(listeners);
    return new Worker({
      config,
      source: queue('updates'),
      deadLetterQueue: queue('dead'),
      ...(config.outcomeQueueUrl !== undefined && {
        outcomeQueue: queue('outcomes'),
      }),
      api: wrapApi(
        createOtaApi({
          callTimeoutMs: config.callTimeoutMs,
          ...(this.#callTimer && { startTimer: this.#callTimer }),
          maxSockets: config.maxConcurrency,
          client: { region: REGION, credentials, endpoint: this.api.url, ...apiClient },
        }),
      ),
      limiter: limiter(this.#options.share ?? config.rateLimit),
      rate: new FixedRate(config.rateLimit),
      bounds: new Bounds({
        rate: config.rateLimit,
        concurrency: config.maxConcurrency,
        now: clock.wall,
      }),
      newest: newest(),
      conditions: new Conditions({ clock, emit }),
      clock,
      queueTime,
      random,
      timings: this.#options.timings ?? fastTimings,
      listeners,
      tracing: this.#telemetry?.tracing,
    });
  }

  /** Sends bodies to the source queue, in order: strings as they are, objects as JSON. */
  async send(...bodies: readonly (string | object)[]): Promise<void> {
    for (let i = 0; i < bodies.length; i += 10) {
      const batch = bodies.slice(i, i + 10);
      const failures = await this.source.send(
        batch.map((body, j) => ({
          key: String(i + j),
          body: typeof body === 'string' ? body : JSON.stringify(body),
        })),
      );
      if (failures.length > 0) throw new Error(`not sent: ${JSON.stringify(failures)}`);
    }
  }

  /** Sends updates to a FIFO source queue, in order, each with its Identifier as group. */
  async sendInOrder(...updates: readonly { readonly Identifier: string }[]): Promise<void> {
    for (let i = 0; i < updates.length; i += 10) {
      const failures = await this.source.send(
        updates.slice(i, i + 10).map((update, j) => ({
          key: String(i + j),
          body: JSON.stringify(update),
          groupId: update.Identifier,
          deduplicationId: randomUUID(),
        })),
      );
      if (failures.length > 0) throw new Error(`not sent: ${JSON.stringify(failures)}`);
    }
  }

  /** `count` valid updates with Identifiers `prefix0`, `prefix1`, … */
  async sendUpdates(count: number, prefix = 'task'): Promise<string[]> {
    const identifiers = Array.from({ length: count }, (_, i) => `${prefix}${i}`);
    await this.send(...identifiers.map((Identifier) => ({ Identifier, Description: 'from a test' })));
    return identifiers;
  }

  /** Resolves when `predicate` holds; checked after every event of a worker. */
  async until(predicate: () => boolean): Promise<void> {
    if (predicate()) return;
    await new Promise<void>((resolve) => {
      const watcher = (): void => {
        if (!predicate()) return;
        this.#watchers.delete(watcher);
        resolve();
      };
      this.#watchers.add(watcher);
    });
  }

  /** Whether the stage's worker has this condition raised now. */
  hasCondition(name: ConditionName): boolean {
    return this.worker
      .snapshot()
      .conditions.some((condition) => condition.name === name && condition.raised !== undefined);
  }

  settled(action?: SettledEvent['disposition']['action']): SettledEvent[] {
    return this.events.filter(
      (event): event is SettledEvent =>
        event.type === 'settled' && (action === undefined || event.disposition.action === action),
    );
  }

  /** Resolves when `count` messages ended applied or dead-lettered. */
  async ended(count: number): Promise<void> {
    await this.until(() => this.settled('acknowledge').length + this.settled('dead-letter').length >= count);
  }

  /** Everything on the dead-letter queue; received, and left there invisible. */
  deadLetters(): Promise<Message[]> {
    return receiveAll(this.dead);
  }

  /** Everything on the outcome queue; received, and left there invisible. */
  async outcomes(): Promise<Outcome[]> {
    const messages = await receiveAll(this.queue('outcomes'));
    return messages.map(({ body }) => JSON.parse(body) as Outcome);
  }

  /** Visible messages on the source queue, and those in flight. */
  left(): { ready: number; inFlight: number } {
    const messages = this.sqs.inspectQueue(this.#servers.nameOf('updates'))?.messages;
    return { ready: messages?.ready.length ?? 0, inFlight: messages?.inflight.length ?? 0 };
  }

  async strike(): Promise<void> {
    await this.worker.stop();
    await this.#servers.close();
  }
}

/** The record of a dead letter. */
export function recordOf(letter: Message): DeadLetterRecord {
  const text = letter.attributes.DeadLetter?.stringValue;
  if (text === undefined) throw new Error('the letter has no DeadLetter attribute');
  return JSON.parse(text) as DeadLetterRecord;
}
