/** What one server gives its clients at most: its work needs the descriptors and the time. */
import type { Server } from 'node:http';
import type { Socket } from 'node:net';

export interface HttpLimits {
  /** Open connections. */
  readonly connections: number;
  /** From the connection, or the last request on it, to the end of the next one's headers, in milliseconds. */
  readonly headersMs: number;
  /** The same to the end of its body. */
  readonly requestMs: number;
  /** A connection that waits for its next request, in milliseconds. */
  readonly keepAliveMs: number;
  /** A connection on which nothing moves: a client that does not read its answer, in milliseconds. */
  readonly silenceMs: number;
  /** How often all of these are looked at, in milliseconds. */
  readonly checkEveryMs: number;
}

export const httpLimits: HttpLimits = {
  connections: 64,
  headersMs: 5_000,
  requestMs: 10_000,
  keepAliveMs: 5_000,
  silenceMs: 15_000,
  checkEveryMs: 1_000,
};

/** In bytes; no request here has a body. */
const MOST_BODY = 1_024;
const MOST_HEADERS = 8_192;

/** Options of a server within these limits. */
export function serverOptions(limits: HttpLimits) {
  const { headersMs: headersTimeout, checkEveryMs: connectionsCheckingInterval } = limits;
  return {
    bodyLimit: MOST_BODY,
    requestTimeout: limits.requestMs,
    keepAliveTimeout: limits.keepAliveMs,
    connectionTimeout: limits.silenceMs,
    http: { headersTimeout, connectionsCheckingInterval, maxHeaderSize: MOST_HEADERS },
  };
}

/**
 * Closes the oldest connection when there are more than `most`. Refusing the newest, as Node's `maxConnections` does, would
 * lock out a probe for as long as others hold their connections.
 */
export function keepNewest(server: Server, most: number): void {
  const open = new Set<Socket>();
  server.on('connection', (socket) => {
    open.add(socket);
    socket.once('close', () => open.delete(socket));
    const [oldest] = open;
    if (open.size > most) oldest?.destroy();
  });
}
