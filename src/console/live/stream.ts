/**
 * A feed as server-sent events. The library waits for a slow reader; the feed then skips to the newest state.
 */
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { Feed } from './feed.ts';

/** Maximum number of streams: beyond it, a browser is told to try again. */
const MOST_VIEWERS = 1_000;

/** @param mayRead whether the sender of the request still may: a session can end while its page is open. */
export function addStream(
  app: FastifyInstance,
  path: string,
  given: Feed | ((request: FastifyRequest) => Feed),
  mayRead: (request: FastifyRequest) => boolean,
): void {
  const open = new Set<Feed>();
  app.addHook('preClose', async () => {
    for (const feed of open) feed.close();
  });
  app.get(path, { sse: 'only', compress: false }, async (request, reply) => {
    const feed = typeof given === 'function' ? given(request) : given;
    if (feed.viewers >= MOST_VIEWERS)
      return reply.code(503).header('retry-after', '10').send('Too many pages are open.');
    open.add(feed);
    const gone = new AbortController();
    reply.raw.once('close', () => gone.abort());
    // Even an answer that ends before the first look must be a stream, not an empty page.
    reply.sse.sendHeaders();
    reply.raw.flushHeaders();
    let last: string | undefined;
    try {
      for await (const { html, event, number, missed } of feed.follow(gone.signal)) {
        if (gone.signal.aborted || !mayRead(request)) break;
        // Also report that nothing has changed: the viewer then knows that the page is current.
        if (html === last) await reply.sse.send({ event: 'same', data: '' });
        else await reply.sse.send({ id: String(number), data: html });
        last = html;
        if (event !== undefined)
          await reply.sse.send({ event: event.name, data: JSON.stringify(event.data) });
        if (missed > 0) await reply.sse.send({ event: 'missed', data: String(missed) });
      }
    } finally {
      if (feed.viewers === 0) open.delete(feed);
    }
  });
}
