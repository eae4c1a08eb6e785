/** A server that receives notices: it keeps every request, and answers as a test wants. */
import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';

export interface TakenRequest {
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

export interface StandInAnswer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

/** `hang` never answers, `reset` breaks the connection, `endless` answers 200 with a body without end. */
export type StandInRule = (
  request: TakenRequest,
  count: number,
) => StandInAnswer | 'hang' | 'reset' | 'endless';

export interface StandIn {
  readonly url: string;
  /** Its behaviour from now on. */
  rule: StandInRule;
  /** So far, in order. */
  readonly requests: readonly TakenRequest[];
  /** Resolves with the requests when there are `count`. */
  arrived(count: number): Promise<readonly TakenRequest[]>;
  close(): Promise<void>;
}

export async function startStandIn(rule: StandInRule): Promise<StandIn> {
  const requests: TakenRequest[] = [];
  const waiters = new Set<() => void>();
  const server = createServer(async (request, response) => {
    const body = await text(request);
    const taken = { path: request.url ?? '', headers: request.headers, body };
    requests.push(taken);
    const answer = standIn.rule(taken, requests.length);
    for (const wake of waiters) wake();
    if (answer === 'hang') return;
    if (answer === 'reset') {
      request.socket.resetAndDestroy();
      return;
    }
    if (answer === 'endless') {
      response.writeHead(200);
      const chunk = 'x'.repeat(65_536);
      const pour = (): void => {
        while (!response.destroyed && response.write(chunk));
        if (!response.destroyed) response.once('drain', pour);
      };
      pour();
      return;
    }
    response.writeHead(answer.status, answer.headers).end(answer.body ?? '');
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const standIn: StandIn = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    rule,
    requests,
    arrived: (count) =>
      new Promise((resolve) => {
        const look = (): void => {
          if (requests.length < count) return;
          waiters.delete(look);
          resolve(requests);
        };
        waiters.add(look);
        look();
      }),
    close: async () => {
      server.closeAllConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
  return standIn;
}
