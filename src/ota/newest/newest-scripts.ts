/**
 * The atomic steps on Redis, and the data kept there: for each Identifier a hash of its marks, and a claim.
 *
 * Anyone may have written to these keys. Whatever they hold, a script never fails, and never lets the state of an Identifier
 * keep its updates from being applied. It recognizes values that no worker writes, and replaces them.
 */
import type { Redis } from 'ioredis';

/** Which of the two keys of an Identifier holds a value that no worker writes. */
export type ForeignKey = 'marks' | 'claim';

/** A message may stay 14 days on the queue and 14 on the dead-letter queue before it is redriven; marks must last longer. */
const MARKS_KEPT_MS = 28 * 24 * 3_600_000;

/** An answer of the claim script in place of marks: another worker has the claim. */
const HELD = 0;
/** The same, but the claim is one that no worker makes. */
export const HELD_BY_FOREIGN = 1;

/**
 * Takes the claim and returns the marks; a number when another has the claim. No worker makes a claim without an expiry, or
 * with one further off than the longest call allows (which happens when Redis's clock was set back): such a claim is given
 * the expiry of ours. A value that is not a string is no claim, and one that is not a hash holds no marks.
 */
const CLAIM = `
local foreign = false
if not redis.call('SET', KEYS[2], ARGV[1], 'NX', 'PX', ARGV[2]) then
  local holder = redis.pcall('GET', KEYS[2])
  if type(holder) == 'table' then
    redis.call('SET', KEYS[2], ARGV[1], 'PX', ARGV[2])
    foreign = 'claim'
  elseif holder == ARGV[1] then
    redis.call('PEXPIRE', KEYS[2], ARGV[2])
  else
    local left = redis.call('PTTL', KEYS[2])
    if left ~= -1 and left <= tonumber(ARGV[3]) then return ${HELD} end
    redis.call('PEXPIRE', KEYS[2], ARGV[2])
    return ${HELD_BY_FOREIGN}
  end
end
local marks = redis.pcall('HMGET', KEYS[1], 'd', 't')
if marks.err then marks = {false, false, 'marks'} end
if foreign then marks[3] = foreign end
return marks`;

/**
 * Raises the given marks, and ends the claim if it is still ours, at once or after ARGV[3] milliseconds. Overwrites a value
 * that is no mark, or lies beyond ARGV[6].
 */
const SETTLE = `
local marked = false
for i, field in ipairs({'d', 't'}) do
  local at = ARGV[i + 3]
  if at ~= '' then
    local known = redis.pcall('HGET', KEYS[1], field)
    if type(known) == 'table' then
      redis.call('DEL', KEYS[1])
      known = false
    end
    local mark = known and string.find(known, '^%-?%d+$') and tonumber(known)
    if not mark or mark < tonumber(at) or mark > tonumber(ARGV[6]) then redis.call('HSET', KEYS[1], field, at) end
    marked = true
  end
end
if marked then redis.call('PEXPIRE', KEYS[1], ARGV[2]) end
if ARGV[1] ~= '' and redis.pcall('GET', KEYS[2]) == ARGV[1] then redis.call('PEXPIRE', KEYS[2], ARGV[3]) end
return 1`;

export interface ScriptedRedis extends Redis {
  claimNewest(
    marks: string,
    claim: string,
    token: string,
    claimMs: number,
    longestClaimMs: number,
  ): Promise<readonly [string | null, string | null, ForeignKey?] | typeof HELD | typeof HELD_BY_FOREIGN>;
  settleNewest(
    marks: string,
    claim: string,
    token: string,
    keptMs: number,
    claimMs: number,
    description: string,
    configuration: string,
    highest: number,
  ): Promise<number>;
}

export function withScripts(redis: Redis): ScriptedRedis {
  redis.defineCommand('claimNewest', { numberOfKeys: 2, lua: CLAIM });
  redis.defineCommand('settleNewest', { numberOfKeys: 2, lua: SETTLE });
  return redis as ScriptedRedis;
}

/** `forMs` as in `#forMs`; an empty token means no claim. */
export interface ReleasedClaim {
  readonly token: string;
  readonly forMs: number;
}

export const noClaim: ReleasedClaim = { token: '', forMs: 0 };

/** Raises marks and ends a claim. @param highest the highest possible mark; `-Infinity` sets none. */
export async function settle(
  redis: ScriptedRedis,
  identifier: string,
  { token, forMs }: ReleasedClaim,
  description: number,
  configuration: number,
  highest: number,
): Promise<void> {
  await redis.settleNewest(
    ...keysOf(identifier),
    token,
    MARKS_KEPT_MS,
    forMs,
    toText(description),
    toText(configuration),
    highest,
  );
}

export function keysOf(identifier: string): [marks: string, claim: string] {
  return [`ota-updater:newest:{${identifier}}`, `ota-updater:claim:{${identifier}}`];
}

function toText(mark: number): string {
  return mark === Number.NEGATIVE_INFINITY ? '' : String(mark);
}
