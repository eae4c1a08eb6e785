import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { DeadLetterRecord } from '../../src/message/dead-letter-record.ts';
import type { Disposition } from '../../src/message/disposition.ts';
import { parseBody } from '../../src/message/parse.ts';
import type { BatchFailure, OutgoingMessage, VisibilityChange } from '../../src/queue/types.ts';
import { QueueTime } from '../../src/time/queue-time.ts';
import { conclude, lose } from '../../src/worker/conclude.ts';
import { deliver } from '../../src/worker/deliver.ts';
import { Delivery } from '../../src/worker/delivery.ts';
import type { WorkerEvent } from '../../src/worker/events.ts';
import { Held } from '../../src/worker/held.ts';
import { Returns } from '../../src/worker/returns.ts';
import { DeadLetterOutbox } from '../../src/worker/settle/dead-letter-outbox.ts';
import { OutcomeOutbox } from '../../src/worker/settle/outcome-outbox.ts';
import { Settler } from '../../src/worker/settle/settler.ts';
import type { ConclusionStages, Stages } from '../../src/worker/stages.ts';
import { Turns } from '../../src/worker/turns.ts';

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
  /** Outcomes are published; what becomes of a request of them. */
  readonly publish?: (messages: readonly OutgoingMessage[]) => Promise<BatchFailure[]>;
  /** Other messages held, that are never ends here. */
  readonly others?: number;
  readonly ended?: AbortSignal;
  /** The extension under way for a delivery that is given back. */
  readonly extension?: (delivery: Delivery) => Promise<void> | undefined;
}

/** The real outboxes and the real settler, joined by `conclude`. */
function setUp(setting: Setting = {}) {
  const deletes: string[][] = [];
  const changes: [string, number][][] = [];
  const sends: string[][] = [];
  const published: string[][] = [];
  const ends: string[] = [];
  const errors: [string, number, unknown][] = [];
  const shared = {
    ended: new AbortController().signal,
    random: () => 0.5,
    monotonic: performance.now.bind(performance),
    onRefused: () => {},
    onReachable: () => {},
  };
  const deadLetters = new DeadLetterOutbox({
    ...shared,
    send: async (messages) => {
      sends.push(messages.map(({ key }) => key));
      return (await setting.send?.(messages)) ?? [];
    },
    record: () => record,
    target: () => ({ maximumMessageBytes: 1_048_576, fifo: false }),
  });
  const { publish } = setting;
  const outcomes =
    publish === undefined
      ? undefined
      : new OutcomeOutbox({
          ...shared,
          send: async (messages) => {
            published.push(messages.map(({ key }) => key));
            return publish(messages);
          },
          now: () => 0,
          fifo: () => false,
        });
  const emit = (event: WorkerEvent): void => {
    if (event.type === 'settle-failed') errors.push([event.request, event.count, event.error]);
    if (event.type === 'settled')
      ends.push(`${event.subject.message.receiptHandle} ${event.disposition.action}`);
    if (event.type === 'lease-lost')
      ends.push(`${event.subject.message.receiptHandle} lost: ${event.reason}`);
  };
  const settler = new Settler({
    ended: setting.ended ?? shared.ended,
    queue: {
      delete: async (handles) => {
        deletes.push([...handles]);
        return (await setting.deleteMessages?.(handles)) ?? [];
      },
      changeVisibility: async (batch) => {
        changes.push(batch.map(({ receiptHandle, seconds }) => [receiptHandle, seconds]));
        return (await setting.changeVisibility?.(batch)) ?? [];
      },
    },
    random: shared.random,
    emit,
    deleting: { carriedOut: () => {}, failed: () => {} },
    extending: { carriedOut: () => {}, failed: () => {} },
  });
  const clock = { wall: () => 0, monotonic: () => 0 };
  const held = new Held();
  held.flushWhenAllSettling(settler);
  if (outcomes !== undefined) held.flushWhenAllSettling(outcomes);
  for (let i = 0; i < (setting.others ?? 1); i++) held.add(delivery(`other ${i}`));
  const stages = {
    calls: { clock } as ConclusionStages['calls'],
    queueTime: new QueueTime(clock),
    deadLetters,
    outcomes,
    settler,
    leases: {
      stopExtending: (each: Delivery) => setting.extension?.(each),
      drop: () => {},
      holds: () => true,
    },
    held,
    prefetch: { releaseBehind: () => {}, passed: () => {} },
    receiver: { wake: () => {} },
    returns: new Returns(),
    maxDeliveries: 5,
    emit,
  };
  const settle = (disposition: Disposition, ...names: string[]): Delivery[] =>
    names.map((name) => {
      const each = delivery(name);
      held.add(each);
      void conclude(each, { kind: 'given-up' }, disposition, stages).then(() => held.delete(each));
      return each;
    });
  const loseLease = (each: Delivery | undefined): void => {
    if (each !== undefined) lose(each, 'the lease ran out', stages);
  };
  /** Messages whose settlement is not confirmed yet. */
  const open = (): number => held.settling;
  return {
    stages,
    held,
    settler,
    settle,
    deletes,
    changes,
    sends,
    published,
    ends,
    errors,
    deadLetters,
    outcomes,
    loseLease,
    open,
  };
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
    const { settle, deletes, ends, open } = setUp();
    settle(acknowledge, ...numbered(23));
    await flush();
    expect(deletes.map((batch) => batch.length)).toEqual([10, 10]);
    expect(open()).toBe(3);
    await pass(999);
    expect(deletes).toHaveLength(2);
    await pass(1);
    expect(deletes.flat()).toEqual(numbered(23));
    expect(ends).toHaveLength(23);
    expect(open()).toBe(0);
  });

  test('delete at once what is gathered when told that no more will come', async () => {
    const { settler, settle, deletes, ends } = setUp();
    settle(acknowledge, 'a', 'b');
    await flush();
    settler.flush();
    await flush();
    expect(deletes).toEqual([['a', 'b']]);
    expect(ends).toEqual(['a acknowledge', 'b acknowledge']);
  });

  test('delete at once when everything held is being settled, and not before', async () => {
    const last = setUp({ others: 0 });
    last.settle(acknowledge, 'a', 'b');
    const more = setUp({ others: 1 });
    more.settle(acknowledge, 'a', 'b');
    await flush();
    expect([last.deletes, more.deletes]).toEqual([[['a', 'b']], []]);
  });

  test('delete at once behind a confirmed letter when nothing else is held', async () => {
    const { settle, deletes } = setUp({ others: 0 });
    settle(deadLetter, 'a');
    await flush();
    expect(deletes).toEqual([['a']]);
  });

  test('make visible what is deferred and what is released, each in its time', async () => {
    const { settle, deletes, changes, ends } = setUp();
    settle({ action: 'defer', seconds: 40 }, 'a');
    settle(release, 'b');
    await pass(50);
    expect(changes).toEqual([
      [
        ['a', 40],
        ['b', 0],
      ],
    ]);
    expect(ends).toEqual(['a defer', 'b release']);
    expect(deletes).toEqual([]);
  });

  test('delete what is dead-lettered only after the letter is confirmed', async () => {
    const answer = Promise.withResolvers<BatchFailure[]>();
    const { settler, settle, deletes, sends, ends } = setUp({ send: () => answer.promise });
    settle(deadLetter, 'a');
    await pass(60_000);
    settler.flush();
    expect(sends).toEqual([['a']]);
    expect([deletes, ends]).toEqual([[], []]);

    answer.resolve([]);
    await pass(1_000);
    expect(deletes).toEqual([['a']]);
    expect(ends).toEqual(['a dead-letter']);
  });

  test('never delete what is dead-lettered while the letter is refused', async () => {
    const { settle, deletes, sends } = setUp({ send: () => Promise.reject(new Error('away')) });
    settle(deadLetter, 'a');
    await pass(600_000);
    expect(sends.length).toBeGreaterThan(10);
    expect(deletes).toEqual([]);
  });
});

describe('what fails', () => {
  test('in part is tried again alone, and the rest is confirmed', async () => {
    let times = 2;
    const { settler, settle, deletes, ends, errors, open } = setUp({
      deleteMessages: async () => (times-- > 0 ? [failure('b')] : []),
    });
    settle(acknowledge, 'a', 'b', 'c');
    await flush();
    settler.flush();
    await flush();
    expect(ends).toEqual(['a acknowledge', 'c acknowledge']);
    expect(open()).toBe(1);
    await pass(10_000);
    expect(deletes).toEqual([['a', 'b', 'c'], ['b'], ['b']]);
    expect(ends.at(-1)).toBe('b acknowledge');
    expect(errors).toEqual([
      ['delete', 1, failure('b')],
      ['delete', 1, failure('b')],
    ]);
  });

  test('as a whole is tried again as a whole, with growing waits, until it is confirmed', async () => {
    const away = new Error('away');
    let times = 30;
    const at: number[] = [];
    const { settler, settle, deletes, ends, errors } = setUp({
      deleteMessages: async () => {
        at.push(performance.now());
        if (times-- > 0) throw away;
        return [];
      },
    });
    settle(acknowledge, 'a', 'b');
    await flush();
    settler.flush();
    await pass(300_000);
    expect(deletes).toHaveLength(31);
    expect(new Set(deletes.map(String))).toEqual(new Set(['a,b']));
    expect(ends).toEqual(['a acknowledge', 'b acknowledge']);
    expect(errors[0]).toEqual(['delete', 2, away]);
    const waits = at.slice(1).map((time, i) => time - (at[i] ?? 0));
    expect(waits.slice(0, 4)).toEqual([100, 200, 400, 800]);
    expect(waits.at(-1)).toBe(2_500);
  });

  test('to change visibility is tried again too, with the seconds asked for', async () => {
    let times = 1;
    const { settle, changes, ends, errors } = setUp({
      changeVisibility: async () => {
        if (times-- > 0) throw new Error('away');
        return [];
      },
    });
    settle({ action: 'defer', seconds: 7 }, 'a');
    await pass(1_000);
    expect(changes).toEqual([[['a', 7]], [['a', 7]]]);
    expect(ends).toEqual(['a defer']);
    expect(errors).toEqual([['change visibility', 1, expect.any(Error)]]);
  });

  test.each<[string, Disposition]>([
    ['delete', acknowledge],
    ['change visibility', release],
  ])('to %s by the fault of the entry is lost and not tried again', async (request, disposition) => {
    const refuse = async () => [failure('b', true)];
    const { settler, settle, deletes, changes, ends, errors, open } = setUp({
      deleteMessages: refuse,
      changeVisibility: refuse,
    });
    settle(disposition, 'a', 'b');
    await flush();
    settler.flush();
    await pass(60_000);
    expect(ends.toSorted()).toEqual([
      `a ${disposition.action}`,
      `b lost: ${request}: ReceiptHandleIsInvalid: no`,
    ]);
    expect([...deletes, ...changes]).toHaveLength(1);
    expect(errors).toEqual([]);
    expect(open()).toBe(0);
  });

  test('in one batch does not hold up the next', async () => {
    const { settle, ends } = setUp({
      deleteMessages: async (handles) => {
        if (handles.includes('poison')) throw new Error('away');
        return [];
      },
    });
    settle(acknowledge, 'poison', ...numbered(9));
    settle(acknowledge, ...numbered(10).map((name) => `next ${name}`));
    await flush();
    expect(ends).toHaveLength(10);
    expect(ends.every((line) => line.startsWith('next'))).toBe(true);
  });
});

describe('a lost lease', () => {
  test('ends a settlement that waits for its batch, and the message is not touched', async () => {
    const { settle, deletes, ends, loseLease } = setUp();
    const [a] = settle(acknowledge, 'a', 'b');
    loseLease(a);
    await pass(1_000);
    expect(deletes).toEqual([['b']]);
    expect(ends).toEqual(['a lost: the lease ran out', 'b acknowledge']);
  });

  test('ends a settlement between two tries', async () => {
    let times = 1;
    const { settler, settle, deletes, ends, loseLease } = setUp({
      deleteMessages: async () => {
        if (times-- > 0) throw new Error('away');
        return [];
      },
    });
    const [a] = settle(acknowledge, 'a', 'b');
    await flush();
    settler.flush();
    await flush();
    loseLease(a);
    await pass(60_000);
    expect(deletes).toEqual([['a', 'b'], ['b']]);
    expect(ends).toEqual(['a lost: the lease ran out', 'b acknowledge']);
  });

  test('is final: a confirmation that comes later ends nothing twice', async () => {
    const answer = Promise.withResolvers<BatchFailure[]>();
    const { settler, settle, ends, loseLease } = setUp({ deleteMessages: () => answer.promise });
    const [a] = settle(acknowledge, 'a');
    await flush();
    settler.flush();
    loseLease(a);
    answer.resolve([]);
    await flush();
    expect(ends).toEqual(['a lost: the lease ran out']);
  });

  test('takes back a letter that was not sent', async () => {
    let away = true;
    const { settle, deletes, sends, ends, loseLease } = setUp({
      send: async () => {
        if (away) throw new Error('away');
        return [];
      },
    });
    const [a] = settle(deadLetter, 'a');
    await flush();
    loseLease(a);
    away = false;
    await pass(600_000);
    expect(sends).toEqual([['a']]);
    expect(deletes).toEqual([]);
    expect(ends).toEqual(['a lost: the lease ran out']);
  });
});

describe('a release or a deferral', () => {
  test.each<Disposition>([release, { action: 'defer', seconds: 7 }])(
    '($action) is sent only after an extension in flight has ended; others are not delayed',
    async (disposition) => {
      const extension = Promise.withResolvers<void>();
      const { settle, changes, ends } = setUp({
        extension: ({ message }) => (message.receiptHandle === 'a' ? extension.promise : undefined),
      });
      settle(disposition, 'a', 'b');
      await pass(60_000);
      expect(changes.flat().map(([handle]) => handle)).toEqual(['b']);
      extension.resolve();
      await pass(100);
      expect(changes).toHaveLength(2);
      expect(changes[1]).toEqual([['a', disposition.action === 'defer' ? 7 : 0]]);
      expect(ends).toEqual([`b ${disposition.action}`, `a ${disposition.action}`]);
    },
  );

  test('is not asked for when the lease is lost meanwhile', async () => {
    const extension = Promise.withResolvers<void>();
    const { settle, changes, ends, loseLease } = setUp({ extension: () => extension.promise });
    const [a] = settle(release, 'a');
    loseLease(a);
    extension.resolve();
    await pass(60_000);
    expect(changes).toEqual([]);
    expect(ends).toEqual(['a lost: the lease ran out']);
  });

  test('ends no lease of what is acknowledged or dead-lettered: a slow delete must not let it lapse', async () => {
    const { settle } = setUp({ extension: () => expect.unreachable() });
    settle(acknowledge, 'a');
    settle(deadLetter, 'b');
    await pass(5_000);
  });
});

describe('an interruption', () => {
  test('releases one whose letter is not sent, and deletes nothing', async () => {
    const { settle, deletes, changes, ends, open } = setUp({ send: () => Promise.reject(new Error('away')) });
    const [a, b] = settle(deadLetter, 'a', 'b');
    await flush();
    a?.interrupt('publishing');
    await pass(50);
    expect(changes).toEqual([[['a', 0]]]);
    b?.interrupt('waiting');
    await pass(50);
    expect(ends).toEqual(['a release']);
    b?.interrupt('call');
    await pass(50);
    expect(ends).toEqual(['a release', 'b release']);
    expect(deletes).toEqual([]);
    expect(open()).toBe(0);
  });

  test('leaves alone what was sent and only waits for its delete', async () => {
    const { settle, deletes, changes } = setUp();
    const [a] = settle(deadLetter, 'a');
    await flush();
    a?.interrupt('call');
    await pass(1_000);
    expect(changes).toEqual([]);
    expect(deletes).toEqual([['a']]);
  });

  test('releases one whose letter is being sent; should the letter arrive, it is a duplicate and deletes nothing', async () => {
    const answer = Promise.withResolvers<BatchFailure[]>();
    const { settle, deletes, changes, ends } = setUp({ send: () => answer.promise });
    const [a] = settle(deadLetter, 'a');
    await flush();
    a?.interrupt('publishing');
    answer.resolve([]);
    await pass(5_000);
    expect(changes).toEqual([[['a', 0]]]);
    expect(deletes).toEqual([]);
    expect(ends).toEqual(['a release']);
  });
});

describe('with outcomes', () => {
  const accepted = async (): Promise<BatchFailure[]> => [];

  test('publishes what is acknowledged, and deletes it only when that is confirmed, ten by ten', async () => {
    const answer = Promise.withResolvers<BatchFailure[]>();
    const { settle, deletes, published, ends } = setUp({ publish: () => answer.promise });
    settle(acknowledge, ...numbered(20));
    await pass(60_000);
    expect(published.map((batch) => batch.length)).toEqual([10, 10]);
    expect(deletes).toEqual([]);
    answer.resolve([]);
    await flush();
    expect(deletes.map((batch) => batch.length)).toEqual([10, 10]);
    expect(ends).toHaveLength(20);
  });

  test('sends a dead letter, then its outcome, then deletes', async () => {
    const letter = Promise.withResolvers<BatchFailure[]>();
    const outcome = Promise.withResolvers<BatchFailure[]>();
    const { settle, deletes, sends, published, ends } = setUp({
      send: () => letter.promise,
      publish: () => outcome.promise,
      others: 0,
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
    expect(ends).toEqual(['a dead-letter']);
  });

  test('goes on at once, in one request each, when nothing else is held', async () => {
    const { settle, deletes, published } = setUp({ publish: accepted, others: 0 });
    settle(acknowledge, 'a', 'b', 'c');
    // One turn of the event loop for the outcomes, one for the deletes.
    await pass(1);
    expect(published).toEqual([['a', 'b', 'c']]);
    expect(deletes).toEqual([['a', 'b', 'c']]);
  });

  test('publishes nothing of what is deferred or released', async () => {
    const { settle, published, ends } = setUp({ publish: accepted });
    settle(release, 'a');
    settle({ action: 'defer', seconds: 3 }, 'b');
    await pass(60_000);
    expect(published).toEqual([]);
    expect(ends).toEqual(['a release', 'b defer']);
  });

  test('takes back an outcome that was not sent when the lease is lost', async () => {
    const { settle, deletes, published, ends, loseLease } = setUp({ publish: accepted });
    const [one] = settle(acknowledge, 'a');
    loseLease(one);
    await pass(60_000);
    expect([published, deletes]).toEqual([[], []]);
    expect(ends).toEqual(['a lost: the lease ran out']);
  });

  test('releases what waits for a queue that is away, and not what waits for another', async () => {
    const never = new Promise<BatchFailure[]>(() => {});
    const { settler, settle, changes, ends, deadLetters, outcomes } = setUp({
      send: () => never,
      publish: () => Promise.reject(new Error('away')),
    });
    settle(deadLetter, 'letter');
    settle(acknowledge, 'applied');
    outcomes?.flush();
    await flush();
    expect([deadLetters.reachable, outcomes?.reachable]).toEqual([true, false]);
    deadLetters.stopWaiting();
    outcomes?.stopWaiting();
    settle(acknowledge, 'later');
    settle({ action: 'defer', seconds: 7 }, 'deferred');
    await flush();
    settler.flush();
    await flush();
    expect(Object.fromEntries(changes.flat())).toEqual({ applied: 0, later: 0, deferred: 7 });
    expect(ends.sort()).toEqual(['applied release', 'deferred defer', 'later release']);
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

describe('a bug in ota-updater', () => {
  const bug = new TypeError('bug');
  const broken = (): never => {
    throw bug;
  };
  /** A message that cannot be read at first. */
  const unread = () => ({
    reads: 0,
    get body(): string {
      return this.reads++ === 0 ? broken() : '{}';
    },
  });

  /** A worker's stages around the real outboxes and the real settler, and a delivery of an invalid update. */
  function crash(
    overrides: (stages: Stages) => object,
    receiveCount = 1,
    message: object = {},
    setting: Setting = {},
  ) {
    const parts = setUp({ others: 0, publish: async () => [], ...setting });
    const events: WorkerEvent[] = [];
    const stages = {
      ...parts.stages,
      turns: new Turns(false, () => {}),
      calls: { ...parts.stages.calls, random: () => 0.5, gate: { closed: false } },
      maxDeliveries: 3,
      retention: { seconds: 345_600 },
      emit: (event: WorkerEvent) => events.push(event),
    } as unknown as Stages;
    const one = delivery('a').message;
    const received = Object.defineProperties(
      { ...one, body: '{}', receiveCount },
      Object.getOwnPropertyDescriptors(message),
    );
    const each = Delivery.read(received);
    parts.held.add(each);
    const done = deliver(each, { ...stages, ...overrides(stages) });
    return { ...parts, each, events, done };
  }

  const places: Readonly<Record<string, (stages: Stages) => object>> = {
    'in the line for its turn': () => ({
      turns: Object.assign(new Turns(false, () => {}), { joinIdentifier: broken }),
    }),
    'in making its letter': ({ deadLetters }) => ({
      deadLetters: { post: twice(broken, deadLetters.post.bind(deadLetters)), withdraw() {} },
    }),
    'in sending its letter': ({ deadLetters }) => ({
      deadLetters: { post: twice(async () => broken(), deadLetters.post.bind(deadLetters)), withdraw() {} },
    }),
    'in making its outcome': ({ outcomes }) => ({
      outcomes: { post: twice(broken, outcomes?.post.bind(outcomes)), withdraw() {} },
    }),
    'in its settlement': ({ settler }) => ({
      settler: {
        delete: twice(async () => broken(), settler.delete.bind(settler)),
        changeVisibility: settler.changeVisibility.bind(settler),
        withdraw() {},
      },
    }),
  };
  test('is not dead-lettered for receives that ended without a failure of the message', async () => {
    const returns = new Returns();
    const joinGroup = (each: Delivery) => each.interrupt('waiting', 5);
    const first = crash(
      () => ({ returns, turns: Object.assign(new Turns(false, () => {}), { joinGroup }) }),
      2,
    );
    await pass(1_000);
    await first.done;
    const { changes, events, done } = crash(() => ({ returns }), 3, unread());
    await pass(1_000);
    await done;
    // The third receive, but the first failure.
    expect([first.changes.flat(), changes.flat()]).toEqual([[['a', 5]], [['a', 5]]]);
    // Of the receives, the one that was given back does not count.
    const deferrals = [first.events, events].map((all) =>
      all.flatMap((event) => (event.type === 'settled' ? [event.deferral] : [])),
    );
    expect(deferrals).toEqual([
      [{ counted: 1, most: 3, visibleAt: 5_000 }],
      [{ counted: 2, most: 3, visibleAt: 5_000 }],
    ]);
  });

  test('between a request to SQS and its answer does not hold the message for ever', async () => {
    let times = 0;
    const { events, held, each, done } = crash(
      () => ({}),
      1,
      {},
      { deleteMessages: async () => (times++ === 0 ? ('garbage' as never) : []) },
    );
    await pass(60_000);
    await done;
    expect([held.size, each.state]).toEqual([0, 'gone']);
    expect(events.map(({ type }) => type)).toEqual(['crashed', 'settled']);
  });

  /** `first` once, then `then`. */
  function twice<F>(first: () => unknown, then: F): F {
    let times = 0;
    return ((...args: unknown[]) =>
      times++ === 0 ? first() : (then as (...given: unknown[]) => unknown)(...args)) as F;
  }

  test.each(Object.entries(places))('%s defers the message, and is reported', async (_where, overrides) => {
    const { changes, deletes, events, held, done } = crash(overrides);
    await pass(60_000);
    await done;
    expect(changes.flat()).toEqual([['a', 3]]);
    expect([deletes, held.size]).toEqual([[], 0]);
    expect(events).toMatchObject([
      { type: 'crashed', failure: { kind: 'internal', name: 'TypeError', stack: expect.any(String) } },
      { type: 'settled', disposition: { action: 'defer' }, failure: { kind: 'internal' } },
    ]);
  });

  test.each(Object.entries(places))(
    '%s dead-letters it as InternalError from MAX_DELIVERIES receives on',
    async (_where, overrides) => {
      const { sends, deletes, ends, events, done } = crash(overrides, 3);
      await pass(60_000);
      await done;
      expect([sends.at(-1), deletes.at(-1)]).toEqual([['a'], ['a']]);
      expect(ends).toEqual([]);
      expect(events.at(-1)).toMatchObject({
        disposition: { action: 'dead-letter', reason: 'InternalError', error: { name: 'TypeError' } },
      });
    },
  );

  test('in reading the message is one of that message', async () => {
    const { changes, events, done } = crash(() => ({}), 1, unread());
    await pass(1_000);
    await done;
    expect(changes.flat()).toEqual([['a', 3]]);
    expect(events).toMatchObject([{ type: 'crashed' }, { disposition: { action: 'defer' } }]);
  });

  test('that comes again at its settlement as a bug leaves the message to its lease, and frees its place', async () => {
    const leases = { drop: vi.fn(), stopExtending: broken, holds: () => true };
    const { events, held, each, changes, done } = crash(() => ({ leases }), 1, unread());
    await done;
    expect(events).toMatchObject([
      { type: 'crashed' },
      { type: 'settle-failed', request: 'settle', count: 1, error: bug },
      { type: 'lease-lost', reason: 'a bug in ota-updater' },
    ]);
    expect([held.size, each.state, changes]).toEqual([0, 'gone', []]);
    expect(leases.drop).toHaveBeenCalledTimes(1);
  });
});
