/** Answers of SQS as data, what producers must make of them, and a server that gives them in both of SQS's protocols. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { type AddressInfo, createServer as createTcpServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { toXml } from '../../src/sandbox/query-protocol/answer.ts';
import { readQuery } from '../../src/sandbox/query-protocol/request.ts';

/** One answer. Exactly one of `entries`, `error`, `body` and `connection` is given. */
export interface SqsAnswer {
  /** Default: 200; 400 for an error. */
  readonly status?: number;
  /**
   * The result of each update: `sent`, `unnamed` (in neither list), `twice` (sent, and named twice), a failed entry's
   * `CODE;Sender` or `CODE;Receiver`, or `both CODE;Sender`: in both lists. Updates not listed here are sent.
   */
  readonly entries?: readonly string[];
  /** Further entries of any shape: ids that nobody asked for, or none. */
  readonly besides?: { readonly Successful?: readonly unknown[]; readonly Failed?: readonly unknown[] };
  /** For each entry that is sent; null: no checksum. Default: that of its body. */
  readonly checksum?: string | null;
  /** The error code of a request that failed as a whole. */
  readonly error?: string;
  /** The code in the form of `__type`; null: missing. Default: `com.amazonaws.sqs#CODE`. */
  readonly type?: string | null;
  /** The header `x-amzn-query-error`; null: missing. Default: `CODE;Sender`. */
  readonly queryError?: string | null;
  /** The bytes of the answer, unchanged. */
  readonly body?: string;
  readonly contentType?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /**
   * `reset` breaks the connection before the answer, `cut` within it; `hang` never answers. `plain`: an endpoint with TLS
   * answers in plain text.
   */
  readonly connection?: 'reset' | 'cut' | 'hang' | 'plain';
  /** Only requests with the update of this number get the answer; in all other requests every update is sent. */
  readonly only?: number;
}

/** A producer's verdict about a call of `send`. */
export interface Verdict {
  /** For each update: `sent`, `refused CODE`, `unsent`, or `lost`: unsent, but it may have arrived. */
  readonly updates: readonly string[];
  readonly requests: number;
  /** How sending ended early, if it did: `at once` or `after six tries`. */
  readonly ends: string | null;
  /** Waits between the requests, in milliseconds, if every random number is 0.5. */
  readonly waits: readonly number[];
}

export interface AnswerCase {
  readonly name: string;
  /** Default: 2. */
  readonly updates?: number;
  /** The queue is a FIFO queue: the updates then belong to three tasks. */
  readonly fifo?: boolean;
  /**
   * `refuses` and `no TLS`: no server answers, connections are refused or end in the TLS handshake. `TLS`: the answer server
   * over TLS. Default: the answer server without TLS.
   */
  readonly endpoint?: 'refuses' | 'no TLS' | 'TLS';
  /** Answers to the requests in order; the last one is repeated. */
  readonly answers: readonly SqsAnswer[];
}

/** The updates of a case, each with its number in its description. */
export function updatesOf({ updates = 2, fifo = false }: AnswerCase): {
  Identifier: string;
  Description: string;
}[] {
  return Array.from({ length: updates }, (_, i) => ({
    Identifier: `task${fifo ? i % 3 : i}`,
    Description: `update ${i}`,
  }));
}

interface Entry {
  readonly id: string;
  /** The number of the update in its case. */
  readonly number: number;
  readonly body: string;
}

export interface AnswerServer {
  readonly url: string;
  /** The URL of a queue that answers as the case says, from the beginning for each call. */
  queueFor(answers: AnswerCase): string;
  endpointOf(answers: AnswerCase): string;
  close(): Promise<void>;
}

/** The self-signed certificate of the server over TLS. */
export const certificatePath = join(import.meta.dirname, 'tls/certificate.pem');

/** Starts a server whose queues answer as cases say. */
export async function startAnswerServer(): Promise<AnswerServer> {
  const queues: { readonly answers: readonly SqsAnswer[]; requests: number }[] = [];
  const serve = async (incoming: IncomingMessage, response: ServerResponse): Promise<void> => {
    const { query, queueUrl, entries } = requestOf(await text(incoming));
    const queue = queues[Number.parseInt(queueUrl.split('/').at(-1) ?? '', 10)];
    const answer = queue?.answers[Math.min(queue.requests++, queue.answers.length - 1)];
    if (answer === undefined) throw new Error(`no case has the queue ${queueUrl}`);
    if (answer.connection === 'plain') tcp.get(incoming.socket.remotePort)?.write('HTTP/1.1 200 OK\r\n\r\n');
    else give(response, answer, entries, query);
  };
  // Closing a connection after 5 s of silence would break a request in flight.
  const options = { keepAliveTimeout: 0 };
  const answerBy = (incoming: IncomingMessage, response: ServerResponse): void => {
    serve(incoming, response).catch((error: unknown) => response.destroy(error as Error));
  };
  const server = createServer(options, answerBy);
  const tls = {
    key: readFileSync(join(import.meta.dirname, 'tls/key.pem')),
    cert: readFileSync(certificatePath),
  };
  const tlsServer = createTlsServer({ ...options, ...tls }, answerBy);
  /** The sockets under TLS, by the client's port. */
  const tcp = new Map<number | undefined, Socket>();
  const tcpServer = createTcpServer((socket) => {
    tcp.set(socket.remotePort, socket);
    socket.on('error', () => {});
    tlsServer.emit('connection', socket);
  });
  const [url, tlsUrl] = [`http://${await listen(server)}`, `https://${await listen(tcpServer)}`];
  return {
    url,
    queueFor: ({ answers, fifo = false }) =>
      `${url}/000000000000/${queues.push({ answers, requests: 0 }) - 1}${fifo ? '.fifo' : ''}`,
    endpointOf: ({ endpoint }) => {
      if (endpoint === undefined) return url;
      if (endpoint === 'TLS') return tlsUrl;
      // A port without a listener.
      return endpoint === 'refuses' ? 'http://127.0.0.1:1' : url.replace('http:', 'https:');
    },
    close: async () => {
      server.closeAllConnections();
      for (const socket of tcp.values()) socket.destroy();
      await Promise.all([closed(server), closed(tcpServer)]);
    },
  };
}

async function listen(server: Server): Promise<string> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}

async function closed(server: Server): Promise<void> {
  await new Promise<void>((resolve) => server.close(() => resolve()));
}

function requestOf(body: string): { query: boolean; queueUrl: string; entries: Entry[] } {
  const asJson = body.startsWith('{');
  const input = (
    asJson ? JSON.parse(body) : (readQuery(Object.fromEntries(new URLSearchParams(body)))?.input ?? {})
  ) as { QueueUrl?: string; Entries?: { Id: string; MessageBody: string }[] };
  const entries = (input.Entries ?? []).map(({ Id, MessageBody }) => ({
    id: Id,
    number: Number(/update (\d+)/.exec(MessageBody)?.[1]),
    body: MessageBody,
  }));
  return { query: !asJson, queueUrl: input.QueueUrl ?? '', entries };
}

function give(response: ServerResponse, given: SqsAnswer, entries: readonly Entry[], query: boolean): void {
  const concerned = given.only === undefined || entries.some(({ number }) => number === given.only);
  const answer = concerned ? given : {};
  if (answer.connection === 'hang') return;
  if (answer.connection === 'reset') {
    response.socket?.resetAndDestroy();
    return;
  }
  const { status, body } = bodyOf(answer, entries, query);
  const queryError = queryErrorOf(answer);
  response.writeHead(status, {
    'content-type': answer.contentType ?? (query ? 'text/xml' : 'application/x-amz-json-1.0'),
    'content-length': Buffer.byteLength(body),
    ...(queryError !== undefined && { 'x-amzn-query-error': queryError }),
    ...answer.headers,
  });
  if (answer.connection === 'cut')
    response.write(body.slice(0, body.length / 2), () => response.socket?.destroy());
  else response.end(body);
}

function queryErrorOf({ error, queryError }: SqsAnswer): string | undefined {
  if (error === undefined || queryError === null) return undefined;
  return queryError ?? `${error};Sender`;
}

function bodyOf(
  answer: SqsAnswer,
  entries: readonly Entry[],
  query: boolean,
): { status: number; body: string } {
  const { error, type, status = error === undefined ? 200 : 400, body } = answer;
  if (body !== undefined) return { status, body };
  const typed = type === null ? {} : { __type: type ?? `com.amazonaws.sqs#${error}` };
  const output = error === undefined ? outputOf(answer, entries) : { ...typed, message: 'no' };
  if (!query) return { status, body: JSON.stringify(output) };
  // The query protocol has the code in one place only, without a prefix.
  const queryError = error === undefined ? undefined : (queryErrorOf(answer) ?? `${error};Sender`);
  return toXml('SendMessageBatch', { status, body: output, queryError }, 'request');
}

function outputOf({ entries = [], besides = {}, checksum }: SqsAnswer, asked: readonly Entry[]): object {
  const Successful: unknown[] = [];
  const Failed: unknown[] = [];
  for (const { id: Id, number, body } of asked) {
    const md5 = createHash('md5').update(body).digest('hex');
    const MD5OfMessageBody = checksum === null ? undefined : (checksum ?? md5);
    const outcome = entries[number] ?? 'sent';
    const [, both, Code, fault] = /^(both )?(\S+);(Sender|Receiver)$/.exec(outcome) ?? [];
    if (Code !== undefined) Failed.push({ Id, SenderFault: fault === 'Sender', Code, Message: 'no' });
    const times = both !== undefined || outcome === 'sent' ? 1 : outcome === 'twice' ? 2 : 0;
    for (let i = 0; i < times; i++) Successful.push({ Id, MessageId: `message ${number}`, MD5OfMessageBody });
  }
  return {
    Successful: [...Successful, ...(besides.Successful ?? [])],
    Failed: [...Failed, ...(besides.Failed ?? [])],
  };
}
