/** An address where no server answers: connections are closed, or hang. */
import { createServer, type Socket } from 'node:net';
import { onTestFinished } from 'vitest';

export interface Hole {
  readonly port: number;
  /** From now on connections are accepted, but nothing is ever answered. */
  readonly hang: () => void;
}

/** Closes each connection as soon as it is made. */
export async function openHole(): Promise<Hole> {
  let hangs = false;
  const open = new Set<Socket>();
  const server = createServer((socket) => {
    socket.on('error', () => {});
    if (!hangs) return void socket.destroy();
    open.add(socket);
    socket.once('close', () => open.delete(socket)).resume();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    for (const socket of open) socket.destroy();
    server.close();
  });
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the hole has no port');
  return {
    port: address.port,
    hang: () => {
      hangs = true;
    },
  };
}
