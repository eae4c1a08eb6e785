/**
 * A port that can be shut: all connections are cut and new ones refused, until it is reopened on the same port.
 */
import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';

export class Door {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly port: number;
  #open = true;

  private constructor(server: Server, port: number) {
    this.#server = server;
    this.port = port;
  }

  /** Opens a door on any free port. */
  static async open(onConnection: (socket: Socket) => void): Promise<Door> {
    const server = createServer({ noDelay: true });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const door = new Door(server, (server.address() as AddressInfo).port);
    server.on('connection', (socket) => {
      door.#sockets.add(socket);
      socket.once('close', () => door.#sockets.delete(socket));
      socket.on('error', () => socket.destroy());
      onConnection(socket);
    });
    return door;
  }

  get isOpen(): boolean {
    return this.#open;
  }

  /** Cuts every connection and refuses new ones. */
  async shut(): Promise<void> {
    if (!this.#open) return;
    this.#open = false;
    const closed = once(this.#server, 'close');
    this.#server.close();
    for (const socket of this.#sockets) socket.resetAndDestroy();
    await closed;
  }

  /** Listens again, on the same port. */
  async reopen(): Promise<void> {
    if (this.#open) return;
    this.#open = true;
    this.#server.listen(this.port, '127.0.0.1');
    await once(this.#server, 'listening');
  }
}
