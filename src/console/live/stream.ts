/** A feed as server-sent events. The library waits for a slow reader; the feed then skips to what is newest. */
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { Feed } from './feed.ts';

/** Streams at once: beyond it a browser is told to come again. */
const MOST_VIEWERS = 1_000;

/** @param mayRead whether the one who asked still may: a session ends while its page is open. */
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
    // An answer that ends before the first look is a stream, too, and no empty page.
    reply.sse.sendHeaders();
    reply.raw.flushHeaders();
    let last: string | undefined;
    try {
      for await (const { html, event, number, missed } of feed.follow(gone.signal)) {
        if (gone.signal.aborted || !mayRead(request)) break;
        // That nothing has changed is news, too: what one sees is of now.
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
