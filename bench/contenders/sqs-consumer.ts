/** sqs-consumer with `handleMessageBatch`; the first argument is the number of parallel consumers. */
import { SQSClient } from '@aws-sdk/client-sqs';
import { Consumer } from 'sqs-consumer';
import { createCall, queueUrl } from './call.ts';

const sqs = new SQSClient({});
const call = createCall();
for (let i = 0; i < Number(process.argv[2]); i++) {
  const consumer = Consumer.create({
    queueUrl: queueUrl(),
    sqs,
    batchSize: 10,
    waitTimeSeconds: 20,
    handleMessageBatch: async (messages) => {
      const results = await Promise.allSettled(messages.map(({ Body }) => call(Body)));
      return messages.filter((_, i) => results[i]?.status === 'fulfilled');
    },
  });
  consumer.on('error', (error) => process.stderr.write(`sqs-consumer: ${error.message}\n`));
  consumer.start();
}
