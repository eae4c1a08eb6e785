/** What an operator may do to a queue while a worker works on it. */
import { DeleteQueueCommand, PurgeQueueCommand, type SQSClient } from '@aws-sdk/client-sqs';

export async function deleteQueue(client: SQSClient, url: string): Promise<void> {
  await client.send(new DeleteQueueCommand({ QueueUrl: url }));
}

export async function purgeQueue(client: SQSClient, url: string): Promise<void> {
  await client.send(new PurgeQueueCommand({ QueueUrl: url }));
}
