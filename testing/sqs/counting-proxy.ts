/** A proxy to put between a process and SQS: it counts, and fails on demand. Rules of a richer kind: sqs-proxy.ts. */
import { once } from 'node:events';
import { Agent, createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text as readText } from 'node:stream/consumers';
import { onTestFinished } from 'vitest';

/** One request on its way through the proxy. */
export interface SqsRequest {
  /** `ReceiveMessage`, `DeleteMessageBatch`, … */
  readonly operation: string;
  /** The last part of the queue's URL. */
  readonly queue: string;
  readonly body: string;
}

/** An error as SQS answers it. */
export type SqsError = readonly [status: number, name: string, message: string];

/** `hang`: no answer, ever. `fail`: 500. `reset`: the connection is cut. */
export type SqsTreatment = 'pass' | 'hang' | 'fail' | 'reset' | SqsError;

const internalFailure: SqsError = [500, 'InternalFailure', 'made to fail'];

export interface CountingProxy {
  readonly url: string;
  /** Requests begun so far, of one operation or of all. */
  count(operation?: string): number;
  /** Requests begun and not ended, of one operation. */
  outstanding(operation: string): number;
  /** Decides about every request from now on. */
  treat(decide: (request: SqsRequest) => SqsTreatment): void;
  /** Changes what a request asks for before it is passed on. */
  rewrite(change: (request: SqsRequest) => string): void;
  /** Resolves when `predicate` holds: looked at now and whenever a request begins or ends. */
  waitFor(predicate: () => boolean): Promise<void>;
}

/** A proxy in front of an SQS server that counts, and fails on demand; closed at the end of the test. */
export async function startCountingProxy(target: string): Promise<CountingProxy> {
  const begun = new Map<string, number>();
  const open = new Map<string, number>();
  const watchers = new Set<() => void>();
  let decide: (request: SqsRequest) => SqsTreatment = () => 'pass';
  let change: (request: SqsRequest) => string = ({ body }) => body;
  const add = (counts: Map<string, number>, name: string, n: number): void => {
    counts.set(name, (counts.get(name) ?? 0) + n);
    for (const watcher of watchers) watcher();
  };
  const agent = new Agent({ keepAlive: true });
  const server = createServer(async (incoming, outgoing) => {
    const operation = String(incoming.headers['x-amz-target']).replace('AmazonSQS.', '');
    add(begun, operation, 1);
    add(open, operation, 1);
    outgoing.once('close', () => add(open, operation, -1));
    const text = await readText(incoming).catch(() => undefined);
    if (text === undefined) return;
    const { QueueUrl = '' } = JSON.parse(text) as { QueueUrl?: string };
    const asked = { operation, queue: QueueUrl.split('/').at(-1) ?? '', body: text };
    const treatment = decide(asked);
    if (treatment === 'hang') return;
    if (treatment === 'reset') {
      incoming.socket.resetAndDestroy();
      return;
    }
    if (treatment !== 'pass') {
      const [status, name, message] = treatment === 'fail' ? internalFailure : treatment;
      const headers = { 'content-type': 'application/x-amz-json-1.0' };
      const type = `com.amazonaws.sqs#${name}`;
      outgoing.writeHead(status, headers).end(JSON.stringify({ __type: type, message }));
      return;
    }
    const body = change(asked);
    const headers = { ...incoming.headers, 'content-length': String(Buffer.byteLength(body)) };
    const { method, url } = incoming;
    const upstream = request(new URL(url ?? '/', target), { method, headers, agent }, (answer) => {
      outgoing.writeHead(answer.statusCode ?? 500, answer.headers);
      answer.pipe(outgoing);
    });
    upstream.on('error', () => outgoing.destroy());
    // A poll that is cut here must be cut there too, or it would take messages for nobody.
    outgoing.once('close', () => {
      if (!outgoing.writableFinished) upstream.destroy();
    });
    upstream.end(body);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
    agent.destroy();
  });
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    count: (operation) =>
      operation === undefined
        ? [...begun.values()].reduce((sum, n) => sum + n, 0)
        : (begun.get(operation) ?? 0),
    outstanding: (operation) => open.get(operation) ?? 0,
    treat: (decision) => {
      decide = decision;
    },
    rewrite: (rewriting) => {
      change = rewriting;
    },
    waitFor: async (predicate) => {
      if (predicate()) return;
      await new Promise<void>((resolve) => {
        const watcher = (): void => {
          if (!predicate()) return;
          watchers.delete(watcher);
          resolve();
        };
        watchers.add(watcher);
      });
    },
  };
}
