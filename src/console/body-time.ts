/** How long the body of a request may take: a form is short, and an upload takes as long as it moves. */
import type { IncomingMessage } from 'node:http';
import type { FastifyInstance } from 'fastify';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Whether its body is a file. */
    readonly upload?: true;
  }
}

/**
 * Cuts a connection whose request is not whole in time. An upload that stands still is cut by the server's own `connectionTimeout`;
 * what one sends that was answered before its end is not listened to for longer than this.
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
