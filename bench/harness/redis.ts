/** A Redis server of the bench's own, if the machine has one. */
import type { ChildProcess } from 'node:child_process';
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { connect, createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { end, start } from './children.ts';

const SERVERS = ['redis-server', 'valkey-server'];

/** The first server found on the PATH, and what it says of its version. */
export function findRedis(): { readonly command: string; readonly version: string } | undefined {
  for (const command of SERVERS) {
    try {
      return { command, version: execFileSync(command, ['--version'], { encoding: 'utf8' }).trim() };
    } catch {
      // Not on this machine.
    }
  }
  return undefined;
}

export class RedisServer {
  readonly port: number;
  readonly #command: string;
  #child: ChildProcess;

  private constructor(command: string, port: number) {
    this.#command = command;
    this.port = port;
    this.#child = this.#start();
  }

  static async start(command: string): Promise<RedisServer> {
    const server = new RedisServer(command, await freePort());
    await server.#answering();
    return server;
  }

  get url(): string {
    return `redis://127.0.0.1:${this.port}`;
  }

  async flushAll(): Promise<void> {
    await this.#send('FLUSHALL');
  }

  stop(): Promise<void> {
    return end(this.#child, 'SIGKILL');
  }

  /** After a stop: on the same port, empty. */
  async startAgain(): Promise<void> {
    this.#child = this.#start();
    await this.#answering();
  }

  #start(): ChildProcess {
    const args = ['--port', String(this.port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no'];
    const child = start(this.#command, args, {});
    child.stdout?.resume();
    return child;
  }

  async #answering(): Promise<void> {
    for (let tries = 0; tries < 100; tries++) {
      try {
        await this.#send('PING');
        return;
      } catch {
        await sleep(50);
      }
    }
    throw new Error(`${this.#command} does not answer`);
  }

  async #send(line: string): Promise<void> {
    const socket = connect(this.port, '127.0.0.1');
    try {
      await once(socket, 'connect');
      socket.write(`${line}\r\n`);
      await once(socket, 'data');
    } finally {
      socket.destroy();
    }
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
