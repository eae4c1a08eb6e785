/**
 * The socket on which a worker tells its container's health check whether it is alive. Its name is in Linux's abstract namespace
 * (`unix(7)`), so it needs no writable folder, and the check needs no settings. It does not use TCP: to find the port that a process
 * listens on, Linux searches its table of all TCP connections. That cost grows with the machine and soon exceeds the rest of the check.
 */
import { readFileSync, readlinkSync } from 'node:fs';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { errorCode } from '../errors.ts';

/** The socket of a worker, found by its name. */
export interface HealthSocket {
  /** The worker's process id. */
  readonly pid: number;
  /** The path in the form that `node:net` takes. */
  readonly path: string;
}

/** The answer of a worker that is alive. Any other answer says why the worker is not. */
const ALIVE = 'alive';

/** A line of `/proc/net/unix` for a listening socket (flags 00010000): captures its name. */
const LISTENING = /^(?:\S+ +){3}00010000 +(?:\S+ +){2}\d+ @(\S+)$/gm;

/** Prefix of the workers that see the same processes. Containers may share a network, and with it all abstract names. */
function prefixAt(proc: string): string {
  return `ota-updater/${readlinkSync(join(proc, 'self/ns/pid'))}/`;
}

/**
 * Answers health checks on a socket until it is closed.
 * @param worker distinguishes this worker from others, also in this process.
 * @param reasons why the worker is not alive; empty if it is.
 * @returns rejects if no such socket is possible: the system is not Linux, or the process may not create one.
 */
export async function answerHealth(worker: string, reasons: () => readonly string[]): Promise<Server> {
  const path = `\0${prefixAt('/proc')}${process.pid}/${worker}`;
  const server = createServer((socket) => {
    // The client may have gone.
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
 * @param proc where Linux lists them: `/proc`.
 * @throws if that cannot be read.
 */
export function findHealthSockets(proc: string): HealthSocket[] {
  const prefix = prefixAt(proc);
  return [...readFileSync(join(proc, 'net/unix'), 'utf8').matchAll(LISTENING)].flatMap(([, name = '']) =>
    name.startsWith(prefix) ? { pid: Number.parseInt(name.slice(prefix.length), 10), path: `\0${name}` } : [],
  );
}

/** Maximum length of an answer, in characters: more than any worker sends. */
const MOST_SAID = 1_024;

/** Time between two attempts to connect, in milliseconds. */
const AGAIN_MS = 50;

/** @returns why the worker is not alive; undefined if it is. Rejects if it does not answer. */
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
          if (said.length > MOST_SAID) fail(new Error('its answer is not one that a worker gives'));
        })
        .on('end', () => {
          if (said === '') return fail(new Error('it closed the connection'));
          clearTimeout(late);
          resolve(said === ALIVE ? undefined : said);
        })
        .on('error', (error) => {
          // The socket's backlog is full.
          if (errorCode(error) === 'EAGAIN') again = setTimeout(ask, AGAIN_MS);
          else fail(error);
        });
    };
    const late = setTimeout(() => fail(new Error(`no answer within ${patienceMs / 1_000} s`)), patienceMs);
    ask();
  });
}
