/**
 * Health and metrics over HTTP. It knows the worker only by its snapshots. Uses Node's own server: the console's framework would
 * be half of what a worker loads, for only five pages.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { type AddressInfo, isIPv6 } from 'node:net';
import type { Registry } from 'prom-client';
import {
  type Health,
  liveness,
  readiness,
  shownBounds,
  shownConditions,
  shownRate,
} from '../observe/health.ts';
import { pageHeaders, statusPage } from '../status/page.ts';
import { makeStatus } from '../status/status.ts';
import { workerStatusOf } from '../status/worker-status.ts';
import type { WorkerSnapshot } from '../worker/snapshot.ts';
import { objection } from './foreign-requests.ts';
import { bodyFits, type HttpLimits, httpLimits, keepNewest, serverOptions } from './limits.ts';

export interface HttpOptions {
  /** Distinguishes this worker from others; assigned at its start. */
  readonly worker: string;
  readonly snapshot: () => WorkerSnapshot;
  readonly registry: Registry;
  readonly limits?: HttpLimits;
}

export interface HttpServer {
  readonly server: Server;
  /** @returns the server's URL. Rejects if it cannot listen. */
  listen(where: { readonly host: string; readonly port: number }): Promise<string>;
  /** Closes the server, if it listens, and its connections. */
  close(): Promise<void>;
}

interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/**
 * A server, not listening yet: `GET /livez` and `/readyz` (200, or 503 with the reasons), `/metrics`, the worker's status as a
 * page (`/`) and as JSON (`/status`).
 */
export function createHttpServer(options: HttpOptions): HttpServer {
  const { limits = httpLimits } = options;
  const routes = routesOf(options);
  const server = createServer(serverOptions(limits), (request, response) => {
    answerTo(request, routes).then(
      (answer) => send(response, answer),
      (error: unknown) => {
        // The client has disconnected.
        if (!request.complete) return;
        process.emitWarning(error instanceof Error ? error : String(error));
        send(response, json(500, { message: 'this could not be answered' }));
      },
    );
  });
  server.setTimeout(limits.silenceMs);
  keepNewest(server, limits.connections);
  return {
    server,
    listen: ({ host, port }) =>
      new Promise((resolve, reject) => {
        server.once('error', reject);
        // Only one of the two addresses of `localhost`: a client that uses the other knows that the name has two.
        server.listen({ host: host === 'localhost' ? '127.0.0.1' : host, port }, () => {
          server.off('error', reject);
          resolve(urlOf(server.address() as AddressInfo));
        });
      }),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

type Routes = ReadonlyMap<string, () => Answer | Promise<Answer>>;

function routesOf({ worker, snapshot, registry }: HttpOptions): Routes {
  return new Map<string, () => Answer | Promise<Answer>>([
    ['/livez', () => health(liveness(snapshot()))],
    [
      '/readyz',
      () => {
        const now = snapshot();
        return health(readiness(now), {
          conditions: shownConditions(now),
          rate: shownRate(now),
          limits: shownBounds(now),
        });
      },
    ],
    [
      '/metrics',
      async () => ({
        status: 200,
        headers: { 'content-type': registry.contentType },
        body: await registry.metrics(),
      }),
    ],
    ['/status', () => json(200, workerStatusOf(snapshot(), worker), { 'cache-control': 'no-store' })],
    [
      '/',
      () => {
        const now = snapshot();
        const status = workerStatusOf(now, worker);
        const alone = makeStatus({
          now: now.at,
          workers: [{ where: 'this worker', ok: true, status }],
          queues: {},
        });
        return { status: 200, headers: pageHeaders, body: statusPage(alone) };
      },
    ],
  ]);
}

async function answerTo(request: IncomingMessage, routes: Routes): Promise<Answer> {
  const why = objection(request, 'own');
  if (why !== undefined) return json(403, { message: `refused: ${why}` });
  if (!(await bodyFits(request)))
    return json(413, { message: 'the body is too large' }, { connection: 'close' });
  const { method = '', url = '' } = request;
  const [path = ''] = url.split('?', 1);
  const route = method === 'GET' || method === 'HEAD' ? routes.get(path) : undefined;
  if (route === undefined)
    return json(404, { message: `there is only GET ${[...routes.keys()].join(', GET ')}` });
  return await route();
}

function health({ ok, reasons }: Health, more: object = {}): Answer {
  const body = { status: ok ? 'ok' : 'not ok', reasons, ...more };
  return json(ok ? 200 : 503, body, { 'cache-control': 'no-store' });
}

function json(status: number, body: object, headers: Readonly<Record<string, string>> = {}): Answer {
  return {
    status,
    headers: { 'content-type': 'application/json; charset=utf-8', ...headers },
    body: JSON.stringify(body),
  };
}

function send(response: ServerResponse, { status, headers, body }: Answer): void {
  response.writeHead(status, { ...headers, 'content-length': Buffer.byteLength(body) }).end(body);
}

function urlOf({ address, port }: AddressInfo): string {
  return `http://${isIPv6(address) ? `[${address}]` : address}:${port}`;
}
