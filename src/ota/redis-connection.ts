/** A connection to Redis that is lost once and for all: whoever uses it makes a new one, and knows what was lost. */
import { Redis, type RedisOptions } from 'ioredis';

/** A command that takes longer is lost: a worker must not stand still for a Redis that hangs, in milliseconds. */
const COMMAND_TIMEOUT_MS = 1_000;
/** To connect, and to set up what is needed there, in milliseconds. */
export const CONNECT_TIMEOUT_MS = 3_000;
/** Between tries to reach Redis, in milliseconds. */
export const RECONNECT_AFTER_MS = 500;

/** @throws what kept Redis from answering. */
export async function connectRedis(url: string, options: RedisOptions = {}): Promise<Redis> {
  const redis = new Redis(url, {
    enableOfflineQueue: false,
    maxRetriesPerRequest: 0,
    connectTimeout: 2_000,
    commandTimeout: COMMAND_TIMEOUT_MS,
    retryStrategy: () => null,
    ...options,
  });
  let lastError: unknown = new Error('Redis does not answer');
  // What fails is told by the promise or at the next command; an event without a listener would be thrown.
  redis.on('error', (error) => {
    lastError = error;
  });
  try {
    await within(CONNECT_TIMEOUT_MS, ready(redis));
    return redis;
  } catch {
    redis.disconnect();
    throw lastError;
  }
}

function ready(redis: Redis): Promise<void> {
  return new Promise((resolve, reject) => {
    redis.once('ready', resolve);
    redis.once('end', () => reject(new Error('the connection to Redis is closed')));
  });
}

/** @throws when `promise` takes longer. */
export async function within<T>(ms: number, promise: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`Redis took longer than ${ms} ms`)), ms);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
