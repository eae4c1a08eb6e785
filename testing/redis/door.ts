/** A proxy in front of Redis that can be made to hang, refuse or be slow. */
import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { portOf } from './ports.ts';

export interface RedisDoor {
  readonly url: string;
  /** Connections so far. */
  readonly connections: number;
  /** Resolves at the connection of that number, counted from 1. */
  connected(number: number): Promise<void>;
  /** From now on nothing is forwarded, on existing and new connections. */
  hang(): void;
  /** Forwards again what comes from now on; requests that hung stay unanswered. */
  open(): void;
  /** Cuts the existing connections. */
  cut(): void;
  /**
   * Runs an action right before a command is forwarded: the command of that number from now on, counted from 1.
   */
  beforeCommand(number: number, action: () => void | Promise<void>): void;
  close(): Promise<void>;
}

export interface RedisDoorOptions {
  /** The port of Redis; without it, the door hangs from the start. */
  readonly target?: number;
  /** Close every connection at once. */
  readonly refuse?: boolean;
  /** Delay of data in each direction, as on a network. */
  readonly delayMs?: number;
}

/** Starts a proxy in front of Redis that can be made to hang; the caller closes it. */
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
    // A socket that hung once is out of sync with the protocol.
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
