/** Requests a path from a worker's server exactly as given: `fetch` would normalize it. */
import { request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import type { HttpServer } from '../../src/http/server.ts';

interface Asked {
  readonly path: string;
  readonly method?: string;
  readonly body?: string;
}

/** Makes the server listen on any free loopback port, if it does not listen yet. */
export async function askServer(http: HttpServer, { path, method = 'GET', body = '' }: Asked) {
  if (!http.server.listening) await http.listen({ host: '127.0.0.1', port: 0 });
  const { port } = http.server.address() as AddressInfo;
  const { promise, resolve, reject } = Promise.withResolvers<{
    readonly status: number;
    readonly headers: NodeJS.Dict<string | string[]>;
    readonly body: string;
  }>();
  const sent = request({ host: '127.0.0.1', port, path, method, agent: false }, (response) => {
    const { statusCode = 0, headers } = response;
    text(response).then((read) => resolve({ status: statusCode, headers, body: read }), reject);
  });
  sent.on('error', reject).end(body);
  return await promise;
}
