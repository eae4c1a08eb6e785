/** A connection to Redis that does not reconnect by itself: its user makes a new one and restores what was lost. */
import type { Redis, RedisOptions } from 'ioredis';

/** Time limit of one command, in milliseconds: a Redis that hangs must not stop a worker. */
const COMMAND_TIMEOUT_MS = 1_000;
/** Time limit for connecting, and for setting up, in milliseconds. */
export const CONNECT_TIMEOUT_MS = 3_000;
/** Delay between tries to connect, in milliseconds. */
export const RECONNECT_AFTER_MS = 500;

/** @throws the last error of the connection. */
export async function connectRedis(url: string, options: RedisOptions = {}): Promise<Redis> {
  // Loaded only if Redis is used: a worker without Redis starts sooner and is smaller.
  const { Redis: Client } = await import('ioredis');
  const redis = new Client(url, {
    enableOfflineQueue: false,
    maxRetriesPerRequest: 0,
    connectTimeout: 2_000,
    commandTimeout: COMMAND_TIMEOUT_MS,
    retryStrategy: () => null,
    ...options,
  });
  let lastError: unknown = new Error('Redis does not answer');
  // Without a listener, an error event would be thrown.
  redis.on('error', (error) => {
    lastError = error;
  });
  try {
    await withTimeout(CONNECT_TIMEOUT_MS, ready(redis));
    return redis;
  } catch {
    redis.disconnect();
    throw isClosed(lastError)
      ? new Error('the server closes the connection, and may not be Redis')
      : lastError;
  }
}

/** Whether ioredis only complains about its own options, because the connection closed after it was made. */
function isClosed(error: unknown): boolean {
  return error instanceof Error && error.message.startsWith("Stream isn't writeable");
}

function ready(redis: Redis): Promise<void> {
  return new Promise((resolve, reject) => {
    redis.once('ready', resolve);
    redis.once('end', () => reject(new Error('the connection to Redis is closed')));
  });
}

/** @throws when `promise` takes longer. */
export async function withTimeout<T>(ms: number, promise: Promise<T>): Promise<T> {
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
