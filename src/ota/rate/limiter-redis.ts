/**
 * One rate budget for many workers: a local limiter chained to a Bottleneck limiter on Redis.
 *
 *   alone  ── Redis answers and the limiter is made ─────────► shared
 *   shared ── Redis is gone, or has forgotten the limiter ───► alone
 *
 * Shared: the ceiling is held exactly across all workers. Alone: this worker goes on at the share of the ceiling that
 * it held over the last 30 s, and comes back by itself.
 */
import Bottleneck from 'bottleneck';
import { Redis } from 'ioredis';
import { CONNECT_TIMEOUT_MS, connectRedis, RECONNECT_AFTER_MS, within } from '../redis-connection.ts';
import { grantInterval, grantSize, LocalRateLimiter, type RateLimiter } from './limiter.ts';
import { ShareMeter } from './share-meter.ts';

export interface RedisRateLimiterOptions {
  readonly url: string;
  /** Calls per second of all workers together; finite. */
  readonly ceiling: number;
  /** Monotonic milliseconds. */
  readonly now: () => number;
  /** Told once per change; the reason is what went wrong. */
  readonly onShared: (shared: boolean, reason?: unknown) => void;
}

/** All workers on one Redis database share one budget: each fleet wants a database of its own. */
const LIMITER_ID = 'ota-updater:rate';
/** Without a history of its own a worker goes on at this part of the ceiling. */
const UNKNOWN_SHARE = 0.1;
/** Two grants under way hide the way to Redis and back. */
const GRANTS_UNDER_WAY = 2;

/** The chain while Redis answers. */
interface Chain {
  readonly connection: Bottleneck.IORedisConnection;
  readonly local: Bottleneck;
  /** Grants asked for ahead, in order. */
  readonly grants: Promise<number>[];
  /** The rate that the local limiter is set to. */
  rate: number;
  /** Ends each grant under way: Bottleneck leaves jobs without an end when the chain is dropped. */
  readonly underWay: Set<(permits: number) => void>;
}

export class RedisRateLimiter implements RateLimiter {
  readonly #options: RedisRateLimiterOptions;
  readonly #size: number;
  readonly #alone: LocalRateLimiter;
  readonly #meter: ShareMeter;
  #chain: Chain | undefined;
  #connecting = false;
  #said: boolean | undefined;
  #reconnect: NodeJS.Timeout | undefined;
  #rate: number;
  #share: number;
  #closed = false;

  /** Connects in the background; until then, and whenever Redis is away, grants are this worker's own. */
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
      while (chain.grants.length < GRANTS_UNDER_WAY) chain.grants.push(this.#grantShared(chain));
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
    // Not Promise.race with a promise for the whole chain: that would keep every grant's reaction until the end.
    const { promise, resolve } = Promise.withResolvers<number>();
    chain.underWay.add(resolve);
    chain.local
      .schedule(async () => this.#meter.add(this.#size))
      .then(
        () => resolve(this.#size),
        (error) => {
          this.#lose(error, chain);
          resolve(0);
        },
      )
      .finally(() => chain.underWay.delete(resolve));
    return promise;
  }

  /**
   * Connects, and makes the limiter on Redis anew: after a loss Redis may have forgotten it, and Bottleneck never
   * finds it again. Every try has a connection of its own, because Bottleneck's cannot be mended.
   */
  async #connect(): Promise<void> {
    if (this.#connecting || this.#chain !== undefined || this.#closed) return;
    this.#connecting = true;
    let redis: Redis | undefined;
    let connection: Bottleneck.IORedisConnection | undefined;
    try {
      redis = await connectRedis(this.#options.url);
      // Named, or Bottleneck looks for ioredis through eval, which finds nothing in a bundle.
      const client = { client: redis, Redis };
      connection = new Bottleneck.IORedisConnection(client);
      const minTime = grantInterval(this.#options.ceiling);
      const shared = new Bottleneck({ id: LIMITER_ID, datastore: 'ioredis', connection, minTime });
      shared.on('error', () => undefined);
      await within(CONNECT_TIMEOUT_MS, shared.ready());
      // Redis keeps the settings of whoever came first: ours take effect from here on.
      await shared.updateSettings({ minTime });
      const local = new Bottleneck({ maxConcurrent: GRANTS_UNDER_WAY, minTime: this.#localInterval() });
      local.chain(shared);
      if (this.#closed) {
        void connection.disconnect(false);
        return;
      }
      const chain: Chain = { connection, local, grants: [], rate: this.#rate, underWay: new Set() };
      this.#meter.restart();
      this.#chain = chain;
      redis.once('close', () => this.#lose(new Error('the connection to Redis is closed'), chain));
      this.#say(true);
    } catch (error) {
      if (connection === undefined) redis?.disconnect();
      else void connection.disconnect(false);
      this.#lose(error);
    } finally {
      this.#connecting = false;
    }
  }

  /** @param from the chain that failed; an old one's failure says nothing of the present one. */
  #lose(reason: unknown, from?: Chain): void {
    if (this.#closed || from !== this.#chain) return;
    // Only what was held while it was shared counts: alone, the meter runs empty.
    if (from !== undefined)
      this.#share = Math.min(this.#meter.perSecond() ?? this.#share, this.#options.ceiling);
    this.#dropChain();
    this.#alone.setRate(Math.max(Math.min(this.#rate, this.#share), this.#options.ceiling / 1_000));
    this.#say(false, reason);
    this.#reconnect = setTimeout(() => void this.#connect(), RECONNECT_AFTER_MS);
  }

  #dropChain(): void {
    const chain = this.#chain;
    if (chain === undefined) return;
    this.#chain = undefined;
    for (const end of chain.underWay) end(0);
    void chain.local.stop({ dropWaitingJobs: true }).catch(() => undefined);
    void chain.connection.disconnect(false);
  }

  #say(shared: boolean, reason?: unknown): void {
    if (this.#said === shared) return;
    this.#said = shared;
    this.#options.onShared(shared, reason);
  }

  /** A grant keeps its size, which the ceiling gives; the adaptive rate only spaces them. */
  #localInterval(): number {
    return (1_000 * this.#size) / this.#rate;
  }
}
