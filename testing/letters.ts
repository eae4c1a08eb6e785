/** Dead letters, queues that hold them and surroundings of a pass, for tests of dead-letters/. */

import type { SourceQueue } from '../src/dead-letters/changes/move.ts';
import { type Letter, readLetter } from '../src/dead-letters/letters/letter.ts';
import type { LetterQueue, PassSurroundings } from '../src/dead-letters/pass/pass.ts';
import type { DeadLetterRecord } from '../src/message/dead-letter-record.ts';
import type { Message } from '../src/message/message.ts';
import type {
  BatchFailure,
  OutgoingMessage,
  QueueAttributes,
  SendAnswer,
  VisibilityChange,
} from '../src/queue/types.ts';

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

/**
 * Sends letters of one cause, as a worker does.
 * @param source URL of the update queue that they came from. @param prefix of their Identifiers.
 */
export async function addLetters(
  dead: { readonly send: (messages: readonly OutgoingMessage[]) => Promise<unknown> },
  source: string,
  count: number,
  prefix: string,
  error: Partial<DeadLetterRecord['error']> = {},
): Promise<void> {
  const letter = { ...record, sourceQueueUrl: source, error: { ...record.error, ...error } };
  const DeadLetter = { dataType: 'String', stringValue: JSON.stringify(letter) };
  for (let i = 0; i < count; i += 10)
    await dead.send(
      Array.from({ length: Math.min(10, count - i) }, (_, j) => ({
        key: String(i + j),
        body: JSON.stringify({ Identifier: `${prefix}${i + j}`, Description: 'x' }),
        attributes: { DeadLetter },
      })),
    );
}

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
    ...overrides,
  };
}

export function letterWith(
  changes: Partial<DeadLetterRecord> | string | null = {},
  overrides: Partial<Message> = {},
): Letter {
  return readLetter(messageWith(changes, overrides), now);
}

/** A queue in memory that a test can make behave like SQS: sampling, delivering twice, failing. */
export class FakeQueue implements LetterQueue, SourceQueue {
  readonly url = queueUrl;
  visible: Message[] = [];
  readonly hidden = new Map<string, Message>();
  readonly sent: OutgoingMessage[] = [];
  readonly changes: VisibilityChange[] = [];
  /** The results of the next receives; later ones return what is there. */
  receives: ('empty' | Error)[] = [];
  /** Added to the true counts. */
  counted: Partial<QueueAttributes> = {};

  constructor(messages: readonly Message[] = []) {
    this.visible = [...messages];
  }

  async receive({ max }: { max: number }): Promise<Message[]> {
    const how = this.receives.shift();
    if (how instanceof Error) throw how;
    const some = how === 'empty' ? [] : this.visible.splice(0, max);
    for (const message of some) this.hidden.set(message.receiptHandle, message);
    return some;
  }

  async changeVisibility(changes: readonly VisibilityChange[]): Promise<BatchFailure[]> {
    this.changes.push(...changes);
    for (const { receiptHandle, seconds } of changes) {
      const message = this.hidden.get(receiptHandle);
      if (seconds > 0 || message === undefined) continue;
      this.hidden.delete(receiptHandle);
      this.visible.push(message);
    }
    return [];
  }

  async delete(handles: readonly string[]): Promise<BatchFailure[]> {
    for (const handle of handles) this.hidden.delete(handle);
    return [];
  }

  async sendForIds(messages: readonly OutgoingMessage[]): Promise<SendAnswer> {
    this.sent.push(...messages);
    return { failed: [], messageIds: new Map(messages.map(({ key }) => [key, `sent-${key}`])) };
  }

  async attributes(): Promise<QueueAttributes> {
    return {
      arn: undefined,
      fifo: false,
      retentionSeconds: undefined,
      visibilitySeconds: undefined,
      maximumMessageBytes: undefined,
      redrivePolicy: undefined,
      visible: this.visible.length,
      notVisible: this.hidden.size,
      delayed: 0,
      contentBasedDeduplication: false,
      createdAt: undefined,
      kmsKeyId: undefined,
      ...this.counted,
    };
  }
}

/** `count` messages of the dead-letter queue, each with its own ids. */
export function messages(count: number): Message[] {
  return Array.from({ length: count }, (_, i) =>
    messageWith({}, { messageId: `message-${i}`, receiptHandle: `handle-${i}` }),
  );
}

/** Time that passes only in sleeps, each of which ends at once. */
export function fakeSurroundings(): PassSurroundings & {
  readonly abort: () => void;
  readonly time: () => number;
} {
  let time = 0;
  const controller = new AbortController();
  return {
    clock: { wall: () => now + time, monotonic: () => time },
    random: () => 0,
    sleep: async (ms, signal) => {
      if (signal.aborted) return;
      time += ms;
      // Lets other tasks run.
      await new Promise((resolve) => setImmediate(resolve));
    },
    signal: controller.signal,
    abort: () => controller.abort(),
    time: () => time,
  };
}
