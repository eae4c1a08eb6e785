/** What one server gives its clients at most: its work needs the descriptors and the time. */
import type { IncomingMessage, Server } from 'node:http';
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
  // Of a worker that has nothing to do, this is what wakes it most often.
  checkEveryMs: 5_000,
};

/** In bytes; no request here has a body. */
const MOST_BODY = 1_024;
const MOST_HEADERS = 8_192;

/** Options of a server within these limits, but for the silence. */
export function serverOptions(limits: HttpLimits) {
  return {
    headersTimeout: limits.headersMs,
    requestTimeout: limits.requestMs,
    keepAliveTimeout: limits.keepAliveMs,
    connectionsCheckingInterval: limits.checkEveryMs,
    maxHeaderSize: MOST_HEADERS,
  };
}

/** Reads the body of a request to its end. @returns whether it is as small as it must be; rejects when the client goes. */
export async function bodyFits(request: IncomingMessage): Promise<boolean> {
  let bytes = 0;
  // The rest stays unread, and its client is answered.
  for await (const chunk of request.iterator({ destroyOnReturn: false })) {
    bytes += (chunk as Buffer).byteLength;
    if (bytes > MOST_BODY) return false;
  }
  return true;
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
