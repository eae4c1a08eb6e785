/** Dead letters through a proxy, where the SQS server of the tests is laxer or stricter than AWS. */
import { createHash } from 'node:crypto';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type SqsAnswer, type SqsProxy, startSqsProxy } from '../../testing/sqs/proxy.ts';
import { recordOf, type Stage, setStage } from '../../testing/stages/stage.ts';

let proxy: SqsProxy;
let stage: Stage;

beforeEach(async () => {
  proxy = await startSqsProxy();
  stage = await setStage({ sqs: { endpoint: proxy.url } });
  proxy.upstream = stage.sqsUrl;
});
afterEach(async () => {
  await stage.strike();
  await proxy.close();
});

interface Entry {
  readonly Id: string;
  readonly MessageBody: string;
  readonly MessageAttributes?: Record<string, { DataType: string; StringValue?: string }>;
  readonly MessageSystemAttributes?: Record<string, { DataType: string; StringValue?: string }>;
  readonly MessageGroupId?: string;
}

const entriesOf = (input: Readonly<Record<string, unknown>>): Entry[] => (input.Entries ?? []) as Entry[];
const md5 = (text: string): string => createHash('md5').update(text).digest('hex');

/** The answer to a receive, with `change` applied to each message. */
function withMessages(
  answer: SqsAnswer,
  change: (message: Record<string, unknown>) => Record<string, unknown>,
): SqsAnswer {
  const messages = (answer.output.Messages ?? []) as Record<string, unknown>[];
  return { ...answer, output: { ...answer.output, Messages: messages.map(change) } };
}

test.each<[string, string]>([
  ['astral characters', 'x\u{10000}\u{1f600}\u{1fffe}\u{10ffff}'],
  ['nothing but astral characters, close to 1 MiB', '😀'.repeat(260_000)],
])('the body arrives byte for byte: %s', async (_what, body) => {
  const letters: Entry[] = [];
  proxy.rule = async (request, forward) => {
    if (request.action === 'ReceiveMessage' && request.queue === 'updates')
      return withMessages(await forward(), (message) => ({ ...message, Body: body, MD5OfBody: md5(body) }));
    if (request.action !== 'SendMessageBatch') return forward();
    letters.push(...entriesOf(request.input));
    const Successful = entriesOf(request.input).map(({ Id, MessageBody }) => ({
      Id,
      MessageId: `letter-${Id}`,
      MD5OfMessageBody: md5(MessageBody),
    }));
    return { status: 200, output: { Successful, Failed: [] } };
  };
  await stage.send('a stand-in');
  await stage.worker.start();
  await stage.ended(1);
  expect(letters).toHaveLength(1);
  expect(letters[0]?.MessageBody === body).toBe(true);
  expect(JSON.parse(letters[0]?.MessageAttributes?.DeadLetter?.StringValue ?? 'null')).toMatchObject({
    reason: 'Invalid',
  });
});

test('the trace header and the message group travel with the letter', async () => {
  const letters: Entry[] = [];
  proxy.rule = async (request, forward) => {
    if (request.action === 'ReceiveMessage' && request.queue === 'updates')
      return withMessages(await forward(), (message) => ({
        ...message,
        Attributes: {
          ...(message.Attributes as object),
          AWSTraceHeader: 'Root=1-5759e988-bd862e3fe1be46a994272793;Sampled=1',
          MessageGroupId: 'job-1',
        },
      }));
    if (request.action === 'SendMessageBatch') letters.push(...entriesOf(request.input));
    return forward();
  };
  await stage.send('not JSON');
  await stage.worker.start();
  await stage.ended(1);
  expect(letters).toMatchObject([
    {
      MessageBody: 'not JSON',
      MessageGroupId: 'job-1',
      MessageSystemAttributes: {
        AWSTraceHeader: {
          DataType: 'String',
          StringValue: 'Root=1-5759e988-bd862e3fe1be46a994272793;Sampled=1',
        },
      },
    },
  ]);
});

test('a letter is sent and confirmed before its message is deleted', async () => {
  const order: string[] = [];
  proxy.rule = async (request, forward) => {
    if (request.action === 'SendMessageBatch' && request.queue === 'dead') {
      order.push('sending');
      const answer = await forward();
      order.push('confirmed');
      return answer;
    }
    if (request.action === 'DeleteMessageBatch') order.push('deleting');
    return forward();
  };
  await stage.send('not JSON');
  await stage.worker.start();
  await stage.ended(1);
  expect(order).toEqual(['sending', 'confirmed', 'deleting']);
});

test('a lost confirmation causes a duplicate, never a loss', async () => {
  let lost = 0;
  proxy.rule = async (request, forward) => {
    const answer = await forward();
    return request.action === 'SendMessageBatch' && lost++ === 0 ? 'reset' : answer;
  };
  await stage.send('not JSON');
  await stage.worker.start();
  await stage.ended(1);
  const letters = await stage.deadLetters();
  expect(letters.map(({ body }) => body)).toEqual(['not JSON', 'not JSON']);
  expect(new Set(letters.map((letter) => recordOf(letter).sourceMessageId)).size).toBe(1);
  expect(stage.left()).toEqual({ ready: 0, inFlight: 0 });
});

test('only the refused letters of a request are sent again', async () => {
  let batches = 0;
  proxy.rule = async (request, forward) => {
    if (request.action !== 'SendMessageBatch' || request.queue !== 'dead') return forward();
    batches++;
    if (batches > 1) return forward();
    const [first, ...others] = entriesOf(request.input);
    const answer = await forward({ ...request.input, Entries: others });
    const failed = { Id: first?.Id, SenderFault: false, Code: 'InternalError', Message: 'try again' };
    return { ...answer, output: { ...answer.output, Failed: [failed] } };
  };
  const bodies = ['bad 0', 'bad 1', 'bad 2', 'bad 3'];
  await stage.send(...bodies);
  await stage.worker.start();
  await stage.ended(4);
  const letters = await stage.deadLetters();
  expect(letters.map(({ body }) => body).sort()).toEqual(bodies);
  expect(stage.left()).toEqual({ ready: 0, inFlight: 0 });
});

test('a letter whose record SQS refuses is sent without it', async () => {
  proxy.rule = async (request, forward) => {
    const faulty = entriesOf(request.input).filter(
      (entry) => entry.MessageAttributes?.DeadLetter !== undefined,
    );
    if (request.action !== 'SendMessageBatch' || request.queue !== 'dead' || faulty.length === 0)
      return forward();
    const Failed = faulty.map(({ Id }) => ({
      Id,
      SenderFault: true,
      Code: 'InvalidParameterValue',
      Message: 'Message (user) attribute contains an invalid character',
    }));
    return { status: 200, output: { Successful: [], Failed } };
  };
  await stage.send('not JSON');
  await stage.worker.start();
  await stage.ended(1);
  expect((await stage.deadLetters()).map(({ body, attributes }) => ({ body, attributes }))).toEqual([
    { body: 'not JSON', attributes: {} },
  ]);
  expect(stage.settled()).toMatchObject([{ deadLetter: { fit: 'left-off', record: { reason: 'Invalid' } } }]);
  expect(stage.left()).toEqual({ ready: 0, inFlight: 0 });
});
