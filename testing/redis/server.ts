/** A real Redis server (or Valkey), really started and really killed. */
import { spawnSync } from 'node:child_process';
import { tmpdir } from 'node:os';
import { Redis } from 'ioredis';
import { Child } from '../processes/child.ts';
import { freePort } from './ports.ts';

/** A server program on this machine, and its version. */
export interface RedisProgram {
  readonly command: string;
  readonly version: string;
}

/** The first one found: REDIS_SERVER if set, otherwise `redis-server` or `valkey-server`. */
export function findRedis(): RedisProgram | undefined {
  const { REDIS_SERVER } = process.env;
  for (const command of REDIS_SERVER === undefined ? ['redis-server', 'valkey-server'] : [REDIS_SERVER]) {
    const { status, stdout } = spawnSync(command, ['--version'], { encoding: 'utf8' });
    if (status === 0) return { command, version: stdout.trim() };
  }
  return undefined;
}

/** Whether a Redis server is installed on this machine; reports once if not. */
export function redisInstalled(): boolean {
  if (findRedis() !== undefined) return true;
  process.stdout.write('SKIPPED: no Redis server on this machine, what needs a real Redis is not tested\n');
  return false;
}

export interface RedisServer {
  readonly url: string;
  readonly port: number;
  /** Deletes everything, like an operator's FLUSHALL. */
  flush(): Promise<void>;
  /** Ends it at once, as a crash would. */
  kill(): Promise<void>;
  /** Starts it again at the same place, without its data. */
  restart(): Promise<void>;
}

/** Starts an empty Redis on a free port. The caller must kill it. */
export async function startRedis(): Promise<RedisServer> {
  const command = findRedis()?.command;
  if (command === undefined) throw new Error('no Redis server on this machine');
  const port = await freePort();
  const url = `redis://127.0.0.1:${port}`;
  let server = await start(command, port);
  return {
    url,
    port,
    flush: async () => {
      const client = new Redis(url);
      await client.flushall();
      await client.quit();
    },
    kill: () => server.end(),
    restart: async () => {
      server = await start(command, port);
    },
  };
}

async function start(command: string, port: number): Promise<Child> {
  const settings = ['--bind', '127.0.0.1', '--save', '', '--appendonly', 'no', '--dir', tmpdir()];
  const server = Child.start(command, ['--port', String(port), ...settings], {
    env: { PATH: process.env.PATH },
  });
  await server.find((line) => (line.includes('Ready to accept connections') ? true : undefined));
  return server;
}
