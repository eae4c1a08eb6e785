/**
 * SQS as strict as AWS's: a thin HTTP layer in front of the emulator that enforces the rules the emulator lacks. It
 * keeps the messages of FIFO queues itself (strict-fifo.ts) and forwards everything else. Purge, delete and create
 * queues through it.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { StrictRules } from './strict-sqs-answers.ts';
import { ask, type Input } from './strict-sqs-wire.ts';

export interface StrictSqsOptions {
  /** The emulator's URL. */
  readonly upstream: string;
  /** Epoch milliseconds: for leases, deduplication and the names of deleted queues. */
  readonly now?: () => number;
}

export interface StrictSqs {
  /** The endpoint to give to a client. */
  readonly url: string;
  close(): Promise<void>;
}

export async function startStrictSqs({ upstream, now = Date.now }: StrictSqsOptions): Promise<StrictSqs> {
  const rules = new StrictRules(now);
  // Closing a connection after 5 s of silence would break a request in flight.
  const server = createServer({ keepAliveTimeout: 0 }, (incoming, response) => {
    serve(rules, upstream, incoming, response).catch((error: unknown) => {
      if (!response.destroyed) response.destroy(error instanceof Error ? error : undefined);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: async () => {
      server.closeAllConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

async function serve(
  rules: StrictRules,
  url: string,
  incoming: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const left = new AbortController();
  response.on('close', () => left.abort());
  const input = JSON.parse(await text(incoming)) as Input;
  const action = String(incoming.headers['x-amz-target']).replace('AmazonSQS.', '');
  const upstream = { url, authorization: incoming.headers.authorization ?? '', signal: left.signal };
  const answer = await rules.answer({
    action,
    queue:
      String(input.QueueUrl ?? input.QueueName)
        .split('/')
        .at(-1) ?? '',
    input,
    gone: left.signal,
    forward: (changed = input, other = action) => ask(upstream, other, changed),
  });
  if (response.destroyed) return;
  response.writeHead(answer.status, { 'content-type': 'application/x-amz-json-1.0', ...answer.headers });
  response.end(JSON.stringify(answer.output));
}
