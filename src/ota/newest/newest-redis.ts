/**
 * Newest-wins marks that many workers share on Redis. A claim per Identifier covers check, call and mark.
 *
 *   alone       ── Redis answers ───────────────────────► catching up
 *   catching up ── local marks are written to Redis ────► shared
 *   catching up, shared ── Redis fails ─────────────────► alone
 *
 * Alone: this worker uses its own marks, without claims. Catching up: new marks are written to Redis as well, together
 * with all local ones that it lacks. Marks are only ever raised.
 */
import type { Redis } from 'ioredis';
import type { Marks } from '../../message/newest.ts';
import { CONNECT_TIMEOUT_MS, connectRedis, RECONNECT_AFTER_MS, withTimeout } from '../redis-connection.ts';
import { type AppliedFields, type Claim, LocalNewest, markOf, type Newest } from './newest.ts';

export interface RedisNewestOptions {
  readonly url: string;
  /** Distinguishes this worker's claims from those of others: random. */
  readonly workerId: string;
  /** How long a claim lasts after its worker has died, in milliseconds: longer than a call can take. */
  readonly claimMs: number;
  /**
   * How long others wait after a call without an answer, in milliseconds: the call may still take effect, and would undo
   * a newer update applied meanwhile. A call that takes effect even later is not covered.
   */
  readonly unansweredMs: number;
  /** Called once per change; `reason` is the error. */
  readonly onShared: (shared: boolean, reason?: unknown) => void;
  readonly local?: LocalNewest;
}

/** Margin of a claim's duration over the longest call, in milliseconds. */
export const CLAIM_MARGIN_MS = 5_000;
/** A message may stay 14 days on the queue and 14 on the dead-letter queue before it is redriven; marks must last longer. */
const MARKS_KEPT_MS = 28 * 24 * 3_600_000;
/** Marks written at once while catching up. */
const CATCH_UP_BATCH = 500;

/** Takes the claim and returns the marks, or nothing when another worker holds the claim. */
const CLAIM = `
if not redis.call('SET', KEYS[2], ARGV[1], 'NX', 'PX', ARGV[2]) then
  if redis.call('GET', KEYS[2]) ~= ARGV[1] then return false end
  redis.call('PEXPIRE', KEYS[2], ARGV[2])
end
return redis.call('HMGET', KEYS[1], 'd', 't')`;

/** Raises the given marks, and ends the claim if it is still ours, at once or after ARGV[3] milliseconds. */
const SETTLE = `
local marked = false
for i, field in ipairs({'d', 't'}) do
  local at = ARGV[i + 3]
  if at ~= '' then
    local known = redis.call('HGET', KEYS[1], field)
    if not known or tonumber(known) < tonumber(at) then redis.call('HSET', KEYS[1], field, at) end
    marked = true
  end
end
if marked then redis.call('PEXPIRE', KEYS[1], ARGV[2]) end
if ARGV[1] ~= '' and redis.call('GET', KEYS[2]) == ARGV[1] then redis.call('PEXPIRE', KEYS[2], ARGV[3]) end
return 1`;

interface ScriptedRedis extends Redis {
  claimNewest(
    marks: string,
    claim: string,
    token: string,
    claimMs: number,
  ): Promise<readonly [string | null, string | null] | null>;
  settleNewest(
    marks: string,
    claim: string,
    token: string,
    keptMs: number,
    claimMs: number,
    description: string,
    configuration: string,
  ): Promise<number>;
}

export class RedisNewest implements Newest {
  readonly #options: RedisNewestOptions;
  readonly #local: LocalNewest;
  /** Set from catching up on: marks are written to it. */
  #redis: ScriptedRedis | undefined;
  /** Redis has all local marks, so claims can be relied on. */
  #shared = false;
  /** Claims wait for it: until Redis has answered or failed, no call is made. */
  #firstTry: Promise<void> | undefined;
  #reconnect: NodeJS.Timeout | undefined;
  #claims = 0;
  #reported: boolean | undefined;
  #closed = false;

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
    // A token per update: a claim whose answer was lost must not count as that of a later update.
    const token = kept?.token ?? `${this.#options.workerId}:${++this.#claims}`;
    try {
      const found = await redis.claimNewest(...keysOf(identifier), token, this.#options.claimMs);
      if (found === null) return 'held';
      const [description, configuration] = found;
      if (description !== null || configuration !== null)
        this.#local.raise(identifier, toMark(description), toMark(configuration));
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

  /** On failure the marks are written while catching up, and the claim expires. */
  async #settle(
    identifier: string,
    claim: ReleasedClaim,
    description: number,
    configuration: number,
  ): Promise<void> {
    const redis = this.#redis;
    if (redis === undefined) return;
    try {
      await settle(redis, identifier, claim, description, configuration);
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
      await withTimeout(CONNECT_TIMEOUT_MS, redis.claimNewest(...keysOf(''), this.#options.workerId, 1));
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
            await settle(redis, identifier, noClaim, marks.Description, marks.TaskConfigurationId);
        }),
      );
    }
  }

  /** @param from the connection that failed; the failure of an earlier one is ignored. */
  #disconnected(reason: unknown, from: ScriptedRedis | undefined): void {
    if (this.#closed || from !== this.#redis) return;
    this.#redis = undefined;
    this.#shared = false;
    from?.disconnect();
    this.#report(false, reason);
    this.#reconnect = setTimeout(() => void this.#connect(), RECONNECT_AFTER_MS);
  }

  #report(shared: boolean, reason?: unknown): void {
    if (this.#reported === shared) return;
    this.#reported = shared;
    this.#options.onShared(shared, reason);
  }
}

function withScripts(redis: Redis): ScriptedRedis {
  redis.defineCommand('claimNewest', { numberOfKeys: 2, lua: CLAIM });
  redis.defineCommand('settleNewest', { numberOfKeys: 2, lua: SETTLE });
  return redis as ScriptedRedis;
}

/** `forMs` as in `#forMs`; an empty token is no claim. */
interface ReleasedClaim {
  readonly token: string;
  readonly forMs: number;
}

const noClaim: ReleasedClaim = { token: '', forMs: 0 };

async function settle(
  redis: ScriptedRedis,
  identifier: string,
  { token, forMs }: ReleasedClaim,
  description: number,
  configuration: number,
): Promise<void> {
  await redis.settleNewest(
    ...keysOf(identifier),
    token,
    MARKS_KEPT_MS,
    forMs,
    toText(description),
    toText(configuration),
  );
}

function keysOf(identifier: string): [marks: string, claim: string] {
  return [`ota-updater:newest:{${identifier}}`, `ota-updater:claim:{${identifier}}`];
}

/** A value that is not a number, written by someone else, counts as no mark. */
function toMark(text: string | null): number {
  const mark = text === null ? Number.NaN : Number(text);
  return Number.isNaN(mark) ? Number.NEGATIVE_INFINITY : mark;
}

function toText(mark: number): string {
  return mark === Number.NEGATIVE_INFINITY ? '' : String(mark);
}
