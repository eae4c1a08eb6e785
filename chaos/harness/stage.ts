/** The stage of a run: an SQS emulator and the simulated API, each behind a fault proxy; Redis and PostgreSQL if wanted. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Message } from '../../src/message/message.ts';
import { BATCH_SIZE } from '../../src/queue/batch.ts';
import type { Queue } from '../../src/queue/queue.ts';
import type { SimulatedApi, SimulatedApiSettingsInput } from '../../src/sandbox/simulated-api/index.ts';
import { apiDialect, sqsDialect } from '../../testing/faults/dialects.ts';
import type { Exchange } from '../../testing/faults/exchange.ts';
import { FaultCounts, type FaultRates, FaultSource } from '../../testing/faults/faults.ts';
import { HttpProxy } from '../../testing/faults/http-proxy.ts';
import { type Sts, type StsAnswer, startSts } from '../../testing/faults/sts.ts';
import { TcpProxy } from '../../testing/faults/tcp-proxy.ts';
import { type PostgresServer, startPostgres } from '../../testing/postgres/server.ts';
import { type RedisServer, startRedis } from '../../testing/redis/server.ts';
import { REGION, receiveAll, Servers } from '../../testing/stages/servers.ts';
import type { AppliedCall, Letter } from './ledger.ts';
import type { CutTarget } from './schedule.ts';
import type { SentUpdate } from './updates.ts';

/** For how long a message that the stage receives is hidden from workers. */
const HIDDEN_SECONDS = 600;

export interface StageOptions {
  readonly random: () => number;
  readonly api: SimulatedApiSettingsInput;
  readonly fifo: boolean;
  readonly redis: boolean;
  /** Workers publish outcomes, for bulk jobs. */
  readonly outcomes?: boolean;
  /** A PostgreSQL for the ledger of bulk jobs. */
  readonly postgres?: boolean;
  /** Keep every exchange, for the account at the end; false for a run too long for that. */
  readonly record: boolean;
}

export interface Rates {
  readonly sqs: FaultRates;
  readonly api: FaultRates;
  readonly redis: FaultRates;
  readonly ledger: FaultRates;
  /** The share of requests for credentials that are refused. */
  readonly sts: number;
}

/** What is needed to send an update. */
export type Sendable = Pick<SentUpdate, 'body' | 'id' | 'groupId'>;

export const noFaults: Rates = { sqs: {}, api: {}, redis: {}, ledger: {}, sts: 0 };

/** Clients ask for new credentials when five minutes are left, so here every few seconds. */
const CREDENTIALS_LAST_MS = 305_000;

/** Why STS gives no credentials: the role's trust does not exist (yet), the token is old, too many ask, it fails. */
const stsRefusals: readonly [StsAnswer, ...StsAnswer[]] = [
  { status: 403, code: 'AccessDenied' },
  { status: 400, code: 'ExpiredTokenException' },
  { status: 400, code: 'Throttling' },
  { status: 500, code: 'InternalFailure' },
];

export class Stage {
  readonly queue: string;
  readonly api: SimulatedApi;
  readonly sqsProxy: HttpProxy;
  readonly apiProxy: HttpProxy;
  readonly redisProxy: TcpProxy | undefined;
  /** The server of the ledger, bypassing its proxy. */
  readonly postgres: PostgresServer | undefined;
  readonly ledgerProxy: TcpProxy | undefined;
  /** How often credentials were refused, by code. */
  readonly stsCounts: FaultCounts;
  readonly sqsExchanges: Exchange[] = [];
  readonly apiExchanges: Exchange[] = [];
  readonly applied: AppliedCall[] = [];
  readonly #faultSource: Readonly<Record<keyof Rates, FaultSource>>;
  readonly #redis: RedisServer | undefined;
  readonly #sts: Sts;
  /** Folder of the token that workers show to STS. */
  readonly #folder: string;
  readonly #servers: Servers;
  readonly #outcomes: boolean;
  /** Through the proxy. */
  readonly #ledgerUrl: string | undefined;
  /** Bypassing the proxy. */
  readonly #source: Queue;
  readonly #letters: Queue;

  private constructor(parts: Parts, { record, outcomes = false }: StageOptions) {
    this.#servers = parts.servers;
    this.queue = parts.servers.nameOf('updates');
    this.api = parts.servers.api;
    this.sqsProxy = parts.sqsProxy;
    this.apiProxy = parts.apiProxy;
    this.redisProxy = parts.redisProxy;
    this.postgres = parts.ledger?.postgres;
    this.ledgerProxy = parts.ledger?.proxy;
    this.#ledgerUrl = parts.ledger?.url;
    this.#outcomes = outcomes;
    this.#faultSource = parts.faultSource;
    this.#redis = parts.redis;
    this.#sts = parts.sts;
    this.stsCounts = parts.stsCounts;
    this.#folder = mkdtempSync(join(tmpdir(), 'ota-chaos-'));
    writeFileSync(this.#tokenFile, 'token');
    const credentials = { accessKeyId: 'LEDGER', secretAccessKey: 'not-a-secret' };
    this.#source = parts.servers.queue('updates', { credentials });
    this.#letters = parts.servers.queue('dead', { credentials });
    if (!record) return;
    parts.onExchange(
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
    const faultSource = {
      sqs: new FaultSource({}, random),
      api: new FaultSource({}, random),
      redis: new FaultSource({}, random),
      ledger: new FaultSource({}, random),
      sts: new FaultSource({}, random),
    };
    const stsCounts = new FaultCounts();
    const sts = await startSts(() => {
      const { error = 0 } = faultSource.sts.rates;
      if (faultSource.sts.random() >= error) return 'grant';
      stsCounts.add('error');
      return faultSource.sts.pick(stsRefusals);
    }, CREDENTIALS_LAST_MS);
    const servers = await Servers.start({
      queues: { updates: {}, dead: {}, outcomes: {} },
      fifo: options.fifo,
      strict: false,
      api: { settings: options.api, random },
    });
    let onSqs: (exchange: Exchange) => void = () => undefined;
    let onApi: (exchange: Exchange) => void = () => undefined;
    const sqsProxy = await HttpProxy.start({
      target: servers.sqsUrl,
      faultSource: faultSource.sqs,
      dialect: sqsDialect,
      onExchange: (exchange) => onSqs(exchange),
    });
    const apiProxy = await HttpProxy.start({
      target: servers.api.url,
      faultSource: faultSource.api,
      dialect: apiDialect,
      onExchange: (exchange) => onApi(exchange),
    });
    const redis = options.redis ? await startRedis() : undefined;
    const redisProxy =
      redis && (await TcpProxy.start({ target: redis.port, faultSource: faultSource.redis }));
    const ledger = options.postgres === true ? await startLedger(faultSource.ledger) : undefined;
    const onExchange: Parts['onExchange'] = (first, second) => {
      onSqs = first;
      onApi = second;
    };
    return new Stage(
      { servers, sqsProxy, apiProxy, redis, redisProxy, ledger, sts, stsCounts, faultSource, onExchange },
      options,
    );
  }

  /** Sets the rates of faults from now on. */
  inject({ sqs, api, redis, ledger, sts }: Rates): void {
    this.#faultSource.sqs.rates = sqs;
    this.#faultSource.api.rates = api;
    this.#faultSource.redis.rates = redis;
    this.#faultSource.ledger.rates = ledger;
    this.#faultSource.sts.rates = { error: sts };
  }

  /** Cuts the connections to the target, and prevents new ones for `ms`. */
  async cut(of: CutTarget, ms: number): Promise<void> {
    const has = (one: CutTarget): boolean => of === one || of === 'all';
    await Promise.all([
      has('sqs') && this.sqsProxy.cut(ms),
      has('api') && this.apiProxy.cut(ms),
      has('redis') && this.redisProxy?.cut(ms),
      has('ledger') && this.ledgerProxy?.cut(ms),
      of === 'outcomes' && this.sqsProxy.cutNamed(`/${this.#servers.nameOf('outcomes')}"`, ms),
    ]);
  }

  /** Credentials with this access key id, from STS. */
  credentials(accessKeyId: string): Record<string, string | undefined> {
    return this.#sts.env(this.#tokenFile, accessKeyId);
  }

  get #tokenFile(): string {
    return join(this.#folder, 'token');
  }

  /** The environment of a process, without its credentials: it reaches all servers only through the proxies. */
  env(overrides: Readonly<Record<string, string>> = {}): Record<string, string> {
    return {
      QUEUE_URL: this.#servers.queueUrl('updates', this.sqsProxy.url),
      DEAD_LETTER_QUEUE_URL: this.#servers.queueUrl('dead', this.sqsProxy.url),
      AWS_REGION: REGION,
      AWS_ENDPOINT_URL_SQS: this.sqsProxy.url,
      AWS_ENDPOINT_URL_IOT_MANAGED_INTEGRATIONS: this.apiProxy.url,
      HTTP_PORT: '0',
      ...(this.redisProxy && { REDIS_URL: `redis://127.0.0.1:${this.redisProxy.port}` }),
      ...(this.#outcomes && { OUTCOME_QUEUE_URL: this.#servers.queueUrl('outcomes', this.sqsProxy.url) }),
      ...(this.#ledgerUrl !== undefined && { LEDGER_URL: this.#ledgerUrl }),
      ...overrides,
    };
  }

  /** Sends updates to the source queue, in order, bypassing the proxy. */
  async send(updates: readonly Sendable[]): Promise<void> {
    for (let i = 0; i < updates.length; i += BATCH_SIZE) {
      const failures = await this.#source.send(
        updates.slice(i, i + BATCH_SIZE).map(({ id, body, groupId }) => ({
          key: id,
          body,
          ...(groupId !== undefined && { groupId, deduplicationId: id }),
        })),
      );
      if (failures.length > 0) throw new Error(`not sent: ${JSON.stringify(failures)}`);
    }
  }

  /** Messages on the source queue, and how many of them are visible. */
  async left(): Promise<{ readonly all: number; readonly visible: number }> {
    const { visible = 0, notVisible = 0, delayed = 0 } = await this.#source.attributes();
    return { all: visible + notVisible + delayed, visible };
  }

  /** Deletes the visible messages on the source queue. @returns their bodies. */
  async leftBodies(): Promise<string[]> {
    return (await takeAll(this.#source)).map(({ body }) => body);
  }

  /** Takes every letter off the dead-letter queue, bypassing the proxy. */
  async drainLetters(): Promise<Letter[]> {
    const letters = await takeAll(this.#letters);
    return letters.map(({ body, attributes }) => ({
      body,
      reason: reasonOf(attributes.DeadLetter?.stringValue),
    }));
  }

  async strike(): Promise<void> {
    const proxies = [this.sqsProxy, this.apiProxy, this.redisProxy, this.ledgerProxy];
    await Promise.all(proxies.map((proxy) => proxy?.close()));
    await this.#redis?.kill();
    await this.postgres?.remove();
    await this.#sts.close();
    await this.#servers.close();
    rmSync(this.#folder, { recursive: true });
  }
}

interface Parts {
  readonly servers: Servers;
  readonly sqsProxy: HttpProxy;
  readonly apiProxy: HttpProxy;
  readonly redis: RedisServer | undefined;
  readonly redisProxy: TcpProxy | undefined;
  readonly ledger: LedgerServer | undefined;
  readonly sts: Sts;
  readonly stsCounts: FaultCounts;
  readonly faultSource: Readonly<Record<keyof Rates, FaultSource>>;
  readonly onExchange: (onSqs: (exchange: Exchange) => void, onApi: (exchange: Exchange) => void) => void;
}

interface LedgerServer {
  readonly postgres: PostgresServer;
  readonly proxy: TcpProxy;
  readonly url: string;
}

async function startLedger(faultSource: FaultSource): Promise<LedgerServer> {
  const postgres = await startPostgres();
  const proxy = await TcpProxy.start({ target: postgres.port, faultSource });
  const url = new URL(await postgres.createDatabase());
  url.port = String(proxy.port);
  return { postgres, proxy, url: url.href };
}

/** Receives and deletes until no visible message is left. */
function takeAll(queue: Queue): Promise<Message[]> {
  const remove = (some: readonly Message[]) => queue.delete(some.map(({ receiptHandle }) => receiptHandle));
  return receiveAll(queue, remove, HIDDEN_SECONDS);
}

function reasonOf(record: string | undefined): string | undefined {
  if (record === undefined) return undefined;
  return (JSON.parse(record) as { reason: string }).reason;
}
