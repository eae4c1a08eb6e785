/**
 * Accepts SQS's query protocol, as used by older clients, in front of a server that only speaks the JSON
 * protocol.
 */
import { fastify } from 'fastify';
import { acceptQueryProtocol } from '../../src/sandbox/query-protocol/accept.ts';

export interface QueryFront {
  readonly url: string;
  close(): Promise<void>;
}

/** @param upstream receives the requests in the JSON protocol. */
export async function startQueryFront(upstream: string): Promise<QueryFront> {
  const app = fastify({ forceCloseConnections: true });
  app.addContentTypeParser('application/x-amz-json-1.0', { parseAs: 'string' }, (_, body, done) =>
    done(null, body),
  );
  app.addContentTypeParser('application/x-www-form-urlencoded', { parseAs: 'string' }, (_, body, done) =>
    done(null, Object.fromEntries(new URLSearchParams(String(body)))),
  );
  acceptQueryProtocol(app);
  app.post('/*', async (request, reply) => {
    const target = String(request.headers['x-amz-target']);
    const answer = await fetch(upstream, {
      method: 'POST',
      headers: { 'content-type': 'application/x-amz-json-1.0', 'x-amz-target': target },
      body: request.body as string,
    });
    return reply.code(answer.status).send(await answer.text());
  });
  const url = await app.listen({ host: '127.0.0.1', port: 0 });
  return { url, close: () => app.close() };
}
