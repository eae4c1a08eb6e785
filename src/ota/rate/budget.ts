/**
 * The budget that workers share on Redis: one script, which books permits by Redis's own clock (GCRA, the generic cell
 * rate algorithm). No clock of a worker enters it.
 *
 * One hash. `due` is when the next permit is due, in microseconds of Redis's time. Every other field is a worker that was
 * heard of lately: when, when it last wanted permits, and the rate it keeps to.
 *
 * The name of the key is the version of this protocol. Values may change (the rate, say, found by whatever rule); what they
 * mean may not, without another name.
 */
import type { Redis } from 'ioredis';
import { connectRedis } from '../redis-connection.ts';

/** All workers on one Redis database share one budget: each fleet needs a database of its own. */
export const BUDGET_KEY = 'ota-updater:budget:1';
/**
 * Where the fleet's controller leaves the rate that it has found (`fleet/board.ts`). The tag in braces keeps it in one slot
 * with the budget, for a Redis that is a cluster.
 */
export const FLEET_RATE_KEY = `ota-updater:rate:1:{${BUDGET_KEY}}`;
/** Its value where the API takes the ceiling. */
export const NOTHING_FOUND = 'none';
/** A worker that was not heard of for so long is gone, in milliseconds. */
export const GONE_AFTER_MS = 30_000;
/** A worker that wanted permits so recently takes part in sharing, in milliseconds. */
const WANTS_FOR_MS = 1_000;
/** Permits unused for so long may still be given out, in milliseconds: what timers that run late would lose. */
const BURST_MS = 20;
/**
 * How far ahead permits may be booked, in milliseconds, besides two grants for each worker. What stands farther ahead is
 * none of ours, or dates from before Redis's clock was set back.
 */
const FAR_MS = 10_000;
/** More fields than these are none of ours. */
const MOST_WORKERS = 1_000;
/** No worker keeps to fewer permits a second: the least that `RATE_LIMIT` may be. */
export const LEAST_RATE = 0.01;

const SCRIPT = `
local key, worker, wanted, ceiling = KEYS[1], ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])
local burst, known, waits = tonumber(ARGV[4]) * 1000, ARGV[5], ARGV[6] == '1'
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local gone = now - ${GONE_AFTER_MS * 1_000}
local found = redis.pcall('HGETALL', key)
if found.err or #found > ${2 * MOST_WORKERS} then
  redis.call('DEL', key)
  found = {}
end
if wanted < 0 then
  if redis.pcall('HGET', KEYS[2], 'leader') == worker then redis.call('HDEL', KEYS[2], 'leader') end
  return redis.call('HDEL', key, worker)
end
local due, last_wanted, workers, wanting = 0, 0, 1, 1
for i = 1, #found, 2 do
  local field, value = found[i], found[i + 1]
  if field == 'due' then
    due = tonumber(value) or 0
  else
    local heard, wants, theirs = string.match(value, '^(%d+) (%d+) ([%d.e+-]+)$')
    heard, wants, theirs = tonumber(heard), tonumber(wants), tonumber(theirs)
    if not (heard and wants and theirs and heard > gone and heard <= now and theirs >= ${LEAST_RATE}) then
      redis.call('HDEL', key, field)
    elseif field == worker then
      last_wanted = wants
    else
      workers = workers + 1
      if wants > now - ${WANTS_FOR_MS * 1_000} then wanting = wanting + 1 end
      ceiling = math.min(ceiling, theirs)
    end
  end
end
local rate = ceiling
if known ~= '' then
  local found = redis.pcall('HGET', KEYS[2], 'rate')
  if found ~= '${NOTHING_FOUND}' then
    found = type(found) == 'string' and tonumber(found)
    if not (found and found >= ${LEAST_RATE} and found < math.huge) then found = tonumber(known) end
    rate = math.min(rate, found)
  end
end
local interval = 1000000 / rate
if not (due <= now + ${FAR_MS * 1_000} + 2 * workers * math.max(1, wanted) * interval) then due = 0 end
local wait = 0
if wanted > 0 or waits then last_wanted = now end
if wanted > 0 then
  local start = math.max(due, now - burst)
  wait = math.max(0, start - now)
  due = start + wanted * interval
  redis.call('HSET', key, 'due', string.format('%.2f', due))
end
redis.call('HSET', key, worker, string.format('%.0f %.0f %.17g', now, last_wanted, tonumber(ARGV[3])))
redis.call('PEXPIRE', key, ${GONE_AFTER_MS} + math.ceil(math.max(0, due - now) / 1000))
return {wanted, math.ceil(wait), workers, wanting, string.format('%.17g', ceiling), string.format('%.17g', rate)}`;

/** Permits booked, and who shares. */
export interface Booking {
  readonly permits: number;
  /** From when Redis answered until they may be used, in milliseconds. */
  readonly waitMs: number;
  /** Workers heard of lately, this one included. */
  readonly workers: number;
  /** Those of them that wanted permits lately, this one included. */
  readonly wanting: number;
  /** Permits per second that all of them share at most: the lowest that any of them keeps to. */
  readonly ceiling: number;
  /** Permits per second that they share now: the ceiling, or what their controller has found, if that is less. */
  readonly rate: number;
}

interface ScriptedRedis extends Redis {
  book(
    budgetKey: string,
    fleetRateKey: string,
    worker: string,
    wanted: number,
    ceiling: number,
    burstMs: number,
    known: string,
    waits: 0 | 1,
  ): Promise<unknown>;
}

export interface BudgetOptions {
  readonly url: string;
  /** Tells workers apart: random. */
  readonly worker: string;
  /** Permits per second, as this worker is configured. */
  readonly ceiling: number;
  /** Whether this worker goes by the rate that the fleet's controller has found, where there is one. */
  readonly byFleet: boolean;
}

/** One connection to the budget. */
export class Budget {
  /** For what else goes over this connection. */
  readonly redis: Redis;
  readonly #scripted: ScriptedRedis;
  readonly #worker: string;
  readonly #byFleet: boolean;
  /** Permits per second, as this worker is set now; said with the next booking. */
  ceiling: number;
  /** The rate of the fleet as heard last, `Infinity` for none: it holds where Redis has forgotten it. */
  known = Number.POSITIVE_INFINITY;

  private constructor(redis: ScriptedRedis, { worker, ceiling, byFleet }: BudgetOptions) {
    this.redis = redis;
    this.#scripted = redis;
    this.#worker = worker;
    this.#byFleet = byFleet;
    this.ceiling = ceiling;
  }

  /** @throws when Redis cannot be reached. */
  static async connect(options: BudgetOptions): Promise<Budget> {
    const redis = (await connectRedis(options.url)) as ScriptedRedis;
    redis.defineCommand('book', { numberOfKeys: 2, lua: SCRIPT });
    return new Budget(redis, options);
  }

  /** Calls `listener` once when the connection is gone. */
  onClosed(listener: () => void): void {
    this.redis.once('close', listener);
  }

  /**
   * Books permits. In one round trip; with 0 permits it only says that this worker is there, or that it still waits for some.
   * @throws when Redis fails, takes too long, or answers what no budget answers.
   */
  async book(permits: number, waits = false): Promise<Booking> {
    return readBooking(await this.#book(permits, BURST_MS, waits), permits);
  }

  /** Says that this worker is gone, and leads no more, as far as Redis still hears it; and disconnects. */
  leave(): void {
    this.#book(-1, 0, false)
      .catch(() => undefined)
      .finally(() => this.disconnect());
  }

  disconnect(): void {
    this.redis.disconnect();
  }

  #book(permits: number, burstMs: number, waits: boolean): Promise<unknown> {
    const known = this.#byFleet ? String(this.known).replace('Infinity', 'inf') : '';
    return this.#scripted.book(
      BUDGET_KEY,
      FLEET_RATE_KEY,
      this.#worker,
      permits,
      this.ceiling,
      burstMs,
      known,
      waits ? 1 : 0,
    );
  }
}

/** @throws when it is no answer of the script: everything from afar is checked. */
export function readBooking(answer: unknown, asked: number): Booking {
  const [permits, waitUs, workers, wanting, ...rates] = Array.isArray(answer) ? (answer as unknown[]) : [];
  const [ceiling = Number.NaN, rate = Number.NaN] = rates.map(Number);
  const farUs = FAR_MS * 1_000 + (2 * MOST_WORKERS * Math.max(1, asked) * 1_000_000) / rate;
  if (
    permits !== asked ||
    !isCount(workers, 1, MOST_WORKERS + 1) ||
    !isCount(wanting, 1, workers) ||
    !(rate >= LEAST_RATE && rate <= ceiling && ceiling < Number.POSITIVE_INFINITY) ||
    !isCount(waitUs, 0, farUs)
  )
    throw new Error('Redis answered what is no booking');
  return { permits: asked, waitMs: waitUs / 1_000, workers, wanting, ceiling, rate };
}

function isCount(value: unknown, least: number, most: number): value is number {
  return typeof value === 'number' && value >= least && value <= most;
}
