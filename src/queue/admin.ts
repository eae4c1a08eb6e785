/** Creates queues, for the sandbox and for tests. The worker itself never creates or changes one. */
import { CreateQueueCommand, type SQSClient } from '@aws-sdk/client-sqs';

/** Creates a queue, or finds an existing one with the same attributes. @returns its URL. */
export async function createQueue(
  client: SQSClient,
  name: string,
  attributes: Readonly<Record<string, string>> = {},
): Promise<string> {
  const { QueueUrl } = await client.send(
    new CreateQueueCommand({ QueueName: name, Attributes: { ...attributes } }),
  );
  if (QueueUrl === undefined) throw new Error(`CreateQueue ${name} answered without a URL`);
  return QueueUrl;
}
