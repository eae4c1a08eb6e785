/**
 * Sends bytes to a server, and returns the bytes of its answer: for requests that no HTTP client would send.
 */
import { connect } from 'node:net';

export interface RawAnswer {
  readonly status: number;
  readonly headers: ReadonlyMap<string, string>;
  readonly body: string;
}

interface Sent {
  /** Ends its half of the connection afterwards; default: keeps it open until the server ends. */
  readonly end?: boolean;
}

/** @returns the first answer; undefined if the connection ended without one. */
export async function sendRaw(
  url: string,
  bytes: string | Uint8Array,
  { end = false }: Sent = {},
): Promise<RawAnswer | undefined> {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  const { promise, resolve } = Promise.withResolvers<string>();
  let got = '';
  socket.setEncoding('latin1');
  const done = (): void => resolve(got);
  socket.on('data', (chunk: string) => {
    got += chunk;
    if (isWhole(got)) done();
  });
  socket.on('error', done).on('close', done).on('end', done);
  if (end) socket.end(bytes);
  else socket.write(bytes);
  const text = await promise;
  socket.destroy();
  return parse(text);
}

function isWhole(text: string): boolean {
  const answer = parse(text);
  if (answer === undefined) return false;
  const length = answer.headers.get('content-length');
  if (length !== undefined) return answer.body.length >= Number(length);
  const stream = answer.headers.get('content-type') === 'text/event-stream';
  return stream || answer.body.endsWith('0\r\n\r\n');
}

function parse(text: string): RawAnswer | undefined {
  const [head = '', ...rest] = text.split('\r\n\r\n');
  const [first = '', ...lines] = head.split('\r\n');
  const status = /^HTTP\/1\.1 (\d{3}) /.exec(first)?.[1];
  if (status === undefined || rest.length === 0) return undefined;
  const headers = new Map(
    lines.map((line) => {
      const colon = line.indexOf(':');
      return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()] as const;
    }),
  );
  return { status: Number(status), headers, body: rest.join('\r\n\r\n') };
}
