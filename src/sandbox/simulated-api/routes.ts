import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { failure } from './answers.ts';
import { deliver, type Sleep, sendAnswer } from './delivery.ts';
import type { Ledger } from './ledger.ts';
import type { Decision, Service } from './service.ts';
import { readBody } from './validation.ts';

interface TaskRoute {
  readonly Params: { readonly Identifier: string };
  readonly Body: string | undefined;
}

/** What the routes need of the running API. */
export interface RouteContext {
  readonly service: Service;
  readonly ledger: Ledger;
  readonly now: () => number;
  readonly sleep: Sleep;
}

/** The operations of the service, on the paths and in the protocol (restJson1) of the real one. */
export function addServiceRoutes(app: FastifyInstance, context: RouteContext): void {
  const { service, ledger, now, sleep } = context;

  app.put('/ota-tasks/:Identifier', (request: FastifyRequest<TaskRoute>, reply) => {
    const identifier = request.params.Identifier;
    const at = now();
    const body = readBody(request.body);
    ledger.begin(identifier);
    const decision = service.update(identifier, body, isAuthorized(request));
    ledger.decide({ identifier, at, status: decision.status, input: body.input }, decision);
    deliver(reply, decision, sleep, () => ledger.end(identifier));
  });

  const read = (reply: FastifyReply, decision: Decision) => {
    ledger.read(decision.status as number);
    deliver(reply, decision, sleep, () => {});
  };
  app.get('/ota-tasks/:Identifier', (request: FastifyRequest<TaskRoute>, reply) => {
    read(reply, service.get(request.params.Identifier, isAuthorized(request)));
  });
  app.get('/ota-tasks', (request, reply) => {
    read(reply, service.list(request.query, isAuthorized(request)));
  });

  app.setNotFoundHandler((_request, reply) => {
    sendAnswer(reply, failure(404, 'UnknownOperationException', 'No operation has this method and path'));
  });
}

/** The answer for what Fastify itself refuses (a path that cannot be decoded, a body too large). */
export function refuseRequest(error: unknown, reply: FastifyReply): void {
  const { statusCode, message } = error as { readonly statusCode?: number; readonly message?: string };
  const text = message ?? String(error);
  if (statusCode === 413) sendAnswer(reply, failure(413, 'RequestEntityTooLargeException', text));
  else if (statusCode !== undefined && statusCode < 500)
    sendAnswer(reply, failure(400, 'ValidationException', text));
  else sendAnswer(reply, failure(500, 'InternalFailureException', text));
}

function isAuthorized(request: FastifyRequest<TaskRoute> | FastifyRequest): boolean {
  return (request.headers.authorization ?? '') !== '';
}
