import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { GetQueueAttributesCommand } from '@aws-sdk/client-sqs';
import { describe, expect, onTestFinished, test } from 'vitest';
import { createRequestHandler } from '../../src/aws/request-handler.ts';
import { createSqsClient, type SQSClientConfig } from '../../src/queue/client.ts';
import { explainSqsError, isTransient, mayHaveArrived } from '../../src/queue/errors.ts';

const head = 'HTTP/1.1 200 OK\r\ncontent-type: application/x-amz-json-1.0\r\ncontent-length: 100\r\n\r\n';

/** What the SDK throws when `answer` does the answering; undefined: nobody listens. */
async function failure(
  answer: ((socket: Socket) => void) | undefined,
  requestHandler: SQSClientConfig['requestHandler'],
): Promise<unknown> {
  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.once('data', () => answer?.(socket));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  onTestFinished(() => void server.close());
  if (answer === undefined) {
    server.close();
    await once(server, 'close');
  }
  const client = createSqsClient(1, {
    region: 'eu-west-1',
    endpoint: `http://127.0.0.1:${port}`,
    credentials: { accessKeyId: 'a', secretAccessKey: 's' },
    ...(requestHandler !== undefined && { requestHandler }),
  });
  onTestFinished(() => client.destroy());
  const QueueUrl = `http://127.0.0.1:${port}/000000000000/q`;
  return client.send(new GetQueueAttributesCommand({ QueueUrl })).then(
    () => expect.fail('it was answered'),
    (error: unknown) => error,
  );
}

describe.each([
  ['node:http', undefined],
  ['undici', createRequestHandler(1)],
])('on %s', (_, handler) => {
  test.each([
    ['nobody listens', undefined, false],
    ['the connection is closed without an answer', (socket: Socket) => socket.end(), true],
    ['the connection is reset', (socket: Socket) => socket.resetAndDestroy(), true],
    ['the connection is closed within the answer', (socket: Socket) => socket.end(`${head}{`), true],
    [
      'the connection is reset within the answer',
      (socket: Socket) => void socket.write(`${head}{`, () => socket.resetAndDestroy()),
      true,
    ],
    ['the answer is no HTTP', (socket: Socket) => socket.end('220 mail.example ESMTP\r\n'), true],
  ])('where %s, the same request may succeed later', async (_, answer, arrived) => {
    const error = await failure(answer, handler);
    expect(isTransient(error)).toBe(true);
    expect(mayHaveArrived(error)).toBe(arrived);
    expect(explainSqsError(error, 'http://127.0.0.1/q')).toMatch(
      /^SQS (cannot be reached for|answered RequestTimeout)/,
    );
  });
});
