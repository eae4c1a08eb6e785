/** A proxy in front of a TCP service (Redis) that injects faults between its bytes. */
import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { Door } from './door.ts';
import { FaultCounts, type FaultKind, type FaultSource } from './faults.ts';

export interface TcpProxyOptions {
  readonly target: number;
  readonly faultSource: FaultSource;
}

export class TcpProxy {
  readonly counts = new FaultCounts();
  readonly #options: TcpProxyOptions;
  readonly #door: Door;

  private constructor(options: TcpProxyOptions, door: Door) {
    this.#options = options;
    this.#door = door;
  }

  static async start(options: TcpProxyOptions): Promise<TcpProxy> {
    const door = await Door.open((socket) => proxy.#connect(socket));
    const proxy: TcpProxy = new TcpProxy(options, door);
    return proxy;
  }

  get port(): number {
    return this.#door.port;
  }

  /** Cuts all connections and refuses new ones for `ms`. */
  async cut(ms: number): Promise<void> {
    this.counts.add('cut');
    await this.#door.shut();
    await sleep(ms);
    await this.#door.reopen();
  }

  async close(): Promise<void> {
    await this.#door.shut();
  }

  #connect(client: Socket): void {
    if (this.#options.faultSource.drawConnection() !== undefined) {
      this.counts.add('refuse');
      client.resetAndDestroy();
      return;
    }
    const upstream = connect(this.#options.target, '127.0.0.1');
    upstream.on('error', () => client.destroy());
    client.on('close', () => upstream.destroy());
    upstream.on('close', () => client.destroy());
    /** The fault of the next answer. */
    let fault: FaultKind | undefined;
    let mute = false;
    let before = Promise.resolve();
    client.on('data', (data: Buffer) => {
      before = before.then(async () => {
        if (mute) return;
        fault = this.#options.faultSource.drawRequest();
        mute = fault === 'hang';
        if (fault !== undefined) this.counts.add(fault);
        await this.#pass(client, upstream, data, fault);
      });
    });
    upstream.on('data', (data: Buffer) => {
      before = before.then(() => this.#answer(client, data, fault));
    });
  }

  async #pass(client: Socket, upstream: Socket, data: Buffer, fault: FaultKind | undefined): Promise<void> {
    switch (fault) {
      case 'reset':
        client.resetAndDestroy();
        return;
      case 'error':
        client.end('-LOADING Redis is loading the dataset in memory\r\n');
        return;
      case 'garbage':
        client.end('\u0000garbage\r\n?\r\n');
        return;
      case 'hang':
        return;
      case 'delay':
        await sleep(this.#options.faultSource.drawDelayMs());
        break;
      default:
    }
    if (client.destroyed || client.readableEnded) this.counts.add('abandoned');
    else if (upstream.writable) upstream.write(data);
  }

  async #answer(client: Socket, data: Buffer, fault: FaultKind | undefined): Promise<void> {
    if (client.destroyed) return;
    switch (fault) {
      case 'drop':
        client.resetAndDestroy();
        return;
      case 'half':
        client.end(data.subarray(0, Math.floor(data.length / 2)));
        return;
      case 'slow-answer':
        await sleep(this.#options.faultSource.drawDelayMs());
        break;
      default:
    }
    if (client.writable) client.write(data);
  }
}
