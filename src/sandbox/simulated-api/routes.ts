import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { failure } from './answers.ts';
import type { CallLog } from './call-log.ts';
import { respond, type Sleep, sendAnswer } from './respond.ts';
import type { Caller, Decision, Service } from './service.ts';
import { readBody } from './validation.ts';

interface TaskRoute {
  readonly Params: { readonly Identifier: string };
  readonly Body: string | undefined;
}

export interface RouteContext {
  readonly service: Service;
  readonly callLog: CallLog;
  readonly now: () => number;
  readonly sleep: Sleep;
}

/** The operations of the service, with AWS's paths and protocol (restJson1). */
export function addServiceRoutes(app: FastifyInstance, context: RouteContext): void {
  const { service, callLog, now, sleep } = context;
  const connectionOf = numbered();
  const callerOf = ({ raw, headers }: FastifyRequest<TaskRoute> | FastifyRequest): Caller => ({
    authorized: (headers.authorization ?? '') !== '',
    connection: connectionOf(raw.socket),
  });

  app.put('/ota-tasks/:Identifier', (request: FastifyRequest<TaskRoute>, reply) => {
    const identifier = request.params.Identifier;
    const at = now();
    const body = readBody(request.body);
    callLog.begin(identifier);
    const decision = service.update(identifier, body, callerOf(request));
    callLog.decide({ identifier, at, status: decision.status, input: body.input }, decision);
    respond(reply, decision, sleep, () => {
      decision.ended();
      callLog.end(identifier);
    });
  });

  const read = (reply: FastifyReply, decision: Decision) => {
    callLog.read(decision.status as number);
    respond(reply, decision, sleep, decision.ended);
  };
  app.get('/ota-tasks/:Identifier', (request: FastifyRequest<TaskRoute>, reply) => {
    read(reply, service.get(request.params.Identifier, callerOf(request)));
  });
  app.get('/ota-tasks/:Identifier/devices', (request: FastifyRequest<TaskRoute>, reply) => {
    read(reply, service.executions(request.params.Identifier, request.query, callerOf(request)));
  });
  app.get('/ota-task-configurations', (request, reply) => {
    read(reply, service.configurations(request.query, callerOf(request)));
  });
  app.get('/ota-task-configurations/:Identifier', (request: FastifyRequest<TaskRoute>, reply) => {
    read(reply, service.configuration(request.params.Identifier, callerOf(request)));
  });
  app.post('/ota-task-configurations', (request: FastifyRequest<{ Body: string | undefined }>, reply) => {
    read(reply, service.createConfiguration(request.body, callerOf(request)));
  });
  app.get('/ota-tasks', (request, reply) => {
    read(reply, service.list(request.query, callerOf(request)));
  });

  app.setNotFoundHandler((_request, reply) => {
    sendAnswer(reply, failure(404, 'UnknownOperationException', 'No operation has this method and path'));
  });
}

/** Answers a request that Fastify refuses, such as one with a body that is too large. */
export function refuseRequest(error: unknown, reply: FastifyReply): void {
  const { statusCode, message } = error as { readonly statusCode?: number; readonly message?: string };
  const text = message ?? String(error);
  if (statusCode === 413) sendAnswer(reply, failure(413, 'RequestEntityTooLargeException', text));
  else if (statusCode !== undefined && statusCode < 500)
    sendAnswer(reply, failure(400, 'ValidationException', text));
  else sendAnswer(reply, failure(500, 'InternalFailureException', text));
}

/** Numbers things from 0, in the order of their first use. */
function numbered(): (thing: object) => number {
  const numbers = new WeakMap<object, number>();
  let count = 0;
  return (thing) => {
    const number = numbers.get(thing) ?? count;
    if (number === count) {
      numbers.set(thing, number);
      count += 1;
    }
    return number;
  };
}
