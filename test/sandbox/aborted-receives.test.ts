/** A worker that ends aborts its long poll: in the sandbox, the next message goes to its successor at once. */
import { SetQueueAttributesCommand } from '@aws-sdk/client-sqs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createSqsClient } from '../../src/queue/client.ts';
import { Queue } from '../../src/queue/queue.ts';
import { type Cloud, startCloud } from '../../src/sandbox/cloud.ts';

let cloud: Cloud;
beforeAll(async () => {
  cloud = await startCloud({ host: '127.0.0.1', sqsPort: 0, apiPort: 0, token: 't', api: {} });
});
afterAll(() => cloud.close());

const input = { WaitTimeSeconds: 20, MaxNumberOfMessages: 10 };
const forms: Record<string, (QueueUrl: string) => RequestInit> = {
  JSON: (QueueUrl) => ({
    headers: {
      'content-type': 'application/x-amz-json-1.0',
      'x-amz-target': 'AmazonSQS.ReceiveMessage',
    },
    body: JSON.stringify({ QueueUrl, ...input }),
  }),
  query: (QueueUrl) => {
    const fields = { Action: 'ReceiveMessage', Version: '2012-11-05', QueueUrl };
    return {
      body: new URLSearchParams(Object.entries({ ...fields, ...input }).map(([k, v]) => [k, `${v}`])),
    };
  },
};

test.each(Object.keys(forms))(
  'a receive by the %s protocol that its client aborts keeps no message',
  async (form) => {
    const url = form === 'JSON' ? cloud.queueUrl : cloud.deadLetterQueueUrl;
    const sqs = createSqsClient(2, { ...cloud.client, endpoint: cloud.sqsUrl });
    // What an aborted receive kept would not be back in the time of this test.
    const Attributes = { VisibilityTimeout: '43200' };
    await sqs.send(new SetQueueAttributesCommand({ QueueUrl: url, Attributes }));
    for (let i = 0; i < 2; i++) {
      const request = { ...forms[form]?.(url), method: 'POST', signal: AbortSignal.timeout(500) };
      await expect(fetch(cloud.sqsUrl, request)).rejects.toThrow();
    }
    const queue = new Queue(sqs, url);
    await queue.send([{ key: '0', body: form }]);
    await expect.poll(() => queue.receive({ max: 10, waitSeconds: 1 })).toMatchObject([{ body: form }]);
    sqs.destroy();
  },
);
