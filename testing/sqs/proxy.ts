/** A thin HTTP layer before the SQS server: sees every request, and answers, changes or holds up what a test says. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';

/** One request of SQS's JSON protocol. */
export interface SqsRequest {
  /** As `ReceiveMessage`. */
  readonly action: string;
  /** The last part of the queue's URL. */
  readonly queue: string;
  readonly input: Readonly<Record<string, unknown>>;
}

export interface SqsAnswer {
  readonly status: number;
  readonly output: Readonly<Record<string, unknown>>;
  readonly headers?: Readonly<Record<string, string>>;
}

/** What becomes of a request: `forward` asks the real server; `hang` never answers, `reset` breaks the connection. */
export type SqsRule = (
  request: SqsRequest,
  forward: (input?: Readonly<Record<string, unknown>>) => Promise<SqsAnswer>,
) => Promise<SqsAnswer | 'hang' | 'reset'> | SqsAnswer | 'hang' | 'reset';

const forwardAll: SqsRule = (_request, forward) => forward();

/** An SQS error as the service words it. */
export function sqsError(status: number, name: string, message: string): SqsAnswer {
  return {
    status,
    output: { __type: `com.amazonaws.sqs#${name}`, message },
    headers: { 'x-amzn-query-error': `${name};Sender` },
  };
}

export class SqsProxy {
  /** The endpoint to give to a client. */
  readonly url: string;
  /** Where requests go; to be set before the first one comes. */
  upstream = '';
  rule: SqsRule = forwardAll;
  /** Every request, in order of arrival. */
  readonly requests: SqsRequest[] = [];
  readonly #server: ReturnType<typeof createServer>;
  readonly #waiters = new Set<() => void>();

  constructor(server: ReturnType<typeof createServer>) {
    this.#server = server;
    this.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    server.on('request', (request, response) => {
      this.#serve(request, response).catch((error: unknown) => response.destroy(error as Error));
    });
  }

  /** Forwards everything from now on. */
  behave(): void {
    this.rule = forwardAll;
  }

  count(action: string, queue: string): number {
    return this.requests.filter((request) => request.action === action && request.queue === queue).length;
  }

  /** Resolves when `predicate` holds; asked again whenever a request arrives. */
  async waitFor(predicate: () => boolean): Promise<void> {
    if (predicate()) return;
    await new Promise<void>((resolve) => {
      const waiter = (): void => {
        if (!predicate()) return;
        this.#waiters.delete(waiter);
        resolve();
      };
      this.#waiters.add(waiter);
    });
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }

  async #serve(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    const left = new AbortController();
    response.on('close', () => left.abort());
    const input = JSON.parse(await text(incoming)) as Record<string, unknown>;
    const target = String(incoming.headers['x-amz-target']);
    const request: SqsRequest = {
      action: target.slice(target.indexOf('.') + 1),
      queue: String(input.QueueUrl).split('/').at(-1) ?? '',
      input,
    };
    this.requests.push(request);
    for (const waiter of this.#waiters) waiter();
    const forward = (changed: Readonly<Record<string, unknown>> = input): Promise<SqsAnswer> =>
      this.#forward(target, incoming.headers.authorization ?? '', changed, left.signal);
    const answer = await this.rule(request, forward);
    if (answer === 'hang' || response.destroyed) return;
    if (answer === 'reset') {
      response.socket?.resetAndDestroy();
      return;
    }
    response.writeHead(answer.status, { 'content-type': 'application/x-amz-json-1.0', ...answer.headers });
    response.end(JSON.stringify(answer.output));
  }

  async #forward(
    target: string,
    authorization: string,
    input: Readonly<Record<string, unknown>>,
    signal: AbortSignal,
  ): Promise<SqsAnswer> {
    const answer = await fetch(this.upstream, {
      method: 'POST',
      headers: { 'content-type': 'application/x-amz-json-1.0', 'x-amz-target': target, authorization },
      body: JSON.stringify(input),
      signal,
    });
    const body = await answer.text();
    return { status: answer.status, output: body === '' ? {} : (JSON.parse(body) as SqsAnswer['output']) };
  }
}

/** Starts a proxy on any free port; set its `upstream` once the stage is there. */
export async function startSqsProxy(): Promise<SqsProxy> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return new SqsProxy(server);
}
