import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { DeadLetterRecord } from '../../src/message/dead-letter.ts';
import type { Disposition } from '../../src/message/disposition.ts';
import { parseBody } from '../../src/message/parse.ts';
import type { BatchFailure, OutgoingMessage, VisibilityChange } from '../../src/queue/types.ts';
import { DeadLetterOutbox } from '../../src/worker/dead-letter-outbox.ts';
import { Delivery } from '../../src/worker/delivery.ts';
import { OutcomeOutbox } from '../../src/worker/outcome-outbox.ts';
import { Settler } from '../../src/worker/settler.ts';

const acknowledge: Disposition = { action: 'acknowledge', outcome: 'applied' };
const release: Disposition = { action: 'release' };
const deadLetter: Disposition = {
  action: 'dead-letter',
  reason: 'Rejected',
  error: { name: 'ValidationException', message: 'no' },
};
const record: DeadLetterRecord = {
  reason: 'Rejected',
  error: { name: 'ValidationException', message: 'no' },
  attempts: 1,
  receiveCount: 1,
  sentAt: '2026-11-23T07:00:00.000Z',
  deadLetteredAt: '2026-11-23T07:00:00.000Z',
  sourceMessageId: 'm',
  sourceQueueUrl: 'https://sqs.eu-west-1.amazonaws.com/1/updates',
  redriveCount: 0,
};

function delivery(receiptHandle: string): Delivery {
  const body = '{"Identifier":"a1","Description":"new"}';
  return new Delivery(
    {
      messageId: receiptHandle,
      receiptHandle,
      body,
      attributes: {},
      sentAt: 0,
      receiveCount: 1,
      receivedAt: 0,
    },
    parseBody(body, 0),
  );
}

const failure = (key: string, senderFault = false): BatchFailure => ({
  key,
  senderFault,
  code: senderFault ? 'ReceiptHandleIsInvalid' : 'InternalError',
  message: 'no',
});

interface Setting {
  readonly deleteMessages?: (handles: readonly string[]) => Promise<BatchFailure[]>;
  readonly changeVisibility?: (changes: readonly VisibilityChange[]) => Promise<BatchFailure[]>;
  readonly send?: (messages: readonly OutgoingMessage[]) => Promise<BatchFailure[]>;
  /** Outcomes are wanted; what becomes of a request of them. */
  readonly publish?: (messages: readonly OutgoingMessage[]) => Promise<BatchFailure[]>;
  /** Messages in hand; more than are ever settled here when omitted. */
  readonly held?: number;
  readonly ended?: AbortSignal;
  /** What is under way for a delivery that is given back. */
  readonly endLease?: (delivery: Delivery) => Promise<void> | undefined;
}

function setUp(setting: Setting = {}) {
  const deletes: string[][] = [];
  const changes: [string, number][][] = [];
  const sends: string[][] = [];
  const settled: string[] = [];
  const lost: string[] = [];
  const errors: [string, number, unknown][] = [];
  const outbox = new DeadLetterOutbox({
    ended: new AbortController().signal,
    send: async (messages) => {
      sends.push(messages.map(({ key }) => key));
      return (await setting.send?.(messages)) ?? [];
    },
    record: () => record,
    target: () => ({ maximumMessageBytes: 1_048_576, fifo: false }),
    random: () => 0.5,
    onSent: () => {},
    onRefused: () => {},
    onReachable: () => {},
  });
  const published: string[][] = [];
  const { publish } = setting;
  const outcomes =
    publish === undefined
      ? undefined
      : new OutcomeOutbox({
          ended: new AbortController().signal,
          send: async (messages) => {
            published.push(messages.map(({ key }) => key));
            return publish(messages);
          },
          now: () => 0,
          fifo: () => false,
          random: () => 0.5,
          onSent: () => {},
          onRefused: () => {},
          onReachable: () => {},
        });
  const settler: Settler = new Settler({
    ended: setting.ended ?? new AbortController().signal,
    deleteMessages: async (handles) => {
      deletes.push([...handles]);
      return (await setting.deleteMessages?.(handles)) ?? [];
    },
    changeVisibility: async (batch) => {
      changes.push(batch.map(({ receiptHandle, seconds }) => [receiptHandle, seconds]));
      return (await setting.changeVisibility?.(batch)) ?? [];
    },
    outbox,
    outcomes,
    random: () => 0.5,
    held: () => setting.held ?? 1_000,
    ...(setting.endLease !== undefined && { endLease: setting.endLease }),
    onSettled: ({ message }, { action }, settlement) =>
      settled.push(`${message.receiptHandle} ${action} ${settlement}`),
    onLost: (each, reason) => {
      lost.push(`${each.message.receiptHandle}: ${reason}`);
      settler.forget(each);
    },
    onError: (...error) => errors.push(error),
  });
  const settle = (disposition: Disposition, ...names: string[]): Delivery[] =>
    names.map((name) => {
      const each = delivery(name);
      settler.settle(each, disposition);
      return each;
    });
  return { settler, settle, deletes, changes, sends, published, settled, lost, errors };
}

const pass = (ms: number) => vi.advanceTimersByTimeAsync(ms);
const flush = () => pass(0);
const numbered = (count: number) => Array.from({ length: count }, (_, i) => `m${i}`);

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

describe('settlements', () => {
  test('delete what is acknowledged, ten to a request, the rest after a second', async () => {
    const { settler, settle, deletes, settled } = setUp();
    settle(acknowledge, ...numbered(23));
    await flush();
    expect(deletes.map((batch) => batch.length)).toEqual([10, 10]);
    expect(settler.open).toBe(3);
    await pass(999);
    expect(deletes).toHaveLength(2);
    await pass(1);
    expect(deletes.flat()).toEqual(numbered(23));
    expect(settled).toHaveLength(23);
    expect(settler.open).toBe(0);
  });

  test('delete at once what is gathered when told that no more will come', async () => {
    const { settler, settle, deletes, settled } = setUp();
    settle(acknowledge, 'a', 'b');
    settler.flush();
    await flush();
    expect(deletes).toEqual([['a', 'b']]);
    expect(settled).toEqual(['a acknowledge confirmed', 'b acknowledge confirmed']);
  });

  test('delete at once when all that is in hand is being settled', async () => {
    const { settler, settle, deletes } = setUp({ held: 2 });
    settle(acknowledge, 'a');
    settler.flushIfLast();
    await flush();
    expect(deletes).toEqual([]);
    settle(acknowledge, 'b');
    settler.flushIfLast();
    await flush();
    expect(deletes).toEqual([['a', 'b']]);
  });

  test('delete at once behind a confirmed letter when nothing else is in hand', async () => {
    const { settle, deletes } = setUp({ held: 1 });
    settle(deadLetter, 'a');
    await flush();
    expect(deletes).toEqual([['a']]);
  });

  test('make visible what is deferred and what is released, each in its time', async () => {
    const { settle, changes, settled, deletes } = setUp();
    settle({ action: 'defer', seconds: 40 }, 'a');
    settle(release, 'b');
    await pass(50);
    expect(changes).toEqual([
      [
        ['a', 40],
        ['b', 0],
      ],
    ]);
    expect(settled).toEqual(['a defer confirmed', 'b release confirmed']);
    expect(deletes).toEqual([]);
  });

  test('delete what is dead-lettered only after the letter is confirmed', async () => {
    const answer = Promise.withResolvers<BatchFailure[]>();
    const { settler, settle, sends, deletes, settled } = setUp({ send: () => answer.promise });
    settle(deadLetter, 'a');
    await pass(60_000);
    settler.flush();
    expect(sends).toEqual([['a']]);
    expect([deletes, settled]).toEqual([[], []]);

    answer.resolve([]);
    await pass(1_000);
    expect(deletes).toEqual([['a']]);
    expect(settled).toEqual(['a dead-letter confirmed']);
  });

  test('never delete what is dead-lettered while the letter is refused', async () => {
    const { settle, sends, deletes } = setUp({ send: () => Promise.reject(new Error('away')) });
    settle(deadLetter, 'a');
    await pass(600_000);
    expect(sends.length).toBeGreaterThan(10);
    expect(deletes).toEqual([]);
  });
});

describe('what fails', () => {
  test('in part is tried again alone, and the rest is confirmed', async () => {
    let times = 2;
    const { settle, deletes, settled, errors, settler } = setUp({
      deleteMessages: async () => (times-- > 0 ? [failure('b')] : []),
    });
    settle(acknowledge, 'a', 'b', 'c');
    settler.flush();
    await flush();
    expect(settled).toEqual(['a acknowledge confirmed', 'c acknowledge confirmed']);
    expect(settler.open).toBe(1);
    await pass(10_000);
    expect(deletes).toEqual([['a', 'b', 'c'], ['b'], ['b']]);
    expect(settled.at(-1)).toBe('b acknowledge confirmed');
    expect(errors).toEqual([
      ['delete', 1, failure('b')],
      ['delete', 1, failure('b')],
    ]);
  });

  test('as a whole is tried again as a whole, with growing waits, until it is confirmed', async () => {
    const away = new Error('away');
    let times = 30;
    const at: number[] = [];
    const { settle, deletes, settled, errors, settler } = setUp({
      deleteMessages: async () => {
        at.push(performance.now());
        if (times-- > 0) throw away;
        return [];
      },
    });
    settle(acknowledge, 'a', 'b');
    settler.flush();
    await pass(300_000);
    expect(deletes).toHaveLength(31);
    expect(new Set(deletes.map(String))).toEqual(new Set(['a,b']));
    expect(settled).toEqual(['a acknowledge confirmed', 'b acknowledge confirmed']);
    expect(errors[0]).toEqual(['delete', 2, away]);
    const waits = at.slice(1).map((time, i) => time - (at[i] ?? 0));
    expect(waits.slice(0, 4)).toEqual([100, 200, 400, 800]);
    expect(waits.at(-1)).toBe(2_500);
  });

  test('to change visibility is tried again too, with the seconds asked for', async () => {
    let times = 1;
    const { settle, changes, settled, errors } = setUp({
      changeVisibility: async () => {
        if (times-- > 0) throw new Error('away');
        return [];
      },
    });
    settle({ action: 'defer', seconds: 7 }, 'a');
    await pass(1_000);
    expect(changes).toEqual([[['a', 7]], [['a', 7]]]);
    expect(settled).toEqual(['a defer confirmed']);
    expect(errors).toEqual([['change visibility', 1, expect.any(Error)]]);
  });

  test.each<[string, Disposition]>([
    ['delete', acknowledge],
    ['change visibility', release],
  ])('to %s by the fault of the entry is lost and not tried again', async (request, disposition) => {
    const refuse = async () => [failure('b', true)];
    const { settle, deletes, changes, settled, lost, errors, settler } = setUp({
      deleteMessages: refuse,
      changeVisibility: refuse,
    });
    settle(disposition, 'a', 'b');
    settler.flush();
    await pass(60_000);
    expect(lost).toEqual([`b: ${request}: ReceiptHandleIsInvalid: no`]);
    expect(settled.toSorted()).toEqual([`a ${disposition.action} confirmed`, `b ${disposition.action} lost`]);
    expect([...deletes, ...changes]).toHaveLength(1);
    expect(errors).toEqual([]);
    expect(settler.open).toBe(0);
  });

  test('in one batch does not hold up the next', async () => {
    const { settle, settled } = setUp({
      deleteMessages: async (handles) => {
        if (handles.includes('poison')) throw new Error('away');
        return [];
      },
    });
    settle(acknowledge, 'poison', ...numbered(9));
    settle(acknowledge, ...numbered(10).map((name) => `next ${name}`));
    await flush();
    expect(settled).toHaveLength(10);
    expect(settled.every((line) => line.startsWith('next'))).toBe(true);
  });
});

describe('a lost lease', () => {
  test('ends a settlement that waits for its batch, and the message is not touched', async () => {
    const { settler, settle, deletes, settled } = setUp();
    const [a] = settle(acknowledge, 'a', 'b');
    if (a !== undefined) settler.forget(a);
    await pass(1_000);
    expect(deletes).toEqual([['b']]);
    expect(settled).toEqual(['a acknowledge lost', 'b acknowledge confirmed']);
  });

  test('ends a settlement between two tries', async () => {
    let times = 1;
    const { settler, settle, deletes, settled } = setUp({
      deleteMessages: async () => {
        if (times-- > 0) throw new Error('away');
        return [];
      },
    });
    const [a] = settle(acknowledge, 'a', 'b');
    settler.flush();
    await flush();
    if (a !== undefined) settler.forget(a);
    await pass(60_000);
    expect(deletes).toEqual([['a', 'b'], ['b']]);
    expect(settled).toEqual(['a acknowledge lost', 'b acknowledge confirmed']);
  });

  test('is final: a confirmation that comes later ends nothing twice', async () => {
    const answer = Promise.withResolvers<BatchFailure[]>();
    const { settler, settle, settled } = setUp({ deleteMessages: () => answer.promise });
    const [a] = settle(acknowledge, 'a');
    settler.flush();
    if (a !== undefined) settler.forget(a);
    answer.resolve([]);
    await flush();
    expect(settled).toEqual(['a acknowledge lost']);
  });

  test('takes back a letter that was not sent', async () => {
    let away = true;
    const { settler, settle, sends, deletes, settled } = setUp({
      send: async () => {
        if (away) throw new Error('away');
        return [];
      },
    });
    const [a] = settle(deadLetter, 'a');
    await flush();
    if (a !== undefined) settler.forget(a);
    away = false;
    await pass(600_000);
    expect(sends).toEqual([['a']]);
    expect(deletes).toEqual([]);
    expect(settled).toEqual(['a dead-letter lost']);
  });

  test('of a message that is not being settled means nothing', async () => {
    const { settler, settled } = setUp();
    settler.forget(delivery('a'));
    expect(settled).toEqual([]);
  });
});

describe('giving back', () => {
  test.each<Disposition>([release, { action: 'defer', seconds: 7 }])(
    'by $action is asked for only when the extension under way is over; others are not held up',
    async (giveBack) => {
      const extension = Promise.withResolvers<void>();
      const { settle, changes, settled } = setUp({
        endLease: ({ message }) => (message.receiptHandle === 'a' ? extension.promise : undefined),
      });
      settle(giveBack, 'a', 'b');
      await pass(60_000);
      expect(changes.flat().map(([handle]) => handle)).toEqual(['b']);
      extension.resolve();
      await pass(50);
      expect(changes).toHaveLength(2);
      expect(changes[1]).toEqual([['a', giveBack.action === 'defer' ? 7 : 0]]);
      expect(settled).toEqual([`b ${giveBack.action} confirmed`, `a ${giveBack.action} confirmed`]);
    },
  );

  test('is not asked for when the lease is lost meanwhile', async () => {
    const extension = Promise.withResolvers<void>();
    const { settler, settle, changes, settled } = setUp({ endLease: () => extension.promise });
    const [a] = settle(release, 'a');
    if (a !== undefined) settler.forget(a);
    extension.resolve();
    await pass(60_000);
    expect(changes).toEqual([]);
    expect(settled).toEqual(['a release lost']);
  });

  test('ends no lease of what is acknowledged or dead-lettered: a slow delete must not let it lapse', async () => {
    const { settle } = setUp({ endLease: () => expect.unreachable() });
    settle(acknowledge, 'a');
    settle(deadLetter, 'b');
    await pass(5_000);
  });
});

describe('giving back what could not be sent', () => {
  test('releases one, or all, and deletes none of them', async () => {
    const { settler, settle, changes, deletes, settled } = setUp({
      send: () => Promise.reject(new Error('away')),
    });
    const [a] = settle(deadLetter, 'a', 'b', 'c');
    await flush();
    settler.releaseUnsent(a);
    await pass(50);
    expect(changes).toEqual([[['a', 0]]]);
    settler.releaseUnsent();
    await pass(50);
    expect(changes.flat()).toEqual([
      ['a', 0],
      ['b', 0],
      ['c', 0],
    ]);
    expect(settled).toEqual(['a release confirmed', 'b release confirmed', 'c release confirmed']);
    expect(deletes).toEqual([]);
    expect(settler.open).toBe(0);
  });

  test('leaves alone what was sent and only waits for its delete', async () => {
    const { settler, settle, changes, deletes } = setUp();
    const [a] = settle(deadLetter, 'a');
    await flush();
    settler.releaseUnsent(a);
    await pass(1_000);
    expect(changes).toEqual([]);
    expect(deletes).toEqual([['a']]);
  });

  test('releases a letter that is under way; should it arrive, it is a duplicate and deletes nothing', async () => {
    const answer = Promise.withResolvers<BatchFailure[]>();
    const { settler, settle, changes, deletes, settled } = setUp({ send: () => answer.promise });
    settle(deadLetter, 'a');
    await flush();
    settler.releaseUnsent();
    answer.resolve([]);
    await pass(5_000);
    expect(changes).toEqual([[['a', 0]]]);
    expect(deletes).toEqual([]);
    expect(settled).toEqual(['a release confirmed']);
  });
});

describe('with outcomes', () => {
  const accepted = async (): Promise<BatchFailure[]> => [];

  test('publishes what is acknowledged, and deletes it only when that is confirmed, ten by ten', async () => {
    const answer = Promise.withResolvers<BatchFailure[]>();
    const { settle, published, deletes, settled } = setUp({ publish: () => answer.promise });
    settle(acknowledge, ...numbered(20));
    await pass(60_000);
    expect(published.map((batch) => batch.length)).toEqual([10, 10]);
    expect(deletes).toEqual([]);
    answer.resolve([]);
    await flush();
    expect(deletes.map((batch) => batch.length)).toEqual([10, 10]);
    expect(settled).toHaveLength(20);
  });

  test('sends a dead letter, then its outcome, then deletes', async () => {
    const letter = Promise.withResolvers<BatchFailure[]>();
    const outcome = Promise.withResolvers<BatchFailure[]>();
    const { settle, sends, published, deletes, settled } = setUp({
      send: () => letter.promise,
      publish: () => outcome.promise,
      held: 1,
    });
    settle(deadLetter, 'a');
    await pass(60_000);
    expect([sends, published, deletes]).toEqual([[['a']], [], []]);
    letter.resolve([]);
    await flush();
    expect([published, deletes]).toEqual([[['a']], []]);
    outcome.resolve([]);
    await flush();
    expect(deletes).toEqual([['a']]);
    expect(settled).toEqual(['a dead-letter confirmed']);
  });

  test('goes on at once, in one request each, when nothing else is in hand', async () => {
    const { settler, settle, published, deletes } = setUp({ publish: accepted, held: 3 });
    settle(acknowledge, 'a', 'b', 'c');
    settler.flushIfLast();
    await flush();
    expect(published).toEqual([['a', 'b', 'c']]);
    expect(deletes).toEqual([['a', 'b', 'c']]);
  });

  test('publishes nothing of what is deferred or released', async () => {
    const { settle, published, settled } = setUp({ publish: accepted });
    settle(release, 'a');
    settle({ action: 'defer', seconds: 3 }, 'b');
    await pass(60_000);
    expect(published).toEqual([]);
    expect(settled).toEqual(['a release confirmed', 'b defer confirmed']);
  });

  test('takes back an outcome that was not sent when the lease is lost', async () => {
    const { settler, settle, published, deletes, settled } = setUp({ publish: accepted });
    const [one] = settle(acknowledge, 'a');
    if (one !== undefined) settler.forget(one);
    await pass(60_000);
    expect([published, deletes]).toEqual([[], []]);
    expect(settled).toEqual(['a acknowledge lost']);
  });

  test('releases what waits for a queue that is away, and not what waits for another', async () => {
    const never = new Promise<BatchFailure[]>(() => {});
    const { settler, settle, changes, settled } = setUp({
      send: () => never,
      publish: () => Promise.reject(new Error('away')),
    });
    settle(deadLetter, 'letter');
    settle(acknowledge, 'applied');
    settler.flush();
    await flush();
    expect(settler.canSend).toBe(false);
    settler.releaseUnsendable();
    settler.settleWithoutWaiting(delivery('later'), acknowledge);
    settler.settleWithoutWaiting(delivery('deferred'), { action: 'defer', seconds: 7 });
    settler.flush();
    await flush();
    expect(changes.flat()).toEqual([
      ['applied', 0],
      ['later', 0],
      ['deferred', 7],
    ]);
    expect(settled.sort()).toEqual([
      'applied release confirmed',
      'deferred defer confirmed',
      'later release confirmed',
    ]);
    // At the end of the time everything goes.
    settler.releaseUnsent();
    settler.flush();
    await flush();
    expect(settled).toContain('letter release confirmed');
  });
});

describe('an end', () => {
  test('is the end of trying again', async () => {
    const end = new AbortController();
    const { settle, deletes } = setUp({
      ended: end.signal,
      deleteMessages: async () => {
        throw new Error('away');
      },
    });
    settle(acknowledge, 'a');
    await pass(5_000);
    end.abort();
    await flush();
    const tries = deletes.length;
    await pass(60_000);
    expect(deletes).toHaveLength(tries);
  });
});
