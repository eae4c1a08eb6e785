/** A feed as server-sent events. The library waits for a slow reader; the feed then skips to what is newest. */
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { Feed } from './feed.ts';

/** Streams at once: beyond it a browser is told to come again. */
const MOST_VIEWERS = 1_000;

/** @param mayRead whether the one who asked still may: a session ends while its page is open. */
export function addStream(
  app: FastifyInstance,
  path: string,
  feed: Feed,
  mayRead: (request: FastifyRequest) => boolean,
): void {
  app.get(path, { sse: 'only', compress: false }, async (request, reply) => {
    if (feed.viewers >= MOST_VIEWERS)
      return reply.code(503).header('retry-after', '10').send('Too many pages are open.');
    const gone = new AbortController();
    reply.raw.once('close', () => gone.abort());
    for await (const { html, event, number, missed } of feed.follow(gone.signal)) {
      if (gone.signal.aborted || !mayRead(request)) break;
      await reply.sse.send({ id: String(number), data: html });
      if (event !== undefined) await reply.sse.send({ event: event.name, data: JSON.stringify(event.data) });
      if (missed > 0) await reply.sse.send({ event: 'missed', data: String(missed) });
    }
  });
}
