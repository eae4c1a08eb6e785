/** The SDK alone, as a lower bound: ten receive loops, `Promise.all`, batch delete. */
import { DeleteMessageBatchCommand, ReceiveMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import { createCall, queueUrl } from './call.ts';

// It ends by itself: only then does Node keep the compile cache, if enabled.
process.once('SIGTERM', () => process.exit());

const LOOPS = 10;
const sqs = new SQSClient({});
const call = createCall();
const QueueUrl = queueUrl();

async function loop(): Promise<never> {
  while (true) {
    const { Messages = [] } = await sqs.send(
      new ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages: 10, WaitTimeSeconds: 20 }),
    );
    if (Messages.length === 0) continue;
    const results = await Promise.allSettled(Messages.map(({ Body }) => call(Body)));
    const Entries = Messages.flatMap(({ ReceiptHandle }, i) =>
      results[i]?.status === 'fulfilled' ? [{ Id: String(i), ReceiptHandle }] : [],
    );
    if (Entries.length > 0) await sqs.send(new DeleteMessageBatchCommand({ QueueUrl, Entries }));
  }
}

await Promise.all(Array.from({ length: LOOPS }, loop));
