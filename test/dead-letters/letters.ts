/** Letters for the tests of this folder. */
import { type Letter, readLetter } from '../../src/dead-letters/letter.ts';
import type { DeadLetterRecord } from '../../src/message/dead-letter.ts';
import type { Message } from '../../src/message/message.ts';

export const now = Date.parse('2026-11-23T07:00:00Z');
export const queueUrl = 'https://sqs.eu-west-1.amazonaws.com/123456789012/updates';

export const record: DeadLetterRecord = {
  reason: 'Rejected',
  error: { name: 'ResourceNotFoundException', status: 404, message: 'OTA task task1 was not found' },
  attempts: 1,
  receiveCount: 1,
  sentAt: '2026-11-23T02:00:00.000Z',
  deadLetteredAt: '2026-11-23T03:00:00.000Z',
  sourceMessageId: 'source-1',
  sourceQueueUrl: queueUrl,
  redriveCount: 0,
};

export const update = { Identifier: 'task1', Description: 'x', IssuedAt: '2026-11-23T01:00:00Z' };

/** A message of the dead-letter queue with that record; `null` for none. */
export function messageWith(
  changes: Partial<DeadLetterRecord> | string | null = {},
  overrides: Partial<Message> = {},
): Message {
  const text = typeof changes === 'string' ? changes : JSON.stringify({ ...record, ...changes });
  return {
    messageId: '11111111-2222-4333-8444-555555555555',
    receiptHandle: 'handle',
    body: JSON.stringify(update),
    attributes: changes === null ? {} : { DeadLetter: { dataType: 'String', stringValue: text } },
    sentAt: now - 60_000,
    receiveCount: 1,
    receivedAt: now,
    ...overrides,
  };
}

export function letterWith(
  changes: Partial<DeadLetterRecord> | string | null = {},
  overrides: Partial<Message> = {},
): Letter {
  return readLetter(messageWith(changes, overrides), now);
}
