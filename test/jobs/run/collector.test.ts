import { expect, test } from 'vitest';
import type { OutcomeMessage } from '../../../src/jobs/ledger/ledger.ts';
import { Collector, parseOutcome } from '../../../src/jobs/run/collector.ts';
import type { Message } from '../../../src/message/message.ts';
import { sleep } from '../../../src/time/clock.ts';

const message = (id: string): Message => ({
  messageId: id,
  receiptHandle: id,
  body: '{}',
  attributes: {},
  sentAt: 0,
  receiveCount: 1,
});
const batch = (name: string): Message[] => Array.from({ length: 10 }, (_, i) => message(`${name}${i}`));

/** A queue whose receives are answered by the test. */
function scriptedQueue() {
  const waiting: ((messages: Message[]) => void)[] = [];
  const watchers = new Set<() => void>();
  const deleted: string[] = [];
  return {
    deleted,
    url: 'http://queue.invalid/outcomes',
    receive: () =>
      new Promise<Message[]>((resolve) => {
        waiting.push(resolve);
        for (const watcher of watchers) watcher();
      }),
    delete: async (handles: readonly string[]) => {
      deleted.push(...handles);
      return [];
    },
    answer: (messages: Message[]) => waiting.shift()?.(messages),
    /** Resolves when so many receives wait. */
    waits: (count: number) =>
      new Promise<void>((resolve) => {
        const watcher = (): void => {
          if (waiting.length >= count) resolve();
        };
        watchers.add(watcher);
        watcher();
      }),
  };
}

test('polling goes on when all polls find the queue empty in the same turn', async () => {
  const queue = scriptedQueue();
  const stored: OutcomeMessage[] = [];
  const collector = new Collector({
    queue,
    store: async (messages) => {
      stored.push(...messages);
      return { rows: 0, nothingNew: 0, foreign: 0, unmatched: 0, unreadable: 0 };
    },
    sleep,
    random: () => 0,
    onStored: () => {},
    onTrouble: () => {},
  });
  collector.start();
  await queue.waits(1);
  queue.answer(batch('a'));
  await queue.waits(2);
  queue.answer([]);
  queue.answer([]);
  await queue.waits(1);
  queue.answer([message('last')]);
  await queue.waits(1);
  expect(stored).toHaveLength(11);
  expect(queue.deleted).toContain('last');
  const stopped = collector.stop();
  queue.answer([message('late')]);
  await stopped;
  expect(queue.deleted).toContain('late');
});

test('an outcome is what its schema accepts, and the rest comes with what is wrong', () => {
  expect(parseOutcome({ messageId: 'm', body: 'x' })).toMatchObject({ fault: 'not JSON' });
  expect(parseOutcome({ messageId: 'm', body: '{}' })).toMatchObject({
    fault: expect.stringContaining('MessageId'),
  });
});
