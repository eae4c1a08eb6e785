/**
 * A thin HTTP layer in front of the SQS server: records every request, and answers, changes or delays those that a test
 * chooses.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';

/** One request of SQS's JSON protocol. */
export interface SqsRequest {
  /** Such as `ReceiveMessage`. */
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

/** `hang` never answers, `reset` breaks the connection, `fail` is a 500. */
type SqsFault = 'hang' | 'reset' | 'fail';

/** The answer to a request; `forward` gets the real server's answer. */
export type SqsRule = (
  request: SqsRequest,
  forward: (input?: Readonly<Record<string, unknown>>) => Promise<SqsAnswer>,
) => Promise<SqsAnswer | SqsFault> | SqsAnswer | SqsFault;

const forwardAll: SqsRule = (_request, forward) => forward();

/** Forwards everything, but shortens long polls to a second, so that a test sees several of them. */
export const shortPolls: SqsRule = ({ action, input }, forward) =>
  forward(action === 'ReceiveMessage' ? { ...input, WaitTimeSeconds: 1 } : input);

/** An SQS error in the service's wording. */
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
  /** Where requests are forwarded; set it before the first request. */
  upstream: string;
  rule: SqsRule = forwardAll;
  /** Every request, in order of arrival. */
  readonly requests: SqsRequest[] = [];
  readonly #server: ReturnType<typeof createServer>;
  readonly #waiters = new Set<() => void>();
  readonly #outstanding = new Map<string, number>();

  constructor(server: ReturnType<typeof createServer>, upstream: string) {
    this.#server = server;
    this.upstream = upstream;
    this.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    server.on('request', (request, response) => {
      this.#serve(request, response).catch((error: unknown) => response.destroy(error as Error));
    });
  }

  /** Forwards everything from now on. */
  behave(): void {
    this.rule = forwardAll;
  }

  /** Requests so far: for one action and one queue, or for all if omitted. */
  count(action?: string, queue?: string): number {
    const fits = (request: SqsRequest): boolean =>
      (action === undefined || request.action === action) && (queue === undefined || request.queue === queue);
    return this.requests.filter(fits).length;
  }

  /** Requests of an action in progress. */
  outstanding(action: string): number {
    return this.#outstanding.get(action) ?? 0;
  }

  /** Resolves when `predicate` holds; checked whenever a request arrives or ends. */
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
    this.#add(request.action, 1);
    response.on('close', () => this.#add(request.action, -1));
    const forward = (changed: Readonly<Record<string, unknown>> = input): Promise<SqsAnswer> =>
      this.#forward(target, incoming.headers.authorization ?? '', changed, left.signal);
    const ruled = await this.rule(request, forward);
    if (ruled === 'hang' || response.destroyed) return;
    if (ruled === 'reset') {
      response.socket?.resetAndDestroy();
      return;
    }
    const answer = ruled === 'fail' ? sqsError(500, 'InternalFailure', 'made to fail') : ruled;
    const body = JSON.stringify(answer.output);
    const headers = {
      'content-type': 'application/x-amz-json-1.0',
      // Like AWS: the size is known before the body is read.
      'content-length': Buffer.byteLength(body),
    };
    response.writeHead(answer.status, { ...headers, ...answer.headers }).end(body);
  }

  #add(action: string, n: number): void {
    this.#outstanding.set(action, this.outstanding(action) + n);
    for (const waiter of this.#waiters) waiter();
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

/** Starts a proxy on any free port. @param upstream may be set later, before the first request. */
export async function startSqsProxy(upstream = ''): Promise<SqsProxy> {
  // Closing a connection after 5 s of silence would break a request in flight.
  const server = createServer({ keepAliveTimeout: 0 });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return new SqsProxy(server, upstream);
}
