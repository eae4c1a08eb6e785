/** Adds routes for sections, with what all of them share (section.ts). */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { isReason, REASON_NEEDED } from '../../text/reason.ts';
import { addStream } from '../live/stream.ts';
import type { Site } from '../section.ts';
import { faultsIn } from './faults.ts';
import type { Page } from './layout.ts';
import { PageError } from './page-error.ts';

/** @param mayRead whether the viewer of a stream may still read. */
export function makeSite(
  app: FastifyInstance,
  show: (request: FastifyRequest, reply: FastifyReply, page: Page) => FastifyReply,
  mayRead: (request: FastifyRequest) => boolean,
): Site {
  return {
    app,
    view: (path, make) => {
      app.get(path, async (request, reply) => show(request, reply, await make(request, visitorIn(request))));
    },
    change: (path, fields, make, { before, labels } = {}) => {
      const how = before && { preValidation: before, config: { upload: true } as const };
      app.post(path, { ...how }, async (request, reply) => {
        const read = fields.safeParse(request.body);
        if (!read.success) throw new PageError(faultsIn(read.error, undefined, labels));
        const reason = reasonIn(request.body);
        const visitor = visitorIn(request);
        return reply.redirect(await make({ fields: read.data, reason, visitor, request }), 303);
      });
    },
    live: (path, feed) => {
      addStream(app, path, feed, mayRead);
    },
  };
}

function visitorIn({ visitor }: FastifyRequest) {
  if (visitor === undefined) throw new Error('a guarded route has no visitor');
  return visitor;
}

function reasonIn(body: unknown): string {
  const { data } = z.object({ reason: z.string() }).safeParse(body);
  const reason = data?.reason.trim() ?? '';
  if (isReason(reason)) return reason;
  throw new PageError(REASON_NEEDED);
}
