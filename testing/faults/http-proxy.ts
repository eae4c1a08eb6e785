/**
 * A proxy in front of an HTTP service that injects faults and records every request.
 *
 * It never forwards a request whose sender has given up: an effect that arrives after its successor would be a fault
 * of the proxy's own. A long poll is forwarded as short ones, for as long as its sender waits.
 */
import { Agent, createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { text as readText } from 'node:stream/consumers';
import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises';
import {
  blamelessCodes,
  damagedMessage,
  splitEntries,
  withFailed,
  withWrongChecksum,
} from '../sqs/faults.ts';
import { poison } from '../sqs/poison.ts';
import { type Answer, bringsMessages, concerns, headersOf, shortPoll, waitOf, withBody } from './answers.ts';
import type { Dialect } from './dialects.ts';
import { Door } from './door.ts';
import { type Exchange, senderOf } from './exchange.ts';
import { FaultCounts, type FaultKind, type FaultSource } from './faults.ts';

export interface HttpProxyOptions {
  /** Where requests go. */
  readonly target: string;
  readonly faultSource: FaultSource;
  readonly dialect: Dialect;
  /** Called for every request when it has ended. */
  readonly onExchange?: (exchange: Exchange) => void;
}

/** The part of an answer that reached the sender; see {@link Exchange}. */
interface Arrived {
  readonly delivered: boolean;
  readonly damaged?: string;
}

const lost: Arrived = { delivered: false };

/** A request as it was read. */
interface Asked {
  readonly incoming: IncomingMessage;
  readonly outgoing: ServerResponse;
  readonly body: string;
  readonly action: string;
}

/** Pause between short polls, in milliseconds. */
const POLL_EVERY_MS = 50;

export class HttpProxy {
  readonly counts = new FaultCounts();
  readonly #options: HttpProxyOptions;
  readonly #door: Door;
  readonly #agent = new Agent({ keepAlive: true });
  /** Requests that name one of these are cut. */
  readonly #cutNames = new Set<string>();

  private constructor(options: HttpProxyOptions, door: Door) {
    this.#options = options;
    this.#door = door;
  }

  static async start(options: HttpProxyOptions): Promise<HttpProxy> {
    const http = createServer({ keepAliveTimeout: 0 });
    const door = await Door.open((socket) => connect(socket));
    const proxy = new HttpProxy(options, door);
    const connect = (socket: Socket): void => {
      if (options.faultSource.drawConnection() === undefined) {
        http.emit('connection', socket);
        return;
      }
      proxy.counts.add('refuse');
      socket.resetAndDestroy();
    };
    http.on('request', (incoming, outgoing) => {
      proxy.#serve(incoming, outgoing).catch(() => outgoing.destroy());
    });
    return proxy;
  }

  get url(): string {
    return `http://127.0.0.1:${this.#door.port}`;
  }

  /** Cuts all connections and refuses new ones for `ms`. */
  async cut(ms: number): Promise<void> {
    this.counts.add('cut');
    await this.#door.shut();
    await sleep(ms);
    await this.#door.reopen();
  }

  /** Cuts the connection of every request whose body contains this text, for `ms`. */
  async cutNamed(text: string, ms: number): Promise<void> {
    this.counts.add('cut');
    this.#cutNames.add(text);
    await sleep(ms);
    this.#cutNames.delete(text);
  }

  /** Cuts all connections and refuses new ones until {@link back}. */
  async away(): Promise<void> {
    this.counts.add('cut');
    await this.#door.shut();
  }

  async back(): Promise<void> {
    await this.#door.reopen();
  }

  async close(): Promise<void> {
    await this.#door.shut();
    this.#agent.destroy();
  }

  async #serve(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
    const arrivedAt = Date.now();
    const body = await readText(incoming).catch(() => undefined);
    if (body === undefined) return;
    const target = incoming.headers['x-amz-target'];
    const action =
      typeof target === 'string' ? target.slice(target.indexOf('.') + 1) : (incoming.method ?? '');
    const isCut = [...this.#cutNames].some((text) => body.includes(text));
    const drawn = isCut ? 'reset' : this.#options.faultSource.drawRequest();
    const fault = drawn !== undefined && concerns(drawn, action) ? drawn : undefined;
    if (fault !== undefined) this.counts.add(fault);
    const asked = { incoming, outgoing, body, action };
    const answer = await this.#pass(asked, fault);
    const { delivered, damaged } = await this.#answer(asked, answer, fault);
    this.#options.onExchange?.({
      sender: senderOf(incoming.headers.authorization),
      action,
      path: incoming.url ?? '/',
      body,
      arrivedAt,
      fault,
      effectAt: answer?.at,
      status: answer?.status,
      answer: answer?.body ?? '',
      delivered,
      ...(damaged !== undefined && { damaged }),
    });
  }

  /** Gets the service's own answer, unless the fault comes first. */
  async #pass(asked: Asked, fault: FaultKind | undefined): Promise<Answer | undefined> {
    if (fault === 'reset' || fault === 'error' || fault === 'garbage' || fault === 'hang') return undefined;
    if (fault === 'delay') await sleep(this.#options.faultSource.drawDelayMs());
    const waitSeconds = asked.action === 'ReceiveMessage' ? waitOf(asked.body) : 0;
    const until = performance.now() + waitSeconds * 1_000;
    for (;;) {
      // One turn of the event loop, so that a disconnection that has arrived is noticed.
      await nextTurn();
      if (hasLeft(asked)) {
        this.counts.add('abandoned');
        return undefined;
      }
      if (fault === 'entries') return this.#forwardSome(asked);
      const answer = await this.#forward(
        asked.incoming,
        waitSeconds > 0 ? shortPoll(asked.body) : asked.body,
      );
      if (waitSeconds === 0 || performance.now() >= until || bringsMessages(answer)) return answer;
      await sleep(POLL_EVERY_MS);
    }
  }

  /** Answers, or does what the fault says. */
  async #answer(asked: Asked, answer: Answer | undefined, fault: FaultKind | undefined): Promise<Arrived> {
    const { outgoing } = asked;
    const { faultSource, dialect } = this.#options;
    if (fault === 'hang') {
      await gone(outgoing);
      return lost;
    }
    if (fault === 'error' || fault === 'garbage') {
      const { status, type, body } = faultSource.pick(fault === 'error' ? dialect.errors : dialect.garbage);
      outgoing.writeHead(status, { 'content-type': type }).end(body);
      return lost;
    }
    if (answer === undefined || fault === 'reset' || fault === 'drop') {
      outgoing.socket?.resetAndDestroy();
      return lost;
    }
    if (fault === 'slow-answer') await sleep(faultSource.drawDelayMs());
    await nextTurn();
    if (hasLeft(asked)) {
      this.counts.add('raced');
      return lost;
    }
    if (fault === 'half') {
      breakOff(outgoing, answer);
      return lost;
    }
    const said = fault === 'checksum' ? this.#spoiled(answer) : answer;
    const body = poison(asked.action, said.body);
    const { headers } = body === said.body ? said : withBody(said, body);
    outgoing.writeHead(said.status, headersOf({ headers })).end(body);
    const damaged = said === answer ? undefined : damagedMessage(said.body);
    return { delivered: await flushed(outgoing), ...(damaged !== undefined && { damaged }) };
  }

  /** The answer with one checksum that does not match. */
  #spoiled(answer: Answer): Answer {
    if (answer.status !== 200) return answer;
    const one = this.#options.faultSource.pick([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    return withBody(
      answer,
      JSON.stringify(withWrongChecksum(JSON.parse(answer.body), (i, count) => i === one % count)),
    );
  }

  /**
   * Forwards half of the entries of a batch, drawn one by one; the others fail with a code that is not their fault.
   */
  async #forwardSome({ incoming, body }: Asked): Promise<Answer> {
    const { faultSource } = this.#options;
    const input = JSON.parse(body) as Record<string, unknown>;
    const { carriedOut, failed } = splitEntries(input, () =>
      faultSource.pick([true, false])
        ? { code: faultSource.pick(blamelessCodes), senderFault: true }
        : undefined,
    );
    if (carriedOut.length === 0) {
      const headers = { 'content-type': 'application/x-amz-json-1.0' };
      const nothing = JSON.stringify({ Successful: [], Failed: failed });
      return { status: 200, headers, body: nothing, at: Date.now() };
    }
    const answer = await this.#forward(incoming, JSON.stringify({ ...input, Entries: carriedOut }));
    return answer.status === 200
      ? withBody(answer, JSON.stringify(withFailed(JSON.parse(answer.body), failed)))
      : answer;
  }

  #forward(incoming: IncomingMessage, body: string): Promise<Answer> {
    const headers = { ...incoming.headers, 'content-length': String(Buffer.byteLength(body)) };
    const { promise, resolve, reject } = Promise.withResolvers<Answer>();
    const url = new URL(incoming.url ?? '/', this.#options.target);
    const upstream = request(url, { method: incoming.method, headers, agent: this.#agent }, (response) => {
      readText(response).then(
        (text) =>
          resolve({
            status: response.statusCode ?? 500,
            headers: response.headers,
            body: text,
            at: Date.now(),
          }),
        reject,
      );
    });
    upstream.on('error', reject);
    upstream.end(body);
    return promise;
  }
}

function hasLeft({ incoming, outgoing }: Asked): boolean {
  return incoming.socket.destroyed || incoming.socket.readableEnded || outgoing.destroyed;
}

/** Sends half of the answer: of its body if it has one, otherwise of its head. */
function breakOff(outgoing: ServerResponse, answer: Answer): void {
  const { socket } = outgoing;
  const half = answer.body.slice(0, Math.floor(answer.body.length / 2));
  const head = `HTTP/1.1 ${answer.status} OK\r\ncontent-type: application/json\r\n`;
  const text = half === '' ? head : `${head}content-length: ${Buffer.byteLength(answer.body)}\r\n\r\n${half}`;
  socket?.write(text, () => socket.destroy());
}

function gone(outgoing: ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    if (outgoing.destroyed) resolve();
    else outgoing.once('close', resolve);
  });
}

/** True if everything was handed to the network while the connection was open. */
function flushed(outgoing: ServerResponse): Promise<boolean> {
  return new Promise((resolve) => {
    outgoing.once('finish', () => resolve(true));
    outgoing.once('close', () => resolve(outgoing.writableFinished));
  });
}
