/**
 * A second SQS server for the same tests, by other hands than the first: `local-aws-sqs`, behind a shim.
 *
 * What the shim mends: in a long poll the server sleeps for the whole time, whatever comes meanwhile; and it knows the names of system attributes by
 * the older field of the request alone.
 */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout } from 'node:timers/promises';
import { createRequestHandler } from 'local-aws-sqs';
import { type SqsRule, startSqsProxy } from './proxy.ts';
import type { SqsServer } from './sqs-server.ts';

/** Between two looks of a long poll, in milliseconds. */
const LOOK_MS = 25;

const shim: SqsRule = async ({ action, input }, forward) => {
  if (action !== 'ReceiveMessage') return forward();
  const until = performance.now() + Number(input.WaitTimeSeconds ?? 0) * 1_000;
  for (;;) {
    const AttributeNames = input.AttributeNames ?? input.MessageSystemAttributeNames;
    const answer = await forward({ ...input, AttributeNames, WaitTimeSeconds: 0 });
    const { Messages } = answer.output;
    const some = Array.isArray(Messages) && Messages.length > 0;
    if (some || answer.status !== 200 || performance.now() >= until) return answer;
    await setTimeout(LOOK_MS);
  }
};

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
  proxy.rule = shim;
  const ask = async (action: string, input: object): Promise<void> => {
    const headers = { 'content-type': 'application/x-amz-json-1.0', 'x-amz-target': `AmazonSQS.${action}` };
    const answer = await fetch(own, { method: 'POST', headers, body: JSON.stringify(input) });
    if (!answer.ok) throw new Error(`${action}: ${await answer.text()}`);
  };
  const named = (name: string): string => `${own}/000000000000/${name}`;
  const making: Promise<void>[] = [];
  const noTopics = (): never => {
    throw new Error('this server has no SNS');
  };
  return {
    port: Number(new URL(proxy.url).port),
    createQueue: (QueueName, { attributes: Attributes = {} } = {}) => {
      making.push(ask('CreateQueue', { QueueName, Attributes }));
      return {
        queueUrl: named(QueueName),
        queueArn: `arn:aws:sqs:${region}:000000000000:${QueueName}`,
        queueName: QueueName,
      };
    },
    made: async () => void (await Promise.all(making)),
    createTopic: noTopics,
    subscribe: noTopics,
    publish: noTopics,
    deleteQueue: (name) => void ask('DeleteQueue', { QueueUrl: named(name) }),
    sendMessage: (name, MessageBody) => {
      void ask('SendMessage', { QueueUrl: named(name), MessageBody });
      return { messageId: '', md5OfBody: '' };
    },
    inspectQueue: (name) => {
      const queue = service.Queues.find(({ QueueName }) => QueueName === name);
      if (queue === undefined) return undefined;
      const counts = queue.getAttributes(['All']) as Readonly<Record<string, string | number>>;
      const many = (count: string | number | undefined): never[] =>
        Array.from({ length: Number(count ?? 0) }) as never[];
      return {
        name,
        url: named(name),
        arn: String(counts.QueueArn),
        attributes: {},
        messages: {
          ready: many(counts.ApproximateNumberOfMessages),
          delayed: many(counts.ApproximateNumberOfMessagesDelayed),
          inflight: many(counts.ApproximateNumberOfMessagesNotVisible),
        },
      };
    },
    reset: () => service.resetAll(),
    stop: async () => {
      await proxy.close();
      server.closeAllConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}
