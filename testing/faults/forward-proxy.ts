/**
 * An HTTP proxy like those in companies: absolute-form requests over http, CONNECT for https, with a password.
 */
import { once } from 'node:events';
import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';

export interface ForwardProxy {
  /** With user and password. */
  readonly url: string;
  /** The user and password in `url`. */
  readonly secret: string;
  /** Every request so far: `POST http://sqs.test:4566/`, `CONNECT api.test:443`. */
  readonly requests: readonly string[];
  close(): Promise<void>;
}

/**
 * Names that end in `.test` are this machine: only the proxy can resolve them. All other hosts are refused.
 * @param seen called for each request, after it was added to `requests`.
 */
export async function startForwardProxy(seen: (request: string) => void = () => {}): Promise<ForwardProxy> {
  const secret = 'user:hunter2';
  const wanted = `Basic ${Buffer.from(secret).toString('base64')}`;
  const requests: string[] = [];
  const sockets = new Set<Socket>();
  const note = (text: string): void => {
    requests.push(text);
    seen(text);
  };
  const forward = (incoming: IncomingMessage, outgoing: ServerResponse): void => {
    const url = URL.parse(incoming.url ?? '');
    note(`${incoming.method} ${incoming.url}`);
    const { 'proxy-authorization': authorization, ...headers } = incoming.headers;
    const status = authorization !== wanted ? 407 : url?.hostname.endsWith('.test') ? undefined : 502;
    if (status !== undefined) {
      outgoing.writeHead(status).end();
      return;
    }
    const { port = '', pathname = '/', search = '' } = url ?? {};
    // Servers on this machine refuse foreign host names.
    const host = '127.0.0.1';
    const passedOn = request(
      {
        host,
        port,
        path: pathname + search,
        method: incoming.method,
        headers: { ...headers, host: `${host}:${port}` },
      },
      (answer) => {
        outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
        answer.pipe(outgoing);
      },
    );
    passedOn.on('error', () => outgoing.destroy());
    outgoing.on('close', () => passedOn.destroy());
    incoming.pipe(passedOn);
  };
  const tunnel = (incoming: IncomingMessage, socket: Duplex): void => {
    note(`CONNECT ${incoming.url}`);
    socket.on('error', () => socket.destroy());
    const [host = '', port = ''] = (incoming.url ?? '').split(':');
    if (incoming.headers['proxy-authorization'] !== wanted || !host.endsWith('.test')) {
      socket.end('HTTP/1.1 502 Bad Gateway\r\n\r\n');
      return;
    }
    const upstream = connect(Number(port), '127.0.0.1', () => {
      socket.write('HTTP/1.1 200 Connection established\r\n\r\n');
      socket.pipe(upstream).pipe(socket);
    });
    upstream.on('error', () => socket.destroy());
  };
  const server = createServer(forward).on('connect', tunnel);
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://${secret}@127.0.0.1:${(server.address() as AddressInfo).port}`,
    secret,
    requests,
    close: async () => {
      const closed = once(server, 'close');
      server.close();
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}
