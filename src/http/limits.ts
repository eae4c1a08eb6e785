/** The most that a server gives its clients: its work needs the descriptors and the time. */
import type { IncomingMessage, Server } from 'node:http';
import type { Socket } from 'node:net';

export interface HttpLimits {
  /** Open connections. */
  readonly connections: number;
  /** From the connection, or its last request, to the end of the next request's headers, in milliseconds. */
  readonly headersMs: number;
  /** As `headersMs`, but to the end of the body. */
  readonly requestMs: number;
  /** How long a connection may wait for its next request, in milliseconds. */
  readonly keepAliveMs: number;
  /** How long nothing may move on a connection, because its client does not read the answer, in milliseconds. */
  readonly silenceMs: number;
  /** How often all of these are checked, in milliseconds. */
  readonly checkEveryMs: number;
}

export const httpLimits: HttpLimits = {
  connections: 64,
  headersMs: 5_000,
  requestMs: 10_000,
  keepAliveMs: 5_000,
  silenceMs: 15_000,
  // In an idle worker, this check is the most frequent wake-up.
  checkEveryMs: 5_000,
};

/** In bytes; no request here has a body. */
const MOST_BODY = 1_024;
const MOST_HEADERS = 8_192;

/** Options of a server within these limits, except the silence. */
export function serverOptions(limits: HttpLimits) {
  return {
    headersTimeout: limits.headersMs,
    requestTimeout: limits.requestMs,
    keepAliveTimeout: limits.keepAliveMs,
    connectionsCheckingInterval: limits.checkEveryMs,
    maxHeaderSize: MOST_HEADERS,
  };
}

/** Reads the body of a request to its end. @returns whether it is small enough. Rejects when the client disconnects. */
export async function bodyFits(request: IncomingMessage): Promise<boolean> {
  let bytes = 0;
  // The rest stays unread, and the client still gets its answer.
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
