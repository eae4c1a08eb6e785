/** How long the body of a request may take: a form is short, but an upload may take as long as it progresses. */
import type { IncomingMessage } from 'node:http';
import type { FastifyInstance } from 'fastify';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Whether its body is a file. */
    readonly upload?: true;
  }
}

/**
 * Closes a connection whose request is not complete in time. An upload that makes no progress is ended by the server's own
 * `connectionTimeout`. After an early answer, this is also the limit for receiving the rest of an upload.
 * @param ms milliseconds.
 */
export function boundBodies(app: FastifyInstance, ms: number): void {
  app.addHook('onRequest', async ({ raw, routeOptions }) => {
    if (routeOptions.config.upload === undefined) bound(raw, ms);
  });
  app.addHook('onResponse', async ({ raw }) => bound(raw, ms));
}

function bound(raw: IncomingMessage, ms: number): void {
  const { headers, socket } = raw;
  const hasBody = headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;
  if (!hasBody || raw.complete || socket.destroyed) return;
  const timer = setTimeout(() => {
    if (!raw.complete) socket.destroy();
  }, ms);
  timer.unref();
  raw.once('end', () => clearTimeout(timer));
  raw.once('close', () => clearTimeout(timer));
}
