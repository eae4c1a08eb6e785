/** The second SQS server behind its shim: what it has answered, it has done. */
import { SendMessageBatchCommand, SendMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import { expect, onTestFinished, test } from 'vitest';
import { startSecondSqs } from '../../testing/sqs/second-sqs.ts';
import type { SqsServer } from '../../testing/sqs/sqs-server.ts';

/** The server does late what takes it one millisecond, so one try may not show it. */
const TRIES = 100;

async function start() {
  const region = 'eu-west-1';
  const server: SqsServer = await startSecondSqs(region);
  onTestFinished(() => server.stop());
  const { port } = server;
  const credentials = { accessKeyId: 'a', secretAccessKey: 'a' };
  const sqs = new SQSClient({ region, credentials, endpoint: `http://127.0.0.1:${port}`, maxAttempts: 1 });
  onTestFinished(() => sqs.destroy());
  const { queueUrl: QueueUrl } = server.createQueue('updates');
  await server.made?.();
  return { server, sqs, QueueUrl, ready: () => server.inspectQueue('updates')?.messages.ready.length };
}

test('a message is in its queue when the send is answered', async () => {
  const { sqs, QueueUrl, ready } = await start();
  for (let sent = 1; sent <= TRIES; sent++) {
    await sqs.send(new SendMessageCommand({ QueueUrl, MessageBody: 'a' }));
    expect(ready()).toBe(sent);
  }
});

test('messages are in their queue when the batch is answered', async () => {
  const { sqs, QueueUrl, ready } = await start();
  for (let sent = 1; sent <= TRIES; sent++) {
    const Entries = [{ Id: '0', MessageBody: 'a' }];
    await sqs.send(new SendMessageBatchCommand({ QueueUrl, Entries }));
    expect(ready()).toBe(sent);
  }
});

test('a message that a test has put there is in its queue', async () => {
  const { server, ready } = await start();
  for (let sent = 1; sent <= TRIES; sent++) {
    server.sendMessage('updates', 'a');
    await server.made?.();
    expect(ready()).toBe(sent);
  }
});
