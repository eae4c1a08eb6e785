/** A door before Redis that can be made to hang, to refuse and to be slow. */
import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { portOf } from './ports.ts';

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
