/** What an operator may do to a queue while a worker uses it. */
import {
  DeleteQueueCommand,
  PurgeQueueCommand,
  SetQueueAttributesCommand,
  type SQSClient,
} from '@aws-sdk/client-sqs';

export async function deleteQueue(client: SQSClient, url: string): Promise<void> {
  await client.send(new DeleteQueueCommand({ QueueUrl: url }));
}

export async function purgeQueue(client: SQSClient, url: string): Promise<void> {
  await client.send(new PurgeQueueCommand({ QueueUrl: url }));
}

/** Sets the maximum message size of the queue in bytes. */
export async function setMaximumBytes(client: SQSClient, url: string, bytes: number): Promise<void> {
  const Attributes = { MaximumMessageSize: String(bytes) };
  await client.send(new SetQueueAttributesCommand({ QueueUrl: url, Attributes }));
}

/** Sets the queue's message retention. */
export async function setRetention(client: SQSClient, url: string, seconds: number): Promise<void> {
  const Attributes = { MessageRetentionPeriod: String(seconds) };
  await client.send(new SetQueueAttributesCommand({ QueueUrl: url, Attributes }));
}
