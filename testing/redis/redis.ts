/**
 * A real Redis server, really spawned, really killed; and workers that share a budget on it, in this process or in one
 * of their own: started as a program this file is such a worker.
 */
import { type ChildProcess, fork, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { fileURLToPath } from 'node:url';
import { Redis } from 'ioredis';
import type { RateLimiter } from '../../src/ota/rate/limiter.ts';
import { RedisRateLimiter } from '../../src/ota/rate/limiter-redis.ts';

const program = process.env.REDIS_SERVER ?? 'redis-server';

/** Whether there is a Redis server on this machine; says so once when there is none. */
export function redisInstalled(): boolean {
  if (spawnSync(program, ['--version']).status === 0) return true;
  process.stdout.write(`SKIPPED: no ${program} on this machine, what needs a real Redis is not tested\n`);
  return false;
}

export interface RedisServer {
  readonly url: string;
  readonly port: number;
  /** Forgets everything, as an operator's FLUSHALL does. */
  flush(): Promise<void>;
  /** Ends it at once, as a crash does. */
  kill(): Promise<void>;
  /** Starts it again where it was; it remembers nothing. */
  restart(): Promise<void>;
}

/** Starts an empty Redis on a free port. Whoever starts it kills it. */
export async function startRedis(): Promise<RedisServer> {
  const port = await freePort();
  const url = `redis://127.0.0.1:${port}`;
  let server = await spawnRedis(port);
  return {
    url,
    port,
    flush: async () => {
      const client = new Redis(url);
      await client.flushall();
      await client.quit();
    },
    kill: async () => {
      if (server.exitCode !== null || server.signalCode !== null) return;
      const gone = once(server, 'exit');
      server.kill('SIGKILL');
      await gone;
    },
    restart: async () => {
      server = await spawnRedis(port);
    },
  };
}

async function spawnRedis(port: number): Promise<ChildProcess> {
  const settings = ['--bind', '127.0.0.1', '--save', '', '--appendonly', 'no', '--dir', tmpdir()];
  const server = spawn(program, ['--port', String(port), ...settings], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const kill = (): void => {
    server.kill('SIGKILL');
  };
  process.once('exit', kill);
  server.once('exit', () => process.off('exit', kill));
  let output = '';
  for await (const text of server.stdout.setEncoding('utf8')) {
    output += text;
    if (!output.includes('Ready to accept connections')) continue;
    return server;
  }
  throw new Error(`redis-server did not start: ${output}`);
}

/** A port that nothing listens on now. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const port = portOf(server);
  server.close();
  await once(server, 'close');
  return port;
}

function portOf(server: Server): number {
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('not listening on a port');
  return address.port;
}

export interface RedisDoor {
  readonly url: string;
  /** Connections so far. */
  readonly connections: number;
  /** Resolves at the connection of that number, counted from 1. */
  connected(number: number): Promise<void>;
  /** From now on nothing is passed on, in connections that are there and in new ones. */
  hang(): void;
  /** Passes on again what comes from now on; what hung stays as it is. */
  open(): void;
  /** Cuts the connections that are there. */
  cut(): void;
  /** Has something happen right before a command is passed on: the one of that number from now, counted from 1. */
  beforeCommand(number: number, action: () => void | Promise<void>): void;
  close(): Promise<void>;
}

export interface RedisDoorOptions {
  /** The port of Redis; without it the door hangs from the start. */
  readonly target?: number;
  /** Close every connection at once. */
  readonly refuse?: boolean;
  /** How long data is on its way, in each direction: a network. */
  readonly delayMs?: number;
}

/** A door before Redis that can be made to hang; closed by whoever started it. */
export async function startRedisDoor({
  target,
  refuse = false,
  delayMs = 0,
}: RedisDoorOptions = {}): Promise<RedisDoor> {
  const sockets = new Set<Socket>();
  const waiters = new Set<() => void>();
  let connections = 0;
  let hanging = target === undefined;
  let commands = 0;
  let action: { readonly at: number; readonly run: () => void | Promise<void> } | undefined;
  const onCommand = async (): Promise<void> => {
    commands++;
    if (action?.at !== commands) return;
    await action.run();
  };
  const server = createServer((socket) => {
    connections++;
    for (const waiter of waiters) waiter();
    sockets.add(socket);
    socket.on('error', () => socket.destroy());
    if (refuse) socket.destroy();
    if (hanging || target === undefined) return;
    const upstream = connect(target, '127.0.0.1');
    sockets.add(upstream);
    upstream.on('error', () => socket.destroy());
    // A socket that hung once has lost its place in the talk.
    let lost = false;
    const pass = (to: Socket, data: Buffer): void => {
      lost ||= hanging;
      if (!lost && to.writable) to.write(data);
    };
    let before = Promise.resolve();
    const travel = (arrive: () => void): void => {
      if (delayMs === 0) arrive();
      else setTimeout(arrive, delayMs);
    };
    socket.on('data', (data: Buffer) =>
      travel(() => {
        before = before.then(onCommand).then(() => pass(upstream, data));
      }),
    );
    upstream.on('data', (data: Buffer) => travel(() => pass(socket, data)));
    socket.on('close', () => upstream.destroy());
    upstream.on('close', () => socket.destroy());
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `redis://127.0.0.1:${portOf(server)}`,
    get connections() {
      return connections;
    },
    connected: (number) =>
      new Promise((resolve) => {
        const waiter = (): void => {
          if (connections < number) return;
          waiters.delete(waiter);
          resolve();
        };
        waiters.add(waiter);
        waiter();
      }),
    hang: () => {
      hanging = true;
    },
    open: () => {
      hanging = false;
    },
    cut: () => {
      for (const socket of sockets) socket.destroy();
      sockets.clear();
    },
    beforeCommand: (number, run) => {
      action = { at: commands + number, run };
    },
    close: async () => {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}

/** What was granted to whom, and when. */
export class GrantTally {
  readonly #grants: Grant[] = [];
  readonly #watchers = new Set<() => void>();

  add(taker: string, permits: number): void {
    this.#grants.push({ taker, permits, at: performance.now() });
    for (const watcher of this.#watchers) watcher();
  }

  /** Takes grants of a limiter until it gives none. */
  async takeAll(taker: string, limiter: RateLimiter): Promise<void> {
    for (let permits = await limiter.grant(); permits > 0; permits = await limiter.grant())
      this.add(taker, permits);
  }

  /** Waits for so many permits from now on; says how many came, in which time, and how many each took. */
  async next(permits: number): Promise<Taken> {
    const from = this.#grants.length;
    const since = performance.now();
    const sum = (grants: readonly Grant[]): number =>
      grants.reduce((total, grant) => total + grant.permits, 0);
    await new Promise<void>((resolve) => {
      const watcher = (): void => {
        if (sum(this.#grants.slice(from)) < permits) return;
        this.#watchers.delete(watcher);
        resolve();
      };
      this.#watchers.add(watcher);
    });
    const grants = this.#grants.slice(from);
    return {
      permits: sum(grants),
      seconds: ((grants.at(-1)?.at ?? since) - since) / 1_000,
      of: (taker) => sum(grants.filter((grant) => grant.taker === taker)),
    };
  }
}

interface Grant {
  readonly taker: string;
  readonly permits: number;
  readonly at: number;
}

/** Permits taken in a while. */
export interface Taken {
  readonly permits: number;
  readonly seconds: number;
  of(taker: string): number;
}

/** What a worker process tells: that it is shared or not, or how many permits it was granted. */
export type WorkerReport = { readonly shared: boolean } | { readonly permits: number };

export interface BudgetProcess {
  readonly exited: Promise<number | null>;
  /** As a crash does. */
  kill(): void;
  /** Closes its limiter; it must then end by itself. */
  close(): void;
}

/** Starts a process that takes every grant it can get. */
export function startBudgetProcess(
  url: string,
  ceiling: number,
  onReport: (report: WorkerReport) => void,
): BudgetProcess {
  const child = fork(fileURLToPath(import.meta.url), [url, String(ceiling)], { execArgv: [] });
  child.on('message', (message) => onReport(message as WorkerReport));
  const exited = once(child, 'exit').then(([code]) => code as number | null);
  return {
    exited,
    kill: () => {
      child.kill('SIGKILL');
    },
    close: () => {
      child.send('close');
    },
  };
}

if (import.meta.main) {
  const [, , url = '', ceiling = ''] = process.argv;
  const report = (message: WorkerReport): void => {
    if (process.connected) process.send?.(message);
  };
  const limiter = new RedisRateLimiter({
    url,
    ceiling: Number(ceiling),
    now: () => performance.now(),
    onShared: (shared) => report({ shared }),
  });
  process.once('message', async () => {
    await limiter.close();
    // The channel to the parent is a handle too: what is left must be none of the limiter's.
    process.disconnect?.();
  });
  for (let permits = await limiter.grant(); permits > 0; permits = await limiter.grant()) report({ permits });
}
