import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createSqsClient } from '../../../src/queue/client.ts';
import { Queue } from '../../../src/queue/queue.ts';
import { type Cloud, startCloud } from '../../../src/sandbox/cloud.ts';

let cloud: Cloud;
beforeAll(async () => {
  cloud = await startCloud({ host: '127.0.0.1', sqsPort: 0, apiPort: 0, token: 't', api: {} });
});
afterAll(() => cloud.close());

interface Answer {
  readonly status: number;
  readonly xml: string;
}

/** A request as an older client makes it. @param url the server, or a queue. */
async function query(fields: Readonly<Record<string, string>>, url = cloud.sqsUrl): Promise<Answer> {
  const body = new URLSearchParams({ Version: '2012-11-05', ...fields });
  const answer = await fetch(url, { method: 'POST', body });
  return { status: answer.status, xml: await answer.text() };
}

function textOf({ xml }: Answer, tag: string): string | undefined {
  return new RegExp(`<${tag}>([^<]*)</${tag}>`).exec(xml)?.[1];
}

describe('the query protocol in the sandbox', () => {
  test('sends a message with its attributes, which a client of the JSON protocol receives', async () => {
    const body = '{"Identifier":"a1","Description":"b"}';
    const sent = await query({
      Action: 'SendMessage',
      QueueUrl: cloud.deadLetterQueueUrl,
      MessageBody: body,
      'MessageAttribute.1.Name': 'traceparent',
      'MessageAttribute.1.Value.DataType': 'String',
      'MessageAttribute.1.Value.StringValue': '00-1-2-01',
    });
    expect(sent.status).toBe(200);

    const sqs = createSqsClient(1, { ...cloud.client, endpoint: cloud.sqsUrl });
    const queue = new Queue(sqs, cloud.deadLetterQueueUrl);
    const messages = await queue.receive({ max: 10, waitSeconds: 1 });
    sqs.destroy();
    expect(messages).toMatchObject([
      {
        messageId: textOf(sent, 'MessageId'),
        body,
        attributes: { traceparent: { dataType: 'String', stringValue: '00-1-2-01' } },
      },
    ]);
  });

  test('sends a batch and receives it, whatever characters are in it', async () => {
    const hostile = '<a href="x">&amp;\r\n</a>é';
    const sent = await query({
      Action: 'SendMessageBatch',
      QueueUrl: cloud.outcomeQueueUrl,
      'SendMessageBatchRequestEntry.1.Id': 'one',
      'SendMessageBatchRequestEntry.1.MessageBody': hostile,
      'SendMessageBatchRequestEntry.10.Id': 'ten',
      'SendMessageBatchRequestEntry.10.MessageBody': 'b'.repeat(1_048_577),
      'SendMessageBatchRequestEntry.2.Id': 'two',
      'SendMessageBatchRequestEntry.2.MessageBody': 'second',
    });
    // AWS, too, refuses a batch over 1 MiB as a whole.
    expect(textOf(sent, 'Code')).toBe('AWS.SimpleQueueService.BatchRequestTooLong');

    await query({
      Action: 'SendMessageBatch',
      QueueUrl: cloud.outcomeQueueUrl,
      'SendMessageBatchRequestEntry.1.Id': 'one',
      'SendMessageBatchRequestEntry.1.MessageBody': hostile,
    });
    // By its path alone, as some clients name the queue.
    const received = await query(
      { Action: 'ReceiveMessage', MaxNumberOfMessages: '10', WaitTimeSeconds: '1', 'AttributeName.1': 'All' },
      cloud.outcomeQueueUrl,
    );
    expect(textOf(received, 'Body')).toBe('&lt;a href=&quot;x&quot;&gt;&amp;amp;&#xD;\n&lt;/a&gt;é');
    expect(received.xml).toContain(
      '<Attribute><Name>ApproximateReceiveCount</Name><Value>1</Value></Attribute>',
    );

    const deleted = await query({
      Action: 'DeleteMessageBatch',
      QueueUrl: cloud.outcomeQueueUrl,
      'DeleteMessageBatchRequestEntry.1.Id': 'one',
      'DeleteMessageBatchRequestEntry.1.ReceiptHandle': textOf(received, 'ReceiptHandle') ?? '',
    });
    expect(deleted.xml).toContain(
      '<DeleteMessageBatchResultEntry><Id>one</Id></DeleteMessageBatchResultEntry>',
    );
  });

  test("says of a queue that is not there so by the protocol's own code", async () => {
    const answer = await query({ Action: 'GetQueueUrl', QueueName: 'nowhere' });
    expect(answer.status).toBe(400);
    expect(textOf(answer, 'Code')).toBe('AWS.SimpleQueueService.NonExistentQueue');
    expect(textOf(answer, 'Type')).toBe('Sender');
  });

  test("reads and lists what is there, and leaves other services' requests alone", async () => {
    expect((await query({ Action: 'ListQueues' })).xml.match(/<QueueUrl>/g)).toHaveLength(3);
    const attributes = await query({
      Action: 'GetQueueAttributes',
      QueueUrl: cloud.queueUrl,
      'AttributeName.1': 'VisibilityTimeout',
    });
    expect(attributes.xml).toContain(
      '<Attribute><Name>VisibilityTimeout</Name><Value>30</Value></Attribute>',
    );
    const identity = await query({ Action: 'GetCallerIdentity', Version: '2011-06-15' });
    expect(identity.xml).toContain('GetCallerIdentityResult');
  });
});
