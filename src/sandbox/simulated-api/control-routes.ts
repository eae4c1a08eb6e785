import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { RouteContext } from './routes.ts';
import { InvalidSettingsError } from './settings.ts';

interface ScriptRoute {
  readonly Params: { readonly Identifier: string };
  readonly Body: string | undefined;
}

/**
 * Control of the simulated API over HTTP, under `/_sandbox`, without limits, latency and faults. With a `token`, PUTs
 * require `Authorization: Bearer <token>`. Invalid input is answered by 400 `{"message", "faults": []}`.
 */
export function addControlRoutes(app: FastifyInstance, context: RouteContext, token: string | null): void {
  const { service, callLog } = context;

  app.get('/_sandbox/stats', (_request, reply) => {
    reply.send(callLog.stats());
  });
  app.get('/_sandbox/settings', (_request, reply) => {
    reply.send(service.settings);
  });
  app.put('/_sandbox/settings', (request: FastifyRequest<{ Body: string | undefined }>, reply) => {
    change(request, reply, (body) => {
      service.configure(body);
      reply.send(service.settings);
    });
  });
  app.put('/_sandbox/script/:Identifier', (request: FastifyRequest<ScriptRoute>, reply) => {
    change(request, reply, (body) => {
      service.scripts.set(request.params.Identifier, body);
      reply.code(204).send();
    });
  });

  function change(
    request: { readonly headers: { authorization?: string | undefined }; readonly body: string | undefined },
    reply: FastifyReply,
    apply: (body: unknown) => void,
  ): void {
    if (token !== null && request.headers.authorization !== `Bearer ${token}`) {
      reply.code(401).send({ message: 'requires the header Authorization: Bearer <token>' });
      return;
    }
    let body: unknown;
    try {
      body = JSON.parse(request.body ?? '');
    } catch {
      refuse(reply, ['body: not JSON']);
      return;
    }
    try {
      apply(body);
    } catch (error) {
      if (!(error instanceof InvalidSettingsError)) throw error;
      refuse(reply, error.faults);
    }
  }
}

function refuse(reply: FastifyReply, faults: readonly string[]): void {
  reply.code(400).send({ message: faults.join('; '), faults });
}
