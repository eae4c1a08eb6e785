/** Where a run takes place: an SQS emulator and the simulated API, each behind a fault proxy; Redis if wanted. */
import { type FauxqsServer, startFauxqs } from 'fauxqs';
import { createSqsClient } from '../../src/queue/client.ts';
import { Queue } from '../../src/queue/queue.ts';
import {
  type SimulatedApi,
  type SimulatedApiSettingsInput,
  startSimulatedApi,
} from '../../src/sandbox/simulated-api/index.ts';
import { type RedisServer, startRedis } from '../../test/support/redis.ts';
import { apiDialect, sqsDialect } from './dialects.ts';
import type { Exchange } from './exchange.ts';
import { FaultDice, type FaultRates } from './faults.ts';
import { HttpProxy } from './http-proxy.ts';
import type { AppliedCall, Letter } from './ledger.ts';
import { TcpProxy } from './tcp-proxy.ts';
import type { SentUpdate } from './updates.ts';

const REGION = 'eu-west-1';

export interface StageOptions {
  readonly random: () => number;
  readonly api: SimulatedApiSettingsInput;
  readonly fifo: boolean;
  readonly redis: boolean;
  /** Keep every exchange, for the account at the end; false where a run has no end in sight. */
  readonly record: boolean;
}

export interface Rates {
  readonly sqs: FaultRates;
  readonly api: FaultRates;
  readonly redis: FaultRates;
}

export const noFaults: Rates = { sqs: {}, api: {}, redis: {} };

export class Stage {
  readonly queue: string;
  readonly dead: string;
  readonly sqs: FauxqsServer;
  readonly api: SimulatedApi;
  readonly sqsProxy: HttpProxy;
  readonly apiProxy: HttpProxy;
  readonly redisProxy: TcpProxy | undefined;
  readonly sqsExchanges: Exchange[] = [];
  readonly apiExchanges: Exchange[] = [];
  readonly applied: AppliedCall[] = [];
  readonly #dice: { readonly sqs: FaultDice; readonly api: FaultDice; readonly redis: FaultDice };
  readonly #redis: RedisServer | undefined;

  private constructor(parts: Parts, { fifo, record }: StageOptions) {
    const suffix = fifo ? '.fifo' : '';
    this.queue = `updates${suffix}`;
    this.dead = `dead${suffix}`;
    this.sqs = parts.sqs;
    this.api = parts.api;
    this.sqsProxy = parts.sqsProxy;
    this.apiProxy = parts.apiProxy;
    this.redisProxy = parts.redisProxy;
    this.#dice = parts.dice;
    this.#redis = parts.redis;
    const attributes = fifo ? { FifoQueue: 'true' } : {};
    this.sqs.createQueue(this.queue, { region: REGION, attributes });
    this.sqs.createQueue(this.dead, { region: REGION, attributes });
    if (!record) return;
    parts.hear(
      (exchange) => this.sqsExchanges.push(exchange),
      (exchange) => this.apiExchanges.push(exchange),
    );
    this.api.onCall(({ identifier, input, status, at }) => {
      if (status === 204 || status === 'apply-then-reset')
        this.applied.push({ identifier, fields: input, at });
    });
  }

  static async set(options: StageOptions): Promise<Stage> {
    const { random } = options;
    const dice = {
      sqs: new FaultDice({}, random),
      api: new FaultDice({}, random),
      redis: new FaultDice({}, random),
    };
    const sqs = await startFauxqs({ port: 0, logger: false, host: '127.0.0.1', defaultRegion: REGION });
    const api = await startSimulatedApi({ settings: options.api, random });
    let onSqs: (exchange: Exchange) => void = () => undefined;
    let onApi: (exchange: Exchange) => void = () => undefined;
    const sqsProxy = await HttpProxy.start({
      target: `http://127.0.0.1:${sqs.port}`,
      dice: dice.sqs,
      dialect: sqsDialect,
      onExchange: (exchange) => onSqs(exchange),
    });
    const apiProxy = await HttpProxy.start({
      target: api.url,
      dice: dice.api,
      dialect: apiDialect,
      onExchange: (exchange) => onApi(exchange),
    });
    const redis = options.redis ? await startRedis() : undefined;
    const redisProxy = redis && (await TcpProxy.start({ target: redis.port, dice: dice.redis }));
    const hear: Parts['hear'] = (first, second) => {
      onSqs = first;
      onApi = second;
    };
    return new Stage({ sqs, api, sqsProxy, apiProxy, redis, redisProxy, dice, hear }, options);
  }

  /** What faults there are from now on. */
  inject({ sqs, api, redis }: Rates): void {
    this.#dice.sqs.rates = sqs;
    this.#dice.api.rates = api;
    this.#dice.redis.rates = redis;
  }

  /** The environment of a worker here: it sees the proxies only. */
  env(overrides: Readonly<Record<string, string>> = {}): Record<string, string> {
    return {
      QUEUE_URL: `${this.sqsProxy.url}/000000000000/${this.queue}`,
      DEAD_LETTER_QUEUE_URL: `${this.sqsProxy.url}/000000000000/${this.dead}`,
      AWS_REGION: REGION,
      AWS_ENDPOINT_URL_SQS: this.sqsProxy.url,
      AWS_ENDPOINT_URL_IOT_MANAGED_INTEGRATIONS: this.apiProxy.url,
      HTTP_PORT: '0',
      ...(this.redisProxy && { REDIS_URL: `redis://127.0.0.1:${this.redisProxy.port}` }),
      ...overrides,
    };
  }

  /** Puts it on the source queue, past the proxy. */
  send({ body, id, groupId }: Pick<SentUpdate, 'body' | 'id' | 'groupId'>): void {
    this.sqs.sendMessage(this.queue, body, {
      region: REGION,
      ...(groupId !== undefined && { messageGroupId: groupId, messageDeduplicationId: id }),
    });
  }

  /** Messages on the source queue, and how many of them are visible. */
  left(): { readonly all: number; readonly visible: number } {
    const { ready = [], inflight = [], delayed = [] } = this.sqs.inspectQueue(this.queue)?.messages ?? {};
    return { all: ready.length + inflight.length + delayed.length, visible: ready.length };
  }

  leftBodies(): string[] {
    const { ready = [], inflight = [], delayed = [] } = this.sqs.inspectQueue(this.queue)?.messages ?? {};
    return [...ready, ...delayed, ...inflight.map(({ message }) => message)].map(({ body }) => body);
  }

  /** Takes every letter off the dead-letter queue, past the proxy. */
  async drainLetters(): Promise<Letter[]> {
    const endpoint = `http://127.0.0.1:${this.sqs.port}`;
    const credentials = { accessKeyId: 'LEDGER', secretAccessKey: 'not-a-secret' };
    const client = createSqsClient(2, { region: REGION, credentials, endpoint });
    const dead = new Queue(client, `${endpoint}/000000000000/${this.dead}`);
    const letters: Letter[] = [];
    for (;;) {
      const some = await dead.receive({ max: 10, waitSeconds: 0, visibilitySeconds: 600 });
      if (some.length === 0) break;
      for (const { body, attributes } of some) {
        letters.push({ body, reason: reasonOf(attributes.DeadLetter?.stringValue) });
      }
      const failures = await dead.delete(some.map(({ receiptHandle }) => receiptHandle));
      if (failures.length > 0) throw new Error('the dead-letter queue cannot be drained');
    }
    client.destroy();
    return letters;
  }

  async strike(): Promise<void> {
    await Promise.all([this.sqsProxy.close(), this.apiProxy.close(), this.redisProxy?.close()]);
    await this.#redis?.kill();
    await this.api.close();
    await this.sqs.stop();
  }
}

interface Parts {
  readonly sqs: FauxqsServer;
  readonly api: SimulatedApi;
  readonly sqsProxy: HttpProxy;
  readonly apiProxy: HttpProxy;
  readonly redis: RedisServer | undefined;
  readonly redisProxy: TcpProxy | undefined;
  readonly dice: { readonly sqs: FaultDice; readonly api: FaultDice; readonly redis: FaultDice };
  readonly hear: (onSqs: (exchange: Exchange) => void, onApi: (exchange: Exchange) => void) => void;
}

function reasonOf(record: string | undefined): string | undefined {
  if (record === undefined) return undefined;
  return (JSON.parse(record) as { reason: string }).reason;
}
