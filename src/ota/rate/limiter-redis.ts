/**
 * One rate budget for many workers: a local Bottleneck limiter chained to one on Redis.
 *
 *   alone  ── Redis answers and the limiter is created ──────► shared
 *   shared ── Redis fails, or has lost the limiter ──────────► alone
 *
 * Shared: all workers together keep the ceiling exactly. Alone: this worker continues at the share of the ceiling that
 * it had over the last 30 s, and reconnects by itself.
 */
import Bottleneck from 'bottleneck';
import { Redis } from 'ioredis';
import { CONNECT_TIMEOUT_MS, connectRedis, RECONNECT_AFTER_MS, withTimeout } from '../redis-connection.ts';
import { grantInterval, grantSize, LocalRateLimiter, type RateLimiter } from './limiter.ts';
import { ShareMeter } from './share-meter.ts';

export interface RedisRateLimiterOptions {
  readonly url: string;
  /** Calls per second of all workers together; finite. */
  readonly ceiling: number;
  /** Monotonic milliseconds. */
  readonly now: () => number;
  /** Called once per change; `reason` is the error. */
  readonly onShared: (shared: boolean, reason?: unknown) => void;
}

/** All workers on one Redis database share one budget: each fleet needs a database of its own. */
const LIMITER_ID = 'ota-updater:rate';
/** A worker's share of the ceiling before it has measured one. */
const UNKNOWN_SHARE = 0.1;
/** Two grants at once hide the round trip to Redis. */
const GRANTS_IN_PROGRESS = 2;

/** The chain while Redis answers. */
interface Chain {
  readonly connection: Bottleneck.IORedisConnection;
  readonly local: Bottleneck;
  /** Grants requested in advance, in order. */
  readonly grants: Promise<number>[];
  /** The rate that the local limiter has been set to. */
  rate: number;
  /** Resolves each grant in progress: Bottleneck never settles its jobs when the chain is dropped. */
  readonly inProgress: Set<(permits: number) => void>;
}

export class RedisRateLimiter implements RateLimiter {
  readonly #options: RedisRateLimiterOptions;
  readonly #size: number;
  readonly #alone: LocalRateLimiter;
  readonly #meter: ShareMeter;
  #chain: Chain | undefined;
  #connecting = false;
  #reported: boolean | undefined;
  #reconnect: NodeJS.Timeout | undefined;
  #rate: number;
  #share: number;
  #closed = false;

  /** Connects in the background; while Redis is unreachable, grants come from the local limiter alone. */
  constructor(options: RedisRateLimiterOptions) {
    this.#options = options;
    this.#rate = options.ceiling;
    this.#share = options.ceiling * UNKNOWN_SHARE;
    this.#size = grantSize(options.ceiling);
    this.#meter = new ShareMeter(options.now);
    this.#alone = new LocalRateLimiter(this.#share);
    void this.#connect();
  }

  get rate(): number {
    return this.#rate;
  }

  async grant(): Promise<number> {
    const chain = this.#chain;
    if (chain !== undefined && !this.#closed) {
      while (chain.grants.length < GRANTS_IN_PROGRESS) chain.grants.push(this.#grantShared(chain));
      const permits = await chain.grants.shift();
      if (permits !== undefined && permits > 0) return permits;
    }
    return this.#closed ? 0 : this.#alone.grant();
  }

  setRate(perSecond: number): void {
    this.#rate = perSecond;
    this.#alone.setRate(Math.min(perSecond, this.#share));
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    clearTimeout(this.#reconnect);
    this.#dropChain();
    await this.#alone.close();
  }

  #grantShared(chain: Chain): Promise<number> {
    if (chain.rate !== this.#rate) {
      chain.rate = this.#rate;
      void chain.local.updateSettings({ minTime: this.#localInterval() });
    }
    // Promise.race against one promise for the whole chain would leak a reaction per grant.
    const { promise, resolve } = Promise.withResolvers<number>();
    chain.inProgress.add(resolve);
    chain.local
      .schedule(async () => this.#meter.add(this.#size))
      .then(
        () => resolve(this.#size),
        (error) => {
          this.#disconnected(error, chain);
          resolve(0);
        },
      )
      .finally(() => chain.inProgress.delete(resolve));
    return promise;
  }

  /**
   * Connects and creates the limiter on Redis: Redis may have lost it, which Bottleneck does not recover from. Each try
   * has its own connection, because Bottleneck's cannot be reused after a failure.
   */
  async #connect(): Promise<void> {
    if (this.#connecting || this.#chain !== undefined || this.#closed) return;
    this.#connecting = true;
    let redis: Redis | undefined;
    let connection: Bottleneck.IORedisConnection | undefined;
    try {
      redis = await connectRedis(this.#options.url);
      // Without the class, Bottleneck looks for ioredis through eval, which fails in a bundle.
      const client = { client: redis, Redis };
      connection = new Bottleneck.IORedisConnection(client);
      const minTime = grantInterval(this.#options.ceiling);
      const shared = new Bottleneck({ id: LIMITER_ID, datastore: 'ioredis', connection, minTime });
      shared.on('error', () => undefined);
      await withTimeout(CONNECT_TIMEOUT_MS, shared.ready());
      // Redis has kept the settings of the first worker.
      await shared.updateSettings({ minTime });
      const local = new Bottleneck({ maxConcurrent: GRANTS_IN_PROGRESS, minTime: this.#localInterval() });
      local.chain(shared);
      if (this.#closed) {
        void connection.disconnect(false);
        return;
      }
      const chain: Chain = { connection, local, grants: [], rate: this.#rate, inProgress: new Set() };
      this.#meter.restart();
      this.#chain = chain;
      redis.once('close', () => this.#disconnected(new Error('the connection to Redis is closed'), chain));
      this.#report(true);
    } catch (error) {
      if (connection === undefined) redis?.disconnect();
      else void connection.disconnect(false);
      this.#disconnected(error);
    } finally {
      this.#connecting = false;
    }
  }

  /** @param from the chain that failed; the failure of an earlier one is ignored. */
  #disconnected(reason: unknown, from?: Chain): void {
    if (this.#closed || from !== this.#chain) return;
    // Only a share measured while shared counts: alone, the meter counts nothing.
    if (from !== undefined)
      this.#share = Math.min(this.#meter.perSecond() ?? this.#share, this.#options.ceiling);
    this.#dropChain();
    this.#alone.setRate(Math.max(Math.min(this.#rate, this.#share), this.#options.ceiling / 1_000));
    this.#report(false, reason);
    this.#reconnect = setTimeout(() => void this.#connect(), RECONNECT_AFTER_MS);
  }

  #dropChain(): void {
    const chain = this.#chain;
    if (chain === undefined) return;
    this.#chain = undefined;
    for (const end of chain.inProgress) end(0);
    void chain.local.stop({ dropWaitingJobs: true }).catch(() => undefined);
    void chain.connection.disconnect(false);
  }

  #report(shared: boolean, reason?: unknown): void {
    if (this.#reported === shared) return;
    this.#reported = shared;
    this.#options.onShared(shared, reason);
  }

  /** The ceiling determines the size of grants, the adaptive rate their interval. */
  #localInterval(): number {
    return (1_000 * this.#size) / this.#rate;
  }
}
