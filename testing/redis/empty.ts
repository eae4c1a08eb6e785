/** One Redis for the tests of a file or a group, emptied before each test. */
import { Redis } from 'ioredis';
import { afterAll, beforeAll, beforeEach } from 'vitest';
import { type RedisServer, startRedis } from './server.ts';

export interface EmptyRedis {
  /** Use it only within tests and their hooks: the server runs from the first test on. */
  readonly server: RedisServer;
  readonly client: Redis;
}

/** Call this where tests are described. */
export function emptyRedis(): EmptyRedis {
  let running: EmptyRedis | undefined;
  const started = (): EmptyRedis => {
    if (running === undefined) throw new Error('Redis runs from the first test on');
    return running;
  };
  beforeAll(async () => {
    const server = await startRedis();
    running = { server, client: new Redis(server.url) };
  });
  afterAll(async () => {
    running?.client.disconnect();
    await running?.server.kill();
  });
  beforeEach(async () => {
    await started().client.flushall();
  });
  return {
    get server() {
      return started().server;
    },
    get client() {
      return started().client;
    },
  };
}
