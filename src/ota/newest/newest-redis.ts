/**
 * One memory of what is newest for many workers, on Redis, under a claim per Identifier around check, call and mark.
 *
 *   alone       ── Redis answers ───────────────────────► catching up
 *   catching up ── what is remembered here is written ──► shared
 *   catching up, shared ── Redis is gone ───────────────► alone
 *
 * Alone: this worker goes on by its own memory, without claims. Catching up: marks are written through, and what was
 * marked meanwhile, or what Redis has forgotten, is made good from the memory here. Marks are only ever raised.
 */
import type { Redis } from 'ioredis';
import type { Marks } from '../../message/newest.ts';
import { CONNECT_TIMEOUT_MS, connectRedis, RECONNECT_AFTER_MS, within } from '../redis-connection.ts';
import { type AppliedFields, type Claim, LocalNewest, markOf, type Newest } from './newest.ts';

export interface RedisNewestOptions {
  readonly url: string;
  /** Tells this worker's claims from those of others: random. */
  readonly workerId: string;
  /** How long a claim holds when its worker is gone: longer than a call can take. */
  readonly claimMs: number;
  /**
   * How long others wait after a call without an answer, in milliseconds: it may take effect yet, and after the call of
   * a newer update it would undo that. What comes later still is not helped.
   */
  readonly unansweredMs: number;
  /** Told once per change; the reason is what went wrong. */
  readonly onShared: (shared: boolean, reason?: unknown) => void;
  readonly local?: LocalNewest;
}

/** What a claim lasts longer than a call may take, in milliseconds. */
export const CLAIM_MARGIN_MS = 5_000;
/**
 * A letter may lie on the queue for 14 days and as long on the dead-letter queue before it is put back: marks must
 * outlive it.
 */
const MARKS_KEPT_MS = 28 * 24 * 3_600_000;
/** Marks written in one go when Redis is back. */
const CATCH_UP_BATCH = 500;

/** One round trip: nothing when another holds the claim, else the marks. */
const CLAIM = `
if not redis.call('SET', KEYS[2], ARGV[1], 'NX', 'PX', ARGV[2]) then
  if redis.call('GET', KEYS[2]) ~= ARGV[1] then return false end
  redis.call('PEXPIRE', KEYS[2], ARGV[2])
end
return redis.call('HMGET', KEYS[1], 'd', 't')`;

/** One round trip: raises the marks that are given, and ends the claim, now or soon, if it is still ours. */
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
  /** Takes marks. */
  #redis: ScriptedRedis | undefined;
  /** Redis knows what this worker knows: claims count. */
  #shared = false;
  /** Until it is known whether there is a Redis, nobody calls. */
  #firstTry: Promise<void> | undefined;
  #reconnect: NodeJS.Timeout | undefined;
  #claims = 0;
  #said: boolean | undefined;
  #closed = false;

  /** Connects at once; comes back by itself whenever Redis does. */
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
    // A token of its own for each update: a claim whose answer was lost must not pass for that of a later one.
    const token = kept?.token ?? `${this.#options.workerId}:${++this.#claims}`;
    try {
      const found = await redis.claimNewest(...keysOf(identifier), token, this.#options.claimMs);
      if (found === null) return 'held';
      const [description, configuration] = found;
      if (description !== null || configuration !== null)
        this.#local.raise(identifier, toMark(description), toMark(configuration));
      return { identifier, token };
    } catch (error) {
      this.#lose(error, redis);
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

  /** What is left of a claim that is given back. */
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

  /** What Redis does not take now is written when it is back, from the memory here; a claim ends by itself. */
  async #settle(
    identifier: string,
    claim: LeftClaim,
    description: number,
    configuration: number,
  ): Promise<void> {
    const redis = this.#redis;
    if (redis === undefined) return;
    try {
      await settle(redis, identifier, claim, description, configuration);
    } catch (error) {
      this.#lose(error, redis);
    }
  }

  async #connect(): Promise<void> {
    let redis: ScriptedRedis | undefined;
    let inUse: ScriptedRedis | undefined;
    try {
      redis = withScripts(await connectRedis(this.#options.url, { enableAutoPipelining: true }));
      // A Redis that answers but takes nothing (full, a replica) is no memory to share.
      await within(CONNECT_TIMEOUT_MS, redis.claimNewest(...keysOf(''), this.#options.workerId, 1));
      if (this.#closed) {
        redis.disconnect();
        return;
      }
      const connected = redis;
      inUse = connected;
      this.#redis = connected;
      redis.once('close', () => this.#lose(new Error('the connection to Redis is closed'), connected));
      await this.#catchUp(connected);
      if (this.#redis !== connected) return;
      this.#shared = true;
      this.#say(true);
    } catch (error) {
      redis?.disconnect();
      this.#lose(error, inUse);
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

  /** @param from the connection that failed; an old one's failure says nothing of the present one. */
  #lose(reason: unknown, from: ScriptedRedis | undefined): void {
    if (this.#closed || from !== this.#redis) return;
    this.#redis = undefined;
    this.#shared = false;
    from?.disconnect();
    this.#say(false, reason);
    this.#reconnect = setTimeout(() => void this.#connect(), RECONNECT_AFTER_MS);
  }

  #say(shared: boolean, reason?: unknown): void {
    if (this.#said === shared) return;
    this.#said = shared;
    this.#options.onShared(shared, reason);
  }
}

function withScripts(redis: Redis): ScriptedRedis {
  redis.defineCommand('claimNewest', { numberOfKeys: 2, lua: CLAIM });
  redis.defineCommand('settleNewest', { numberOfKeys: 2, lua: SETTLE });
  return redis as ScriptedRedis;
}

/** A claim that is given back, and how long it still keeps others waiting, in milliseconds; an empty token is none. */
interface LeftClaim {
  readonly token: string;
  readonly forMs: number;
}

const noClaim: LeftClaim = { token: '', forMs: 0 };

async function settle(
  redis: ScriptedRedis,
  identifier: string,
  { token, forMs }: LeftClaim,
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

/** The marks and the claim of an Identifier, of all workers on this Redis database. */
function keysOf(identifier: string): [marks: string, claim: string] {
  return [`ota-updater:newest:{${identifier}}`, `ota-updater:claim:{${identifier}}`];
}

/** Whoever else writes there, what is no number is no mark. */
function toMark(text: string | null): number {
  const mark = text === null ? Number.NaN : Number(text);
  return Number.isNaN(mark) ? Number.NEGATIVE_INFINITY : mark;
}

function toText(mark: number): string {
  return mark === Number.NEGATIVE_INFINITY ? '' : String(mark);
}
