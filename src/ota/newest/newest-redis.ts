/**
 * Newest-wins marks that many workers share on Redis. A claim per Identifier covers check, call and mark.
 *
 *   alone       ── Redis answers ───────────────────────► catching up
 *   catching up ── local marks are written to Redis ────► shared
 *   catching up, shared ── Redis fails ─────────────────► alone
 *
 * Alone: this worker uses its own marks, without claims. Catching up: new marks are written to Redis too, and so are all
 * local marks that Redis lacks. Marks are only ever raised.
 */
import type { Marks } from '../../message/newest.ts';
import { CONNECT_TIMEOUT_MS, connectRedis, RECONNECT_AFTER_MS, withTimeout } from '../redis-connection.ts';
import { type AppliedFields, type Claim, LocalNewest, markOf, type Newest } from './newest.ts';
import {
  type ForeignKey,
  HELD_BY_FOREIGN,
  keysOf,
  noClaim,
  type ReleasedClaim,
  type ScriptedRedis,
  settle,
  withScripts,
} from './newest-scripts.ts';

export interface RedisNewestOptions {
  readonly url: string;
  /** Distinguishes this worker's claims from those of others: random. */
  readonly workerId: string;
  /** How long a claim lasts after its worker has died, in milliseconds: see `claimDurationMs`. */
  readonly claimMs: number;
  /**
   * How long others wait after a call without an answer, in milliseconds: the call may still take effect, and would undo
   * a newer update applied meanwhile. A call that takes effect even later is not covered.
   */
  readonly unansweredMs: number;
  /** The longest claim that a worker may be configured to make, in milliseconds. A later end is no worker's. */
  readonly longestClaimMs: number;
  /** Epoch milliseconds, too late rather than too early: a value far beyond it cannot be a mark. */
  readonly now: () => number;
  /** Called once per change; `reason` is the error. */
  readonly onShared: (shared: boolean, reason?: unknown) => void;
  /** A key of ours holds a value that no worker writes. The value is ignored; called only for the first of each kind. */
  readonly onForeign: (what: ForeignKey, identifier: string) => void;
  readonly local?: LocalNewest;
}

/** Marks written at once while catching up. */
const CATCH_UP_BATCH = 500;
/**
 * An update may be decided on up to 5 minutes after it is sent, and clocks differ. A mark further ahead is no worker's.
 */
const MAX_AHEAD_MS = 10 * 60_000;

export class RedisNewest implements Newest {
  readonly #options: RedisNewestOptions;
  readonly #local: LocalNewest;
  /** Set from catching up onwards: marks are written to it. */
  #redis: ScriptedRedis | undefined;
  /** Redis has all local marks, so claims can be relied on. */
  #shared = false;
  /** Claims wait for this: until Redis has answered or failed, no call is made. */
  #firstTry: Promise<void> | undefined;
  #reconnect: NodeJS.Timeout | undefined;
  #claims = 0;
  #reported: boolean | undefined;
  #closed = false;
  readonly #foreign = new Set<ForeignKey>();

  /** Connects at once, and reconnects by itself. */
  constructor(options: RedisNewestOptions) {
    this.#options = options;
    this.#local = options.local ?? new LocalNewest();
    this.#firstTry = this.#connect().finally(() => {
      this.#firstTry = undefined;
    });
  }

  known(identifier: string): Marks | undefined {
    return this.#local.known(identifier);
  }

  async claim(identifier: string, kept?: Claim): Promise<Claim | 'held' | undefined> {
    if (this.#firstTry !== undefined) await this.#firstTry;
    const redis = this.#redis;
    if (redis === undefined || !this.#shared) return undefined;
    // One token per update: a claim whose answer was lost must not count as the claim of a later update.
    const token = kept?.token ?? `${this.#options.workerId}:${++this.#claims}`;
    try {
      const { claimMs, longestClaimMs } = this.#options;
      const found = await redis.claimNewest(...keysOf(identifier), token, claimMs, longestClaimMs);
      if (found === HELD_BY_FOREIGN) this.#sayForeign('claim', identifier);
      if (typeof found === 'number') return 'held';
      const [description, configuration, foreign] = found;
      if (foreign !== undefined) this.#sayForeign(foreign, identifier);
      if (description !== null || configuration !== null)
        this.#local.raise(
          identifier,
          this.#read(description, identifier),
          this.#read(configuration, identifier),
        );
      return { identifier, token };
    } catch (error) {
      this.#disconnected(error, redis);
      return undefined;
    }
  }

  async applied(
    identifier: string,
    fields: AppliedFields,
    at: number,
    claim: Claim | undefined,
    unanswered: boolean,
  ): Promise<void> {
    this.#local.applied(identifier, fields, at);
    await this.#settle(
      identifier,
      { token: claim?.token ?? '', forMs: this.#forMs(unanswered) },
      markOf(fields.Description, at),
      markOf(fields.TaskConfigurationId, at),
    );
  }

  release({ identifier, token }: Claim, unanswered: boolean): void {
    const claim = { token, forMs: this.#forMs(unanswered) };
    void this.#settle(identifier, claim, Number.NEGATIVE_INFINITY, Number.NEGATIVE_INFINITY);
  }

  /** How long a released claim still keeps others waiting, in milliseconds. */
  #forMs(unanswered: boolean): number {
    return unanswered ? this.#options.unansweredMs : 0;
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    clearTimeout(this.#reconnect);
    this.#redis?.disconnect();
    this.#redis = undefined;
  }

  /** If it fails, the marks are written while catching up, and the claim expires. */
  async #settle(
    identifier: string,
    claim: ReleasedClaim,
    description: number,
    configuration: number,
  ): Promise<void> {
    const redis = this.#redis;
    if (redis === undefined) return;
    try {
      await settle(redis, identifier, claim, description, configuration, this.#highest());
    } catch (error) {
      this.#disconnected(error, redis);
    }
  }

  async #connect(): Promise<void> {
    let redis: ScriptedRedis | undefined;
    let inUse: ScriptedRedis | undefined;
    try {
      redis = withScripts(await connectRedis(this.#options.url, { enableAutoPipelining: true }));
      // A Redis that answers but refuses writes (full, a replica) is of no use.
      await withTimeout(CONNECT_TIMEOUT_MS, redis.claimNewest(...keysOf(''), this.#options.workerId, 1, 1));
      if (this.#closed) {
        redis.disconnect();
        return;
      }
      const connected = redis;
      inUse = connected;
      this.#redis = connected;
      redis.once('close', () =>
        this.#disconnected(new Error('the connection to Redis is closed'), connected),
      );
      await this.#catchUp(connected);
      if (this.#redis !== connected) return;
      this.#shared = true;
      this.#report(true);
    } catch (error) {
      redis?.disconnect();
      this.#disconnected(error, inUse);
    }
  }

  async #catchUp(redis: ScriptedRedis): Promise<void> {
    const identifiers = this.#local.identifiers();
    for (let i = 0; i < identifiers.length && this.#redis === redis; i += CATCH_UP_BATCH) {
      await Promise.all(
        identifiers.slice(i, i + CATCH_UP_BATCH).map(async (identifier) => {
          const marks = this.#local.known(identifier);
          if (marks !== undefined)
            await settle(
              redis,
              identifier,
              noClaim,
              marks.Description,
              marks.TaskConfigurationId,
              this.#highest(),
            );
        }),
      );
    }
  }

  /** @param from the connection that failed; the failure of an earlier connection is ignored. */
  #disconnected(reason: unknown, from: ScriptedRedis | undefined): void {
    if (this.#closed || from !== this.#redis) return;
    this.#redis = undefined;
    this.#shared = false;
    from?.disconnect();
    this.#report(false, reason);
    this.#reconnect = setTimeout(() => void this.#connect(), RECONNECT_AFTER_MS);
  }

  /** The highest possible mark. */
  #highest(): number {
    return Math.round(this.#options.now()) + MAX_AHEAD_MS;
  }

  /**
   * Reads a mark from Redis, which anyone may have written. A value that is no time, or far ahead, counts as no mark.
   */
  #read(text: string | null, identifier: string): number {
    if (text === null) return Number.NEGATIVE_INFINITY;
    if (/^-?\d+$/.test(text) && Number(text) <= this.#highest()) return Number(text);
    this.#sayForeign('marks', identifier);
    return Number.NEGATIVE_INFINITY;
  }

  #sayForeign(what: ForeignKey, identifier: string): void {
    if (this.#foreign.has(what)) return;
    this.#foreign.add(what);
    this.#options.onForeign(what, identifier);
  }

  #report(shared: boolean, reason?: unknown): void {
    if (this.#reported === shared) return;
    this.#reported = shared;
    this.#options.onShared(shared, reason);
  }
}
