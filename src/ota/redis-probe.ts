/** What can be found out about Redis without changing anything. */
import { connectRedis } from './redis-connection.ts';

export interface RedisAnswer {
  /** Redis's time when it answered, epoch milliseconds. */
  readonly at: number;
  /** Whether it accepts no writes. undefined: it does not tell. */
  readonly replica: boolean | undefined;
}

/**
 * Connects, sends a PING, and asks for the time through a script, as the shared budget does.
 * @throws the error of the connection or of Redis.
 */
export async function askRedis(url: string): Promise<RedisAnswer> {
  const redis = await connectRedis(url);
  try {
    await redis.ping();
    const [seconds, micros] = (await redis.eval("return redis.call('TIME')", 0)) as [unknown, unknown];
    const at = Number(seconds) * 1_000 + Number(micros) / 1_000;
    if (!Number.isFinite(at)) throw new Error('the server is not Redis: it does not tell the time');
    // Redis's access control (ACL) may forbid this command.
    const role = (await redis.call('ROLE').catch(() => undefined)) as readonly unknown[] | undefined;
    return { at, replica: Array.isArray(role) ? role[0] !== 'master' : undefined };
  } finally {
    redis.disconnect();
  }
}
