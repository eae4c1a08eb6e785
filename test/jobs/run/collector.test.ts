import { expect, test } from 'vitest';
import type { ReceivedOutcome } from '../../../src/jobs/ledger/ledger.ts';
import { Collector, type CollectorOptions, parseOutcome } from '../../../src/jobs/run/collector.ts';
import type { Message } from '../../../src/message/message.ts';
import { toOutcomeEvent } from '../../../src/message/outcome-event.ts';
import type { VisibilityChange } from '../../../src/queue/types.ts';
import { sleep } from '../../../src/time/clock.ts';
import { outcome } from '../ledger/contract.ts';

const message = (id: string, parts: Partial<Message> = {}): Message => ({
  messageId: id,
  receiptHandle: id,
  body: JSON.stringify(outcome({ MessageId: id }).outcome),
  attributes: {},
  sentAt: 0,
  receiveCount: 1,
  ...parts,
});
const nothing = { rows: 0, nothingNew: 0, foreign: 0, unmatched: 0, left: [], adopted: new Set<string>() };
const batch = (name: string): Message[] => Array.from({ length: 10 }, (_, i) => message(`${name}${i}`));

/** A queue whose receives are answered by the test. */
function scriptedQueue() {
  const waiting: ((messages: Message[]) => void)[] = [];
  const watchers = new Set<() => void>();
  const deleted: string[] = [];
  const changed: string[] = [];
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
    changed,
    changeVisibility: async (changes: readonly VisibilityChange[]) => {
      changed.push(...changes.map(({ receiptHandle, seconds }) => `${receiptHandle}: ${seconds} s`));
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
  const stored: ReceivedOutcome[] = [];
  const collector = new Collector({
    queue,
    store: async (messages) => {
      stored.push(...messages);
      return nothing;
    },
    now: () => 0,
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

/** A collector of what the queue is answered with, one receive after the other. */
async function collect(
  answers: readonly (readonly Message[])[],
  store: CollectorOptions['store'] = async () => nothing,
) {
  const left = [...answers];
  const queue = { ...scriptedQueue(), receive: async () => [...(left.shift() ?? [])] };
  const collector = new Collector({
    queue,
    store,
    now: () => 3_600_001,
    sleep,
    random: () => 0,
    onStored: () => {},
    onTrouble: () => {},
  });
  const error = await collector.collectWaiting(new AbortController().signal).then(
    () => '',
    (thrown: Error) => thrown.message,
  );
  return { queue, error };
}

test('what is no outcome is left on the queue, and after ten such messages collecting ends', async () => {
  const strays = Array.from({ length: 10 }, (_, i) => message(`stray${i}`, { body: '{"Identifier":"a"}' }));
  const few = await collect([[message('a'), ...strays.slice(0, 9)]]);
  expect(few.error).toBe('');
  expect(few.queue.deleted).toEqual(['a']);

  const { queue, error } = await collect([strays.slice(0, 5), strays.slice(0, 5), [message('b'), ...strays]]);
  expect(error).toMatch(
    /^The queue of OUTCOME_QUEUE_URL holds messages that are not outcomes: 10 so far, the last is stray9 \(MessageId: .*\)\. They were left there\. Set OUTCOME_QUEUE_URL to/,
  );
  expect(queue.deleted).toEqual(['b']);
});

test('outcomes of a job that the ledger does not know come back soon, then later each time, until they are abandoned', async () => {
  const seen: (boolean | undefined)[] = [];
  const tries = [1, 3, 4, 8, 9].map((receiveCount) => message(`m${receiveCount}`, { receiveCount }));
  const fresh = [14, 20].map((receiveCount) => message(`f${receiveCount}`, { receiveCount, sentAt: 1_000 }));
  const { queue, error } = await collect([[...tries, ...fresh]], async (outcomes) => {
    seen.push(...outcomes.map(({ abandoned }) => abandoned));
    return { ...nothing, left: outcomes.filter(({ abandoned }) => abandoned !== true) };
  });
  expect(error).toBe('');
  expect(seen).toEqual([false, false, false, false, true, false, false]);
  expect(queue.deleted).toEqual(['m9']);
  expect(queue.changed).toEqual(['m1: 2 s', 'm3: 8 s', 'm4: 10 s', 'm8: 10 s', 'f14: 40 s', 'f20: 240 s']);
});

test('an outcome is what its schema accepts, and the rest comes with what is wrong', () => {
  expect(parseOutcome('x')).toMatchObject({ fault: 'the body is not JSON' });
  expect(parseOutcome('{}')).toMatchObject({
    fault: expect.stringContaining('MessageId'),
  });
});

test('an outcome may come as a CloudEvent, and in a notification of SNS', () => {
  const told = outcome({ MessageId: 'm1' }).outcome;
  const event = JSON.stringify(toOutcomeEvent(told, 'https://sqs.eu-west-1.amazonaws.com/1/updates'));
  const notification = JSON.stringify({ Type: 'Notification', Message: JSON.stringify(told) });
  for (const body of [event, notification]) expect(parseOutcome(body)).toEqual({ outcome: told });
});
