/** Answers requests that are not valid HTTP, incomplete or too slow: no route sees them. */
import { type IncomingMessage, type Server, type ServerResponse, STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import type { SecurityHeaders } from './headers.ts';

const known: Readonly<Record<string, readonly [status: number, why: string]>> = {
  HPE_HEADER_OVERFLOW: [431, 'The headers of the request, its address among them, are too large.'],
  HPE_CHUNK_EXTENSIONS_OVERFLOW: [413, 'What was sent is too large.'],
  ERR_HTTP_REQUEST_TIMEOUT: [408, 'The request was not complete in time.'],
};
const otherwise = [400, 'What was sent is not a valid HTTP request, or was cut off.'] as const;

/** For this long, further input is read and dropped, so that the answer arrives; in milliseconds. */
const LINGER_MS = 1_000;

/** @returns the handler for `clientErrorHandler`. */
export function clientErrors(headers: SecurityHeaders) {
  const begun = new WeakMap<Socket, ServerResponse>();
  const refused = new WeakSet<Socket>();
  return {
    /** Records which answers have begun: nothing may be inserted into such an answer. */
    watch: (server: Server): void => {
      server.prependListener('request', ({ socket }: IncomingMessage, response: ServerResponse) =>
        begun.set(socket, response),
      );
      server.on('checkExpectation', (_request: IncomingMessage, response: ServerResponse) => {
        const [status, body] = problem(417, 'The only expectation that is met is 100-continue.');
        response.writeHead(status, problemHeaders(body)).end(body);
      });
      // Without a listener, Node closes the connection without an answer.
      server.on('connect', (_request: IncomingMessage, socket: Socket) => {
        socket.on('error', () => socket.destroy());
        socket.end(
          wholeAnswer(...problem(501, 'The console is not a proxy: CONNECT is not served.'), headers),
        );
        setTimeout(() => socket.destroy(), LINGER_MS).unref();
      });
    },
    refuse: (error: { readonly code?: string }, socket: Socket): void => {
      if (refused.has(socket)) return;
      const response = begun.get(socket);
      const amid = response?.headersSent === true && !response.writableFinished;
      if (!socket.writable || amid) {
        socket.destroy();
        return;
      }
      refused.add(socket);
      const [status, why] = known[error.code ?? ''] ?? otherwise;
      socket.end(wholeAnswer(...problem(status, why), headers));
      setTimeout(() => socket.destroy(), LINGER_MS).unref();
    },
  };
}

function problem(status: number, detail: string): readonly [status: number, body: string] {
  const title = STATUS_CODES[status] ?? 'Error';
  return [status, JSON.stringify({ type: 'about:blank', title, status, detail })];
}

function problemHeaders(body: string) {
  return {
    'content-type': 'application/problem+json',
    'cache-control': 'no-store',
    'content-length': String(Buffer.byteLength(body)),
    connection: 'close',
  };
}

function wholeAnswer(status: number, body: string, headers: SecurityHeaders): string {
  const all = [...headers, ...Object.entries(problemHeaders(body))];
  const head = all.map(([name, value]) => `${name}: ${value}\r\n`).join('');
  return `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n${head}\r\n${body}`;
}
