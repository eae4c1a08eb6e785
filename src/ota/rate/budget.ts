/**
 * The budget that workers share on Redis: one script, which books permits by Redis's own clock (GCRA, the generic cell rate
 * algorithm). No worker's clock affects it.
 *
 * One hash. `due` is when the next permit is due, in microseconds of Redis's time. Every other field is a worker heard of
 * recently: when, when it last wanted permits, and the rate to which it is limited.
 *
 * The key's name is the version of this protocol. Values may change (the rate, for example, may be found by any rule). To
 * change what they mean, use another name.
 */
import type { Redis } from 'ioredis';
import { connectRedis } from '../redis-connection.ts';

/** All workers on one Redis database share one budget: each fleet needs its own database. */
export const BUDGET_KEY = 'ota-updater:budget:1';
/**
 * Where the fleet's controller stores the rate that it has found (`fleet/board.ts`). The tag in braces keeps the key in the
 * same slot as the budget, for a Redis cluster.
 */
export const FLEET_RATE_KEY = `ota-updater:rate:1:{${BUDGET_KEY}}`;
/** Its value while the API accepts the ceiling. */
export const NOTHING_FOUND = 'none';
/** A worker not heard of for this long is gone, in milliseconds. */
export const GONE_AFTER_MS = 30_000;
/** A worker that wanted permits within this time takes part in sharing, in milliseconds. */
const WANTS_FOR_MS = 1_000;
/** Permits unused for up to this time may still be given out, in milliseconds: otherwise late timers would lose them. */
const BURST_MS = 20;
/**
 * How far ahead permits may be booked, in milliseconds, plus two grants for each worker. A time further ahead was not written
 * by a worker, or dates from before Redis's clock was set back.
 */
const FAR_MS = 10_000;
/** A hash with more fields was not written by workers. */
const MOST_WORKERS = 1_000;
/** The lowest limit of any worker, in permits per second: the least `RATE_LIMIT`. */
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

/** The permits booked, and the workers that share. */
export interface Booking {
  readonly permits: number;
  /** From Redis's answer until the permits may be used, in milliseconds. */
  readonly waitMs: number;
  /** Workers heard of recently, this one included. */
  readonly workers: number;
  /** How many of them wanted permits recently, this one included. */
  readonly wanting: number;
  /** The most permits per second that they all share: the lowest limit of any of them. */
  readonly ceiling: number;
  /** Permits per second that they share now: the ceiling, or what their controller has found, if lower. */
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
  /** Distinguishes workers: random. */
  readonly worker: string;
  /** Permits per second, as this worker is configured. */
  readonly ceiling: number;
  /** Whether this worker uses the rate that the fleet's controller has found, if there is one. */
  readonly byFleet: boolean;
}

/** One connection to the budget. */
export class Budget {
  /** For other uses of this connection. */
  readonly redis: Redis;
  readonly #scripted: ScriptedRedis;
  readonly #worker: string;
  readonly #byFleet: boolean;
  /** Permits per second that this worker is now set to; sent with the next booking. */
  ceiling: number;
  /** The fleet's rate as last reported, `Infinity` for none. It applies if Redis has lost the rate. */
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
   * Books permits in one round trip. With 0 permits it only reports that this worker is alive, or that it still waits for
   * some.
   * @throws when Redis fails, takes too long, or answers with something other than a booking.
   */
  async book(permits: number, waits = false): Promise<Booking> {
    return readBooking(await this.#book(permits, BURST_MS, waits), permits);
  }

  /** Reports to Redis, if it still can be reached, that this worker is gone and leads no more. Then disconnects. */
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

/** @throws when it is not a valid answer of the script: data from outside is always checked. */
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
    throw new Error('the answer of Redis is not a booking');
  return { permits: asked, waitMs: waitUs / 1_000, workers, wanting, ceiling, rate };
}

function isCount(value: unknown, least: number, most: number): value is number {
  return typeof value === 'number' && value >= least && value <= most;
}
