import { describe, expect, test } from 'vitest';
import type { Message } from '../../../src/message/message.ts';
import { type EndingDisposition, type Outcome, outcomeSchema } from '../../../src/message/outcome.ts';
import { outcomeEventSchema } from '../../../src/message/outcome-event.ts';
import { parseBody } from '../../../src/message/parse.ts';
import type { BatchFailure, OutgoingMessage } from '../../../src/queue/types.ts';
import { Delivery } from '../../../src/worker/delivery.ts';
import { OutcomeOutbox } from '../../../src/worker/settle/outcome-outbox.ts';

const rejected: EndingDisposition = {
  action: 'dead-letter',
  reason: 'Rejected',
  error: { name: 'ValidationException', status: 400, message: 'no \uffff\u0085 such' },
};

/** Sends the outcome of one message; resolves when it is confirmed. */
async function publish(
  overrides: Partial<Message>,
  disposition: EndingDisposition,
  {
    fifo = false,
    eventSource,
    send,
  }: { fifo?: boolean; eventSource?: string; send?: (attempt: number) => BatchFailure[] } = {},
): Promise<{ sent: OutgoingMessage[]; outcome: Outcome | undefined }> {
  const message: Message = {
    messageId: 'id-1',
    receiptHandle: 'handle-1',
    body: '{"Identifier":"a1","Description":"new"}',
    attributes: {},
    sentAt: 0,
    receiveCount: 2,
    ...overrides,
  };
  const sent: OutgoingMessage[] = [];
  const outbox = new OutcomeOutbox({
    send: async (messages) => {
      sent.push(...messages);
      return send?.(sent.length) ?? [];
    },
    now: () => Date.parse('2026-11-23T07:00:00Z'),
    fifo: () => fifo,
    eventSource,
    random: () => 0,
    monotonic: performance.now.bind(performance),
    ended: new AbortController().signal,
    onRefused: () => {},
    onReachable: () => {},
  });
  const posted = outbox.post(new Delivery(message, parseBody(message.body, 0)), disposition);
  outbox.flush();
  return { sent, outcome: (await posted)?.outcome };
}

describe('an outcome on its queue', () => {
  test('is one JSON object, and told as it was sent', async () => {
    const { sent, outcome } = await publish(
      { traceHeader: 'Root=1' },
      { action: 'acknowledge', outcome: 'applied' },
    );
    expect(sent).toEqual([{ key: 'handle-1', body: expect.any(String), traceHeader: 'Root=1' }]);
    expect(outcomeSchema.parse(JSON.parse(sent[0]?.body ?? ''))).toEqual(outcome);
  });

  test('is a CloudEvent of the source queue where that is set', async () => {
    const eventSource = 'https://sqs.eu-west-1.amazonaws.com/1/updates';
    const { sent, outcome } = await publish({}, rejected, { eventSource });
    const event: unknown = JSON.parse(sent[0]?.body ?? '');
    expect(outcomeEventSchema.parse(event)).toEqual(event);
    expect(event).toEqual({
      specversion: '1.0',
      id: 'id-1:dead-lettered',
      source: eventSource,
      type: 'ota-updater.update.dead-lettered',
      subject: 'a1',
      time: '2026-11-23T07:00:00.000Z',
      datacontenttype: 'application/json',
      dataschema: 'https://ota-updater.invalid/schema/outcome.schema.json',
      data: expect.objectContaining({ MessageId: 'id-1', Outcome: 'dead-lettered' }),
    });
    expect(outcome).toMatchObject({ Outcome: 'dead-lettered' });
    const unread = await publish({ body: 'not JSON' }, rejected, { eventSource });
    expect(JSON.parse(unread.sent[0]?.body ?? '')).not.toHaveProperty('subject');
  });

  test('says whose update it was: by message ids, and by values where it was a valid one', async () => {
    const DeadLetter = { dataType: 'String', stringValue: '{"sourceMessageId":"id-0"}' };
    const applied = { action: 'acknowledge', outcome: 'applied' } as const;
    const { outcome } = await publish({ attributes: { DeadLetter } }, applied);
    expect(outcome).toMatchObject({ MessageId: 'id-1', OriginalMessageId: 'id-0', Description: 'new' });
    const invalid = await publish({ body: '{"Identifier":"a1","Description":"!"}' }, rejected);
    expect(invalid.outcome).not.toHaveProperty('Description');
    expect(invalid.outcome).not.toHaveProperty('OriginalMessageId');
  });

  test('holds no character that SQS refuses', async () => {
    const { sent, outcome } = await publish({}, rejected);
    expect(sent[0]?.body).not.toMatch(/[\uffff\u0085]/);
    expect(JSON.parse(sent[0]?.body ?? '')).toEqual(outcome);
  });

  test('goes once more without the error’s text when SQS finds fault with it', async () => {
    const fault = { key: 'handle-1', senderFault: true, code: 'InvalidParameterValue', message: 'too long' };
    const { sent, outcome } = await publish({}, rejected, {
      send: (attempt) => (attempt === 1 ? [fault] : []),
    });
    expect(sent).toHaveLength(2);
    expect(outcome).toMatchObject({
      Outcome: 'dead-lettered',
      Error: { name: 'ValidationException', message: '' },
    });
  });

  test.each<[string, string, string]>([
    ['of the job', '{"Identifier":"a1","Description":"new","JobId":"job-7"}', 'job-7'],
    ['of the task where there is no job', '{"Identifier":"a1","Description":"new"}', 'a1'],
    ['of the message where nothing can be read', 'not JSON', 'id-1'],
    ['within 128 characters', `{"Identifier":"${'x'.repeat(200)}","Description":"new"}`, 'x'.repeat(128)],
  ])('has on a FIFO queue the group %s, and an id by message and delivery', async (_what, body, groupId) => {
    const { sent } = await publish({ body }, { action: 'acknowledge', outcome: 'applied' }, { fifo: true });
    expect(sent).toMatchObject([{ groupId, deduplicationId: 'id-1.2' }]);
  });
});
