/** What a queue takes an answer for: only what SQS names as done is done. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { expect, onTestFinished, test } from 'vitest';
import { createSqsClient } from '../../src/queue/client.ts';
import { Queue } from '../../src/queue/queue.ts';
import type { BatchFailure, QueueNotice } from '../../src/queue/types.ts';
import { blamelessCodes } from '../../testing/sqs/faults.ts';

interface Batch {
  readonly Entries: readonly { readonly ReceiptHandle: string }[];
}

/** A queue behind a server that answers every request so; with 400 where it is an error. */
async function queueAnswering(answer: object | ((input: Batch) => object)): Promise<Queue> {
  const server = createServer(async (request, response) => {
    const input = JSON.parse(await text(request)) as Batch;
    const output = typeof answer === 'function' ? answer(input) : answer;
    response.statusCode = '__type' in output ? 400 : 200;
    response.setHeader('content-type', 'application/x-amz-json-1.0').end(JSON.stringify(output));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const credentials = { accessKeyId: 'a', secretAccessKey: 'b' };
  const client = createSqsClient(1, { region: 'eu-west-1', credentials, endpoint });
  onTestFinished(() => {
    client.destroy();
    server.closeAllConnections();
    server.close();
  });
  return new Queue(client, `${endpoint}/000000000000/updates`);
}

test('a receive brings every message but those that nothing can be done about, which it names', async () => {
  const message = { ReceiptHandle: 'h', Body: 'x', Attributes: { SentTimestamp: '1' } };
  const queue = await queueAnswering({
    Messages: [
      { ...message, MessageId: 'null', MessageAttributes: { x: null } },
      { ...message, MessageId: 'base64', MessageAttributes: { x: { DataType: 'Binary', BinaryValue: '*' } } },
      { ...message, MessageId: 'time', Attributes: { SentTimestamp: 'x' } },
      null,
      { ...message, MessageId: 'md5', MD5OfBody: '0' },
      { ...message, MessageId: 'healthy' },
    ],
  });
  const notices: QueueNotice[] = [];
  queue.onNotice((notice) => notices.push(notice));
  const messages = await queue.receive({ max: 10, waitSeconds: 0 });
  expect(messages.map(({ messageId, fault }) => [messageId, fault !== undefined])).toEqual([
    ['null', true],
    ['base64', true],
    ['time', true],
    ['healthy', false],
  ]);
  expect(notices).toMatchObject([{ reason: 'it has no id' }, { messageId: 'md5', alone: false }]);
});

const requests: [string, (queue: Queue) => Promise<BatchFailure[]>][] = [
  ['delete', (queue) => queue.delete(['one', 'two'])],
  [
    'change of visibility',
    (queue) =>
      queue.changeVisibility([
        { receiptHandle: 'one', seconds: 0 },
        { receiptHandle: 'two', seconds: 0 },
      ]),
  ],
  [
    'send',
    (queue) =>
      queue.send([
        { key: 'one', body: 'x' },
        { key: 'two', body: 'y' },
      ]),
  ],
];

test.each(requests)('a %s that the answer does not name is not confirmed', async (_what, send) => {
  const unconfirmed = (key: string) => ({ key, senderFault: false, code: 'Unconfirmed' });
  expect(await send(await queueAnswering({}))).toMatchObject([unconfirmed('one'), unconfirmed('two')]);
});

test.each(requests)(
  'a %s that the answer names as done and as failed is not confirmed',
  async (_what, send) => {
    const Successful = [{ Id: '0' }, { Id: '1' }];
    const Failed = [{ Id: '1', SenderFault: true, Code: 'InvalidParameterValue' }];
    const two = { key: 'two', senderFault: false, code: 'Unconfirmed' };
    expect(await send(await queueAnswering({ Successful, Failed }))).toMatchObject([two]);
  },
);

/** Seen with `SenderFault: true` for faults that are AWS's, the key's or the policy's; and codes nobody knows. */
const blameless = [...blamelessCodes, 'ThrottlingException', 'OverLimit', 'UnsupportedOperation', ''];
const atFault = [
  'ReceiptHandleIsInvalid',
  'InvalidMessageContents',
  'InvalidParameterValue',
  'InvalidParameterValueException',
  'MissingParameter',
  'AWS.SimpleQueueService.BatchRequestTooLong',
];

test.each(requests)(
  'an entry of a %s is at fault only for a code that concerns the parcel',
  async (_, send) => {
    for (const [codes, senderFault] of [
      [blameless, false],
      [atFault, true],
    ] as const) {
      for (const code of codes) {
        const Failed = ['0', '1'].map((Id) => ({ Id, SenderFault: Id === '0', Code: code, Message: 'no' }));
        const found = await send(await queueAnswering({ Failed }));
        expect([code, found.map((failure) => failure.senderFault)]).toEqual([code, [senderFault, false]]);
      }
    }
  },
);

test.each(requests.slice(0, 2))(
  'a %s that is refused as a whole for one of its entries is made for each alone',
  async (_, send) => {
    const queue = await queueAnswering(({ Entries }) => {
      const handles = Entries.map(({ ReceiptHandle }) => ReceiptHandle);
      if (!handles.includes('one')) return { Successful: [{ Id: '0' }] };
      return { __type: 'com.amazonaws.sqs#ReceiptHandleIsInvalid', message: 'not ours' };
    });
    expect(await send(queue)).toEqual([
      { key: 'one', senderFault: true, code: 'ReceiptHandleIsInvalid', message: 'not ours' },
    ]);
  },
);

test.each(requests.slice(0, 2))('a %s is confirmed entry by entry', async (_what, send) => {
  const answer = {
    Successful: [{ Id: '1' }],
    Failed: [{ Id: '0', SenderFault: true, Code: 'ReceiptHandleIsInvalid', Message: 'not ours' }],
  };
  expect(await send(await queueAnswering(answer))).toEqual([
    { key: 'one', senderFault: true, code: 'ReceiptHandleIsInvalid', message: 'not ours' },
  ]);
});
