/**
 * A second SQS server for the same tests, from other authors than the first: `local-aws-sqs`, behind a shim ({@link secondSqsShim}).
 */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createRequestHandler } from 'local-aws-sqs';
import { startSqsProxy } from './proxy.ts';
import { secondSqsShim } from './second-sqs-shim.ts';
import type { SqsServer } from './sqs-server.ts';

type Handler = ReturnType<typeof createRequestHandler>;

export async function startSecondSqs(region: string): Promise<SqsServer> {
  const made: { handler?: Handler } = {};
  const server = createServer((request, response) => void made.handler?.requestHandler(request, response));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port: ownPort } = server.address() as AddressInfo;
  const own = `http://127.0.0.1:${ownPort}`;
  made.handler = createRequestHandler({
    port: ownPort,
    hostname: '127.0.0.1',
    region,
    accountId: '000000000000',
    emulateQueueCreationLifecycle: false,
  });
  const { service } = made.handler;
  const proxy = await startSqsProxy(own);
  /** Direct requests that were not awaited: other requests come after them. */
  let asked: Promise<void> = Promise.resolve();
  proxy.rule = secondSqsShim({
    asked: () => asked,
    ready: (name) => countsOf(service, name)?.ready,
  });
  const ask = async (action: string, input: object): Promise<void> => {
    const headers = { 'content-type': 'application/x-amz-json-1.0', 'x-amz-target': `AmazonSQS.${action}` };
    const answer = await fetch(own, { method: 'POST', headers, body: JSON.stringify(input) });
    if (!answer.ok) throw new Error(`${action}: ${await answer.text()}`);
  };
  const named = (name: string): string => `${own}/000000000000/${name}`;
  const askNext = (action: string, input: object): void => {
    asked = asked.then(() => ask(action, input));
  };
  const noTopics = (): never => {
    throw new Error('this server has no SNS');
  };
  return {
    port: Number(new URL(proxy.url).port),
    createQueue: (QueueName, { attributes: Attributes = {} } = {}) => {
      askNext('CreateQueue', { QueueName, Attributes });
      return {
        queueUrl: named(QueueName),
        queueArn: `arn:aws:sqs:${region}:000000000000:${QueueName}`,
        queueName: QueueName,
      };
    },
    made: () => asked,
    createTopic: noTopics,
    subscribe: noTopics,
    publish: noTopics,
    deleteQueue: (name) => askNext('DeleteQueue', { QueueUrl: named(name) }),
    sendMessage: (name, MessageBody) => {
      askNext('SendMessage', { QueueUrl: named(name), MessageBody });
      return { messageId: '', md5OfBody: '' };
    },
    inspectQueue: (name) => {
      const counts = countsOf(service, name);
      if (counts === undefined) return undefined;
      const { arn, ready, delayed, inflight } = counts;
      const messages = { ready: many(ready), delayed: many(delayed), inflight: many(inflight) };
      return { name, url: named(name), arn, attributes: {}, messages };
    },
    reset: () => service.resetAll(),
    stop: async () => {
      await proxy.close();
      server.closeAllConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

/** `count` messages of unknown content. */
function many(count: number): never[] {
  return Array.from({ length: count }) as never[];
}

function countsOf({ Queues }: Handler['service'], name: string) {
  const queue = Queues.find(({ QueueName }) => QueueName === name);
  if (queue === undefined) return undefined;
  const attributes = queue.getAttributes(['All']) as Readonly<Record<string, string>>;
  const inflight = Number(attributes.ApproximateNumberOfMessagesNotVisible);
  return {
    arn: String(attributes.QueueArn),
    // The server counts messages in flight among the others.
    ready: Number(attributes.ApproximateNumberOfMessages) - inflight,
    delayed: Number(attributes.ApproximateNumberOfMessagesDelayed),
    inflight,
  };
}
