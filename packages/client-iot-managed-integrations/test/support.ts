import { createHash, createHmac } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, vi } from 'vitest';
import { IoTManagedIntegrationsClient, type IoTManagedIntegrationsClientConfig } from '../src/index.ts';

/** A request as it arrived: `url` is the raw target, still encoded. */
export interface Received {
  method: string;
  url: string;
  headers: IncomingHttpHeaders;
  rawHeaderNames: string[];
  body: string;
}

export interface Answer {
  status: number;
  headers?: Record<string, string>;
  body?: string;
}

/** A real server on a free port: it keeps what it received, and answers from `answers`, then with 204. */
export class ApiServer implements AsyncDisposable {
  readonly received: Received[] = [];
  readonly answers: (Answer | 'never')[] = [];
  readonly server: Server;
  private readonly clients: IoTManagedIntegrationsClient[] = [];

  private constructor(server: Server) {
    this.server = server;
  }

  static async start(...answers: (Answer | 'never')[]): Promise<ApiServer> {
    const api = new ApiServer(createServer());
    api.answers.push(...answers);
    api.server.on('request', async (request, response) => {
      let body = '';
      for await (const chunk of request.setEncoding('utf8')) body += chunk;
      const { method = '', url = '', headers, rawHeaders } = request;
      const rawHeaderNames = rawHeaders.filter((_, index) => index % 2 === 0);
      const answer = api.answers.shift() ?? { status: 204 };
      api.received.push({ method, url, headers, rawHeaderNames, body });
      api.server.emit('received');
      if (answer === 'never') return;
      response.writeHead(answer.status, answer.headers).end(answer.body);
    });
    await once(api.server.listen(0, '127.0.0.1'), 'listening');
    return api;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  /** A client of this server, with retries off and static credentials unless told otherwise. */
  client(config: IoTManagedIntegrationsClientConfig = {}): IoTManagedIntegrationsClient {
    const client = new IoTManagedIntegrationsClient({
      region: 'eu-west-1',
      endpoint: this.url,
      credentials: CREDENTIALS,
      maxAttempts: 1,
      ...config,
    });
    this.clients.push(client);
    return client;
  }

  /** The one request that was received; throws when there was not exactly one. */
  get only(): Received {
    const [first] = this.received;
    if (first === undefined || this.received.length !== 1) {
      throw new Error(`expected one request, received ${this.received.length}`);
    }
    return first;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const client of this.clients) client.destroy();
    this.server.closeAllConnections();
    this.server.close();
    await once(this.server, 'close');
  }
}

export const CREDENTIALS = { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'secret/example+key' };

/** Answers with a JSON body. */
export function json(status: number, body: unknown, headers: Record<string, string> = {}): Answer {
  return { status, headers: { 'content-type': 'application/json', ...headers }, body: JSON.stringify(body) };
}

/** What the promise rejects with; throws when it does not reject. */
export async function rejection(promise: Promise<unknown>): Promise<Error & Record<string, unknown>> {
  const outcome = await promise.then(
    () => undefined,
    (error: unknown) => ({ error }),
  );
  if (outcome === undefined) throw new Error('expected a rejection');
  return outcome.error as Error & Record<string, unknown>;
}

/** Runs every test of the file without the AWS settings of the machine it runs on. */
export function withoutAwsSettings(): void {
  beforeEach(() => {
    for (const name of Object.keys(process.env)) {
      if (name.startsWith('AWS_')) vi.stubEnv(name, undefined);
    }
    vi.stubEnv('AWS_CONFIG_FILE', '/nonexistent/config');
    vi.stubEnv('AWS_SHARED_CREDENTIALS_FILE', '/nonexistent/credentials');
    vi.stubEnv('AWS_EC2_METADATA_DISABLED', 'true');
  });
  afterEach(() => vi.unstubAllEnvs());
}

/** The SigV4 `authorization` of a request, computed from the specification and not from the SDK. */
export function expectedAuthorization(request: Received, region: string): string {
  const { authorization = '', 'x-amz-date': time } = request.headers;
  const signedHeaders = /SignedHeaders=([^,]+)/.exec(authorization)?.[1] ?? '';
  const [path = '', query = ''] = request.url.split('?');
  const encode = (text: string) =>
    encodeURIComponent(text).replace(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`);
  const canonicalRequest = [
    request.method,
    path.split('/').map(encode).join('/'),
    query.split('&').sort().join('&'),
    ...signedHeaders.split(';').map((name) => `${name}:${request.headers[name]}`),
    '',
    signedHeaders,
    createHash('sha256').update(request.body).digest('hex'),
  ].join('\n');
  const scope = [String(time).slice(0, 8), region, 'iotmanagedintegrations', 'aws4_request'];
  const toSign = [
    'AWS4-HMAC-SHA256',
    time,
    scope.join('/'),
    createHash('sha256').update(canonicalRequest).digest('hex'),
  ].join('\n');
  const hmac = (key: string | Buffer, data: string) => createHmac('sha256', key).update(data).digest();
  const key = scope.reduce<string | Buffer>(hmac, `AWS4${CREDENTIALS.secretAccessKey}`);
  const signature = hmac(key, toSign).toString('hex');
  const credential = `${CREDENTIALS.accessKeyId}/${scope.join('/')}`;
  return `AWS4-HMAC-SHA256 Credential=${credential}, SignedHeaders=${signedHeaders}, Signature=${signature}`;
}
