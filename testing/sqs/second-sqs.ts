/**
 * A second SQS server for the same tests, from other authors than the first: `local-aws-sqs`, behind a shim ({@link secondSqsShim}).
 */
import { type BareSecondSqs, startBareSecondSqs } from './bare-second-sqs.ts';
import { startSqsProxy } from './proxy.ts';
import { made, secondSqsShim } from './second-sqs-shim.ts';
import type { SqsServer } from './sqs-server.ts';

export async function startSecondSqs(region: string): Promise<SqsServer> {
  const { url: own, service, close } = await startBareSecondSqs(region);
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
    await made(action);
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
      await close();
    },
  };
}

/** `count` messages of unknown content. */
function many(count: number): never[] {
  return Array.from({ length: count }) as never[];
}

function countsOf({ Queues }: BareSecondSqs['service'], name: string) {
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
