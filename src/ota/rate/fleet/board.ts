/**
 * The data that the workers of a fleet exchange on Redis, so that one of them controls the rate for all.
 *
 * A hash holds who leads and until when, and what the leader has found: the rate, since when, when a call last confirmed it, and
 * the limit. All times are Redis's own, in milliseconds. A list holds the reports for the leader (`calls.ts`), each after the
 * time at which it came. The list expires after seconds. The hash lasts for a day, so a fleet remembers its rate over a restart.
 *
 * The keys' names are the version of this protocol: to change what the fields mean, use other names.
 */
import type { Redis } from 'ioredis';
import { BUDGET_KEY, FLEET_RATE_KEY, LEAST_RATE, NOTHING_FOUND } from '../budget.ts';
import { MOST_BYTES } from './calls.ts';

export const FLEET_CALLS_KEY = `ota-updater:calls:1:{${BUDGET_KEY}}`;
/** If the leader is not heard of for this long, in milliseconds, another worker leads. */
export const LEASE_MS = 1_500;
/** The most reports kept; the latest come first. */
const MOST_REPORTS = 1_000;
/** How long reports are kept, in milliseconds. */
const REPORTS_LAST_MS = 10_000;
const REMEMBERED_MS = 86_400_000;

const SCRIPT = `
local key, list, worker, calls = KEYS[1], KEYS[2], ARGV[1], ARGV[2]
local leads, rate, found, proved, limit = ARGV[3] == '1', ARGV[4], ARGV[5], ARGV[6], ARGV[7]
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local state = redis.pcall('HMGET', key, 'leader', 'until')
if state.err then
  redis.call('DEL', key)
  state = {}
end
local leader, ends = state[1], tonumber(state[2] or '')
local before = not leader and 'none' or leader == worker and 'self' or 'other'
if before == 'other' and ends and ends > now and ends <= now + ${LEASE_MS} then
  if calls ~= '' then
    local report = string.format('%.0f ', now) .. calls
    if type(redis.pcall('RPUSH', list, report)) == 'table' then
      redis.call('DEL', list)
      redis.call('RPUSH', list, report)
    end
    redis.call('LTRIM', list, ${-MOST_REPORTS}, -1)
    redis.call('PEXPIRE', list, ${REPORTS_LAST_MS})
  end
  local known = redis.call('HMGET', key, 'rate', 'found', 'proved', 'limit')
  return {0, before, known[1] or '', known[2] or '', known[3] or '', {}, string.format('%.0f', now), known[4] or ''}
end
redis.call('HSET', key, 'leader', worker, 'until', string.format('%.0f', now + ${LEASE_MS}))
if leads and before ~= 'other' then
  if rate == '' then
    redis.call('HSET', key, 'rate', '${NOTHING_FOUND}')
    redis.call('HDEL', key, 'found', 'proved', 'limit')
  else
    -- What was booked ahead at a lower rate is due sooner.
    local rise = (tonumber(redis.call('HGET', key, 'rate') or '') or 0) / tonumber(rate)
    local due = tonumber(redis.pcall('HGET', KEYS[3], 'due') or '')
    if due and rise > 0 and rise < 1 and due > now * 1000 then
      redis.call('HSET', KEYS[3], 'due', string.format('%.2f', now * 1000 + (due - now * 1000) * rise))
    end
    redis.call('HSET', key, 'rate', rate, 'found', string.format('%.0f', now - found),
      'proved', string.format('%.0f', now - proved), 'limit', limit)
  end
end
redis.call('PEXPIRE', key, ${REMEMBERED_MS})
local reports = redis.pcall('LRANGE', list, ${-MOST_REPORTS}, -1)
redis.call('DEL', list)
if reports.err then reports = {} end
local known = redis.call('HMGET', key, 'rate', 'found', 'proved', 'limit')
return {1, before, known[1] or '', known[2] or '', known[3] or '', reports, string.format('%.0f', now), known[4] or ''}`;

/** What a worker sends. */
export interface Message {
  /** Its calls that have ended since its last message (`calls.ts`). */
  readonly calls: string;
  /** What it has found, if it believes that it leads. `found` undefined: there is no limit below the ceiling. */
  readonly leads?: { readonly found: Found | undefined };
}

/** A rate below the ceiling that the API was found to accept from the whole fleet. */
export interface Found {
  /** Calls per second. */
  readonly rate: number;
  /** How long ago the rate first was below the ceiling, in milliseconds. */
  readonly foundMs: number;
  /** How long ago a call last ended while the rate was in force, in milliseconds. */
  readonly provedMs: number;
  /** The limit that causes this rate (`limit-text.ts`); absent if unknown. */
  readonly limit?: string;
}

export interface Answer {
  /** Whether this worker leads from now on. */
  readonly leads: boolean;
  /** Which worker led before: this one, another one, or none. */
  readonly before: 'self' | 'other' | 'none';
  /** undefined: nothing below the ceiling, or nothing known. */
  readonly found: Found | undefined;
  /** For the leader: what the others have reported since. Not checked yet: `readCalls` rejects invalid reports. */
  readonly reports: readonly Report[];
}

interface Report {
  /** How long ago the report came, in milliseconds. */
  readonly agoMs: number;
  readonly calls: string;
}

interface ScriptedRedis extends Redis {
  lead(
    key: string,
    list: string,
    budget: string,
    worker: string,
    calls: string,
    leads: 0 | 1,
    rate: string,
    foundMs: number,
    provedMs: number,
    limit: string,
  ): Promise<unknown>;
}

export class Board {
  readonly #redis: ScriptedRedis;
  readonly #worker: string;

  /** @param worker distinguishes workers: random. */
  constructor(redis: Redis, worker: string) {
    redis.defineCommand('lead', { numberOfKeys: 3, lua: SCRIPT });
    this.#redis = redis as ScriptedRedis;
    this.#worker = worker;
  }

  /** In one round trip. @throws when Redis fails, takes too long, or gives an invalid answer. */
  async exchange({ calls, leads }: Message): Promise<Answer> {
    const { rate = '', foundMs = 0, provedMs = 0, limit = '' } = leads?.found ?? {};
    const answer = await this.#redis.lead(
      FLEET_RATE_KEY,
      FLEET_CALLS_KEY,
      BUDGET_KEY,
      this.#worker,
      calls,
      leads === undefined ? 0 : 1,
      String(rate),
      foundMs,
      provedMs,
      limit,
    );
    return readAnswer(answer);
  }
}

/** @throws when it is not a valid answer of the script: data from outside is always checked. */
export function readAnswer(answer: unknown): Answer {
  const [leads, before, rate, found, proved, reports, time, limit] = Array.isArray(answer)
    ? (answer as unknown[])
    : [];
  const now = Number(time);
  if (
    (leads !== 0 && leads !== 1) ||
    (before !== 'self' && before !== 'other' && before !== 'none') ||
    !Array.isArray(reports) ||
    reports.length > MOST_REPORTS ||
    !(now > 0 && now < Number.POSITIVE_INFINITY)
  )
    throw new Error('the answer of Redis is not that of a fleet');
  return {
    leads: leads === 1,
    before,
    found: readFound({ rate, found, proved, limit }, now),
    reports: reports.flatMap((report) => readReport(report, now) ?? []),
  };
}

function readFound(
  { rate, found, proved, limit }: Readonly<Record<'rate' | 'found' | 'proved' | 'limit', unknown>>,
  now: number,
): Found | undefined {
  const perSecond = typeof rate === 'string' && rate !== '' ? Number(rate) : Number.NaN;
  if (!(perSecond >= LEAST_RATE && perSecond < Number.POSITIVE_INFINITY)) return undefined;
  const provedMs = age(proved, now) ?? REMEMBERED_MS;
  return {
    rate: perSecond,
    provedMs,
    foundMs: age(found, now) ?? provedMs,
    ...(typeof limit === 'string' && limit !== '' && { limit }),
  };
}

/** undefined: in the future, or not a time. */
function age(text: unknown, now: number): number | undefined {
  const ms = typeof text === 'string' && text !== '' ? now - Number(text) : Number.NaN;
  return ms >= 0 && ms < Number.POSITIVE_INFINITY ? ms : undefined;
}

function readReport(report: unknown, now: number): Report | undefined {
  if (typeof report !== 'string' || report.length > MOST_BYTES + 20) return undefined;
  const [, sentAt, calls] = /^(\d{1,16}) (.+)$/.exec(report) ?? [];
  const agoMs = age(sentAt, now);
  if (agoMs === undefined || agoMs > REPORTS_LAST_MS || calls === undefined) return undefined;
  return { agoMs, calls };
}
