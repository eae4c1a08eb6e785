/** Health and metrics over HTTP. It knows the worker only by its snapshots. */
import { type FastifyInstance, type FastifyReply, fastify } from 'fastify';
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
import { refuseForeign } from './foreign-requests.ts';
import { type HttpLimits, httpLimits, keepNewest, serverOptions } from './limits.ts';

export interface HttpOptions {
  /** Distinguishes this worker from others: made at its start. */
  readonly worker: string;
  readonly snapshot: () => WorkerSnapshot;
  readonly registry: Registry;
  readonly limits?: HttpLimits;
}

/**
 * A server, not listening yet: `GET /livez` and `/readyz` (200, or 503 with the reasons), `/metrics`, the worker's status as a page
 * (`/`) and as JSON (`/status`).
 */
export function createHttpServer({
  worker,
  snapshot,
  registry,
  limits = httpLimits,
}: HttpOptions): FastifyInstance {
  const app = fastify({ forceCloseConnections: true, ...serverOptions(limits) });
  keepNewest(app.server, limits.connections);
  refuseForeign(app, 'own');
  app.get('/livez', (_request, reply) => answer(reply, liveness(snapshot())));
  app.get('/readyz', (_request, reply) => {
    const now = snapshot();
    return answer(reply, readiness(now), {
      conditions: shownConditions(now),
      rate: shownRate(now),
      limits: shownBounds(now),
    });
  });
  app.get('/metrics', async (_request, reply) =>
    reply.type(registry.contentType).send(await registry.metrics()),
  );
  app.get('/status', (_request, reply) =>
    reply.header('cache-control', 'no-store').send(workerStatusOf(snapshot(), worker)),
  );
  app.get('/', (_request, reply) => {
    const now = snapshot();
    const status = workerStatusOf(now, worker);
    const alone = makeStatus({
      now: now.at,
      workers: [{ where: 'this worker', ok: true, status }],
      queues: {},
    });
    return reply.headers(pageHeaders).send(statusPage(alone));
  });
  return app;
}

function answer(reply: FastifyReply, { ok, reasons }: Health, more: object = {}): FastifyReply {
  return reply
    .code(ok ? 200 : 503)
    .header('cache-control', 'no-store')
    .send({ status: ok ? 'ok' : 'not ok', reasons, ...more });
}
