/**
 * The socket on which a worker says whether it is alive, to the health check of its container. It has a name of Linux's own (`unix(7)`, abstract
 * addresses): it needs no folder that can be written, and whoever asks needs no settings. It is not HTTP: to find where a process listens, Linux
 * has to go through its table of all TCP connections, which costs more the larger the machine is, and soon more than the rest of a check.
 */
import { readFileSync, readlinkSync } from 'node:fs';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { errorCode } from '../errors.ts';

/** A worker's socket, by its name. */
export interface HealthSocket {
  /** Of the worker. */
  readonly pid: number;
  /** As `node:net` takes it. */
  readonly path: string;
}

/** What a worker that is alive says; any other says why it is not. */
const ALIVE = 'alive';

/** A line of `/proc/net/unix` about a socket that listens (flags 00010000), with its inode and its name. */
const LISTENING = /^(?:\S+ +){3}00010000 +(?:\S+ +){2}\d+ @(\S+)$/gm;

/** Names of the workers that see the same processes: containers may share a network, and with it all such names. */
function prefixAt(proc: string): string {
  return `ota-updater/${readlinkSync(join(proc, 'self/ns/pid'))}/`;
}

/**
 * Answers on a socket of this process until it is closed.
 * @param worker distinguishes it from other workers, also of this process.
 * @param reasons why the worker is not alive; none when it is.
 * @returns rejects where there is no such socket: on another system than Linux, or where the process may have none.
 */
export async function answerHealth(worker: string, reasons: () => readonly string[]): Promise<Server> {
  const path = `\0${prefixAt('/proc')}${process.pid}/${worker}`;
  const server = createServer((socket) => {
    // Whoever asked may have gone.
    socket.on('error', () => {});
    socket.end(reasons().join('; ') || ALIVE, () => socket.destroy());
  });
  await new Promise<void>((resolve, reject) => {
    server.on('error', reject).listen(path, resolve);
  });
  return server;
}

/**
 * The workers that run here.
 * @param proc where Linux says it: `/proc`.
 * @throws when that cannot be read.
 */
export function findHealthSockets(proc: string): HealthSocket[] {
  const prefix = prefixAt(proc);
  return [...readFileSync(join(proc, 'net/unix'), 'utf8').matchAll(LISTENING)].flatMap(([, name = '']) =>
    name.startsWith(prefix) ? { pid: Number.parseInt(name.slice(prefix.length), 10), path: `\0${name}` } : [],
  );
}

/** Characters of an answer, at most: more than any worker says. */
const MOST_SAID = 1_024;

/** Between two tries to connect, in milliseconds. */
const AGAIN_MS = 50;

/** @returns why the worker is not alive; undefined when it is. Rejects when it does not say. */
export function askHealth({ path }: HealthSocket, patienceMs: number): Promise<string | undefined> {
  return new Promise((resolve, reject) => {
    let socket: Socket;
    let again: NodeJS.Timeout | undefined;
    const fail = (error: Error): void => {
      clearTimeout(late);
      clearTimeout(again);
      socket.destroy();
      reject(error);
    };
    const ask = (): void => {
      let said = '';
      socket = connect(path)
        .setEncoding('utf8')
        .on('data', (part: string) => {
          said += part;
          if (said.length > MOST_SAID) fail(new Error('it answered with something that no worker says'));
        })
        .on('end', () => {
          if (said === '') return fail(new Error('it closed the connection'));
          clearTimeout(late);
          resolve(said === ALIVE ? undefined : said);
        })
        .on('error', (error) => {
          // More connections wait there than the system keeps.
          if (errorCode(error) === 'EAGAIN') again = setTimeout(ask, AGAIN_MS);
          else fail(error);
        });
    };
    const late = setTimeout(() => fail(new Error(`no answer within ${patienceMs / 1_000} s`)), patienceMs);
    ask();
  });
}
