/**
 * The limits of a fleet on Redis, which an operator sets for all its workers while they run.
 *
 * One hash beside the budget's. Each field is a bound as JSON: its value (null: lifted), who set it, why and when. The key
 * does not expire, but an eviction policy of Redis (`allkeys-*`) may remove it and so lift the limits.
 *
 * The key's name is the version of this protocol: to change what the fields mean, use another name.
 */
import type { Redis } from 'ioredis';
import { z } from 'zod';
import { parseInstant } from '../message/instant.ts';
import { remoteName, remoteText } from '../text/remote.ts';
import { connectRedis } from './redis-connection.ts';

export const FLEET_LIMITS_KEY = 'ota-updater:limits:1';

/** A larger field was not written by this program. */
const MAX_FIELD_BYTES = 4_096;

const READ = `
local found = {}
for i, field in ipairs(ARGV) do
  if redis.call('HSTRLEN', KEYS[1], field) > ${MAX_FIELD_BYTES} then return redis.error_reply('TOOLARGE ' .. field) end
  found[i] = redis.call('HGET', KEYS[1], field)
end
return found`;

const limitOf = (value: z.ZodNumber) =>
  z.object({
    /** null: lifted. */
    value: value.nullable(),
    by: z.string().transform(remoteName),
    reason: z.string().transform(remoteText),
    at: z.string().refine((text) => parseInstant(text) !== undefined),
  });

const schemas = {
  rate: limitOf(z.number().min(0.01).max(100_000)),
  concurrency: limitOf(z.number().int().min(1).max(10_000)),
};

/** The latest setting of a bound. */
export type FleetLimit = z.infer<typeof schemas.rate>;

/** undefined: never set. */
export interface FleetLimits {
  readonly rate: FleetLimit | undefined;
  readonly concurrency: FleetLimit | undefined;
}

/** Redis answers, but holds something other than a valid limit, or may not be read. */
export class FleetLimitsError extends Error {
  override readonly name = 'FleetLimitsError';
}

interface ScriptedRedis extends Redis {
  readLimits(key: string, ...fields: string[]): Promise<unknown>;
}

/** One connection to the limits. */
export class FleetLimitsStore {
  readonly #redis: ScriptedRedis;

  private constructor(redis: ScriptedRedis) {
    this.#redis = redis;
  }

  /** @throws when Redis cannot be reached. */
  static async connect(url: string): Promise<FleetLimitsStore> {
    const redis = (await connectRedis(url)) as ScriptedRedis;
    redis.defineCommand('readLimits', { numberOfKeys: 1, lua: READ });
    return new FleetLimitsStore(redis);
  }

  /** @throws FleetLimitsError; else the error of the connection. */
  async read(): Promise<FleetLimits> {
    const answer = await this.#redis.readLimits(FLEET_LIMITS_KEY, 'rate', 'concurrency').catch(refused);
    return readFleetLimits(answer);
  }

  /**
   * Sets these bounds and leaves the others, so that two operators who set different bounds do not lift each other's.
   * @throws FleetLimitsError; else the error of the connection.
   */
  async write(limits: Partial<Record<keyof FleetLimits, FleetLimit>>): Promise<void> {
    const fields = Object.entries(limits).flatMap(([bound, limit]) => [bound, JSON.stringify(limit)]);
    await this.#redis.hset(FLEET_LIMITS_KEY, ...fields).catch(refused);
  }

  close(): void {
    this.#redis.disconnect();
  }
}

/** @throws FleetLimitsError for data that no operator's command writes: data from outside is always checked. */
export function readFleetLimits(answer: unknown): FleetLimits {
  const [rate, concurrency] = Array.isArray(answer) ? (answer as unknown[]) : [Number.NaN];
  return { rate: readField(rate, 'rate'), concurrency: readField(concurrency, 'concurrency') };
}

function readField(text: unknown, bound: keyof FleetLimits): FleetLimit | undefined {
  if (text === null || text === undefined) return undefined;
  try {
    return schemas[bound].parse(JSON.parse(String(text)));
  } catch {
    throw new FleetLimitsError(
      `the value of ${FLEET_LIMITS_KEY}, ${bound}, in Redis is not a limit of calls: set it again (limits set --${bound}), or lift it (limits clear --${bound})`,
    );
  }
}

/** Redis's own errors concern the key or the permission to read it; all other errors concern the connection. */
function refused(error: unknown): never {
  if (error instanceof Error && error.name === 'ReplyError')
    throw new FleetLimitsError(`Redis refuses ${FLEET_LIMITS_KEY}: ${remoteText(error.message)}`);
  throw error;
}
