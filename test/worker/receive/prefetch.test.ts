import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Message } from '../../../src/message/message.ts';
import { parseBody } from '../../../src/message/parse.ts';
import { Gate } from '../../../src/ota/gate.ts';
import { Permits } from '../../../src/ota/permits.ts';
import { LocalRateLimiter } from '../../../src/ota/rate/limiter.ts';
import { BATCH_SIZE } from '../../../src/queue/batch.ts';
import { Delivery } from '../../../src/worker/delivery.ts';
import { Held } from '../../../src/worker/held.ts';
import { closedLimits, Prefetch, prefetchLimits } from '../../../src/worker/receive/prefetch.ts';
import { Turns } from '../../../src/worker/turns.ts';

type State = 'untried' | 'tried' | 'calling first' | 'calling again' | 'settling';

function newDelivery(name: string): Delivery {
  const body = `{"Identifier":"${name}","Description":"new"}`;
  const message = { messageId: name, receiptHandle: name, body, attributes: {}, sentAt: 0, receiveCount: 1 };
  return new Delivery({ ...message, groupId: name.slice(0, 1) }, parseBody(body, 0));
}

function inState(delivery: Delivery, state: State): Delivery {
  if (state === 'tried' || state === 'calling again') delivery.tally.attempts = 1;
  if (state === 'calling first' || state === 'calling again') delivery.enter('calling');
  if (state === 'settling') delivery.enter('settling');
  return delivery;
}

interface Setting {
  readonly fifo?: boolean;
  /** Calls a second; 5 lets 10 messages wait. */
  readonly rate?: number;
  readonly closed?: boolean;
  /** Epoch milliseconds; messages were sent at 0. */
  readonly now?: number;
  /** Messages got through in the last second. */
  readonly lately?: number;
}

/** Deliveries in `states`, held, in the group that the first letter of their name stands for. */
function setUp(
  states: Readonly<Record<string, State>>,
  { fifo = false, rate = 5, closed, now = 0, lately = 0 }: Setting = {},
) {
  const gate = new Gate({
    runLimit: 0,
    schedules: {
      outage: { firstMs: 1e9, factor: 1, maxMs: 1e9 },
      denied: { firstMs: 1e9, factor: 1, maxMs: 1e9 },
      untried: { firstMs: 1e9, factor: 1, maxMs: 1e9 },
      misconfigured: { firstMs: 1e9, factor: 1, maxMs: 1e9 },
      unreachable: { firstMs: 1e9, factor: 1, maxMs: 1e9 },
    },
    now: () => 0,
    onChange: () => {},
  });
  const failure = { kind: 'retryable', name: 'Down', message: 'down' } as const;
  // Closed, the gate keeps every permit request in line.
  gate.close('outage', failure);
  const hold = { held: false };
  const permits = new Permits({
    limiter: new LocalRateLimiter(rate),
    gate,
    hold,
    maxConcurrency: 50,
    now: () => 0,
  });
  const time = { now: 0 };
  const maxHeldBytes = 32_000_000;
  const held = new Held(maxHeldBytes);
  const turns: Turns = new Turns(fifo, (delivery) => prefetch.sendBack(delivery));
  const prefetch: Prefetch = new Prefetch({
    held,
    turns,
    gate,
    permits,
    rate: { rate },
    maxConcurrency: 50,
    visibilitySeconds: 30,
    maxHeldBytes,
    retention: { seconds: 1_000 },
    now: () => now,
    monotonic: () => time.now,
    random: () => 0.5,
  });
  for (let i = 0; i < lately; i++) prefetch.passed();
  const deliveries = new Map<string, Delivery>();
  for (const [name, state] of Object.entries(states)) {
    const delivery = inState(newDelivery(name), state);
    deliveries.set(name, delivery);
    held.add(delivery);
    if (turns.joinGroup(delivery) === undefined && state === 'untried') permits.request();
  }
  if (closed !== true) gate.observe('z9');
  const of = (name: string): Delivery => {
    const delivery = deliveries.get(name);
    if (delivery === undefined) throw new Error(`no ${name}`);
    return delivery;
  };
  const givenUp = (deferred: boolean): string[] =>
    [...deliveries].flatMap(([name, { interrupted, deferSeconds }]) =>
      interrupted && (deferSeconds !== undefined) === deferred ? [name] : [],
    );
  const [released, deferred] = [() => givenUp(false), () => givenUp(true)];
  return { prefetch, held, hold, permits, time, of, released, deferred };
}

const many = (count: number, state: State, prefix: string = 'a'): Record<string, State> =>
  Object.fromEntries(
    Array.from({ length: count }, (_, i) => [`${prefix}${state.replace(' ', '')}${i}`, state]),
  );

describe('how many messages to hold', () => {
  /** Messages got through in the last second. */
  const enough = Number.POSITIVE_INFINITY;
  const usual = { maxConcurrency: 50, visibilitySeconds: 30 };
  const anyRate = fc.oneof(
    fc.double({ min: 0.01, max: 100_000, noNaN: true }),
    fc.constant(Number.POSITIVE_INFINITY),
  );
  const settings = fc.record({
    maxConcurrency: fc.integer({ min: 1, max: 10_000 }),
    visibilitySeconds: fc.integer({ min: 2, max: 43_200 }),
  });

  test.each([
    ['the usual rate: two seconds ahead', 10, usual, 20],
    ['a higher rate: two seconds ahead', 40, usual, 80],
    ['a rate beyond which more messages held would speed up nothing', 5_000, usual, 100],
    ['no rate at all', Number.POSITIVE_INFINITY, usual, 100],
    ['a low rate: a whole receive, within a third of the lease', 1, usual, 10],
    ['a lower rate: what a third of the lease allows', 0.5, usual, 5],
    ['the lowest rate: one', 0.01, usual, 1],
    [
      'a short lease: a tenth of it ahead, or a whole receive',
      30,
      { maxConcurrency: 50, visibilitySeconds: 2 },
      10,
    ],
    ['one call at a time: two receives', 1_000, { maxConcurrency: 1, visibilitySeconds: 30 }, 20],
  ])('follows from %s', (_, perSecond, given, waiting) => {
    expect(prefetchLimits(perSecond, enough, false, given).waiting).toBe(waiting);
  });

  test.each([
    ['a whole receive at first', 100, 0, 10],
    ['twice what was got through in the last second', 100, 30, 60],
    ['what is got through by one of ten workers, at a rate that they share', 100, 10, 20],
    ['what can be started, whatever was got through before', 10, 500, 20],
    ['what can be started by slow calls one at a time', 0.25, 500, 2],
  ])('follows from what is started: %s', (_, perSecond, lately, waiting) => {
    expect(prefetchLimits(perSecond, lately, false, usual).waiting).toBe(waiting);
  });

  test('is little while the gate is closed, whatever the rate', () => {
    fc.assert(
      fc.property(anyRate, settings, (perSecond, given) => {
        expect(prefetchLimits(perSecond, enough, true, given)).toEqual(closedLimits);
      }),
    );
    expect(closedLimits.held).toBeLessThanOrEqual(30);
    expect(closedLimits.waiting).toBe(BATCH_SIZE);
  });

  test('is always a whole, finite and sufficient number', () => {
    fc.assert(
      fc.property(anyRate, settings, (perSecond, given) => {
        const { waiting, held } = prefetchLimits(perSecond, enough, false, given);
        expect(Number.isInteger(waiting)).toBe(true);
        expect(waiting).toBeGreaterThanOrEqual(1);
        // Room for all in flight and all that wait, or calls would starve.
        expect(held).toBeGreaterThanOrEqual(given.maxConcurrency + waiting);
        expect(Number.isFinite(held)).toBe(true);
      }),
    );
  });

  test('never lets a message wait longer than a third of the lease for its first call', () => {
    fc.assert(
      fc.property(anyRate, settings, (perSecond, given) => {
        const { waiting } = prefetchLimits(perSecond, enough, false, given);
        if (waiting > 1) expect(waiting / perSecond).toBeLessThanOrEqual(given.visibilitySeconds / 3 + 1e-9);
      }),
    );
  });

  test('never falls when the rate rises', () => {
    fc.assert(
      fc.property(anyRate, anyRate, settings, (one, other, given) => {
        const [low, high] = [Math.min(one, other), Math.max(one, other)];
        expect(prefetchLimits(low, enough, false, given).waiting).toBeLessThanOrEqual(
          prefetchLimits(high, enough, false, given).waiting,
        );
      }),
    );
  });
});

describe('what may be taken', () => {
  test('is what may wait, less what waits', () => {
    expect(setUp(many(4, 'untried')).prefetch.free).toBe(6);
  });

  test('is a whole receive for a worker that is idle, whatever became of the last ones that waited', () => {
    const { prefetch, permits, time } = setUp(many(2, 'untried'));
    prefetch.started();
    expect(prefetch.free).toBe(8);
    // They were superseded, or given up: no call for them starts.
    permits.close();
    expect(prefetch.free).toBe(10);
    time.now = 600_000;
    expect([prefetch.free, prefetch.batch]).toEqual([10, 10]);
  });

  test('counts neither calls in flight nor settlements while the gate is closed', () => {
    const states = { a1: 'untried', a2: 'tried', a3: 'calling first', a4: 'settling' } as const;
    expect(setUp(states, { closed: true }).prefetch.free).toBe(9);
  });

  test('is nothing while what must be sent cannot be sent', () => {
    const { prefetch } = setUp({});
    prefetch.suspended = true;
    expect(prefetch.free).toBe(0);
  });
});

describe('what may be taken of large messages', () => {
  /** Messages whose bodies have so many characters: each takes two bytes. */
  const large = (characters: number, count = 1): Message[] =>
    Array.from({ length: count }, () => ({
      ...newDelivery('a1').message,
      body: ' '.repeat(characters),
    }));
  const hold = ({ held }: ReturnType<typeof setUp>, messages: readonly Message[]): void => {
    for (const message of messages) held.add(Delivery.read(message));
  };
  const fast = { rate: Number.POSITIVE_INFINITY, lately: 100 };

  test('is asked for in whole receives while nothing is known of them, and a receive of the largest fits', () => {
    const { prefetch } = setUp({}, fast);
    expect(prefetch.batch).toBe(10);
    expect(prefetch.free).toBeGreaterThanOrEqual(60);
    // Ten of 1 MiB, two bytes a character.
    const after = setUp({}, fast);
    hold(after, large(1_048_576, 10));
    expect(after.held.freeBytes).toBeGreaterThan(0);
  });

  test('is few at a time, and no more than the memory left has room for', () => {
    const stage = setUp({}, fast);
    stage.prefetch.observe(large(1_000_000, 3));
    expect([stage.prefetch.batch, stage.prefetch.free]).toEqual([4, 16]);
    hold(stage, large(1_000_000, 15));
    expect(stage.prefetch.free).toBe(1);
    hold(stage, large(1_000_000, 1));
    expect(stage.prefetch.free).toBe(0);
  });

  test('is expected to stay large for a few receives', () => {
    const { prefetch } = setUp({}, fast);
    prefetch.observe(large(1_000_000));
    const batches = Array.from({ length: 3 }, () => {
      prefetch.observe(large(10));
      return prefetch.batch;
    });
    expect(batches).toEqual([8, 10, 10]);
  });

  test('counts attributes as well as bodies', () => {
    const stage = setUp({}, fast);
    const [message = large(0)[0]] = large(0);
    const attributes = {
      a: { dataType: 'String', stringValue: 'x'.repeat(1_000) },
      b: { dataType: 'Binary', binaryValue: new Uint8Array(500) },
    };
    const before = stage.held.freeBytes;
    hold(stage, [{ ...message, attributes } as Message]);
    expect(before - stage.held.freeBytes).toBe(2_500);
  });

  test('comes back with what is settled', () => {
    const stage = setUp({}, fast);
    const before = stage.held.freeBytes;
    const each = Delivery.read(large(1_000)[0] as Message);
    stage.held.add(each);
    stage.held.add(each);
    stage.held.delete(each);
    stage.held.delete(each);
    expect(stage.held.freeBytes).toBe(before);
  });
});

describe('while the gate is closed, the surplus', () => {
  test('is nothing when little is held', () => {
    const { prefetch, released, deferred } = setUp(
      { ...many(10, 'untried'), ...many(20, 'tried') },
      { closed: true },
    );
    prefetch.releaseSurplus();
    expect([released(), deferred()]).toEqual([[], []]);
  });

  test('is the newest of the untried: released', () => {
    const { prefetch, released, deferred } = setUp(many(12, 'untried'), { closed: true });
    prefetch.releaseSurplus();
    expect([released(), deferred()]).toEqual([['auntried10', 'auntried11'], []]);
  });

  test('is the oldest of the tried: deferred', () => {
    const { prefetch, released, deferred } = setUp({ ...many(22, 'tried'), a1: 'untried' }, { closed: true });
    prefetch.releaseSurplus();
    expect([released(), deferred()]).toEqual([[], ['atried0', 'atried1']]);
  });

  test('is a receive’s worth of the tried when nothing else is held, so that other Identifiers come', () => {
    const { prefetch, deferred } = setUp(many(20, 'tried'), { closed: true });
    prefetch.releaseSurplus();
    expect(deferred()).toHaveLength(10);
  });

  test('is never what is being called or settled', () => {
    const states = { ...many(40, 'calling again'), ...many(40, 'calling first'), ...many(40, 'settling') };
    const { prefetch, released, deferred } = setUp(states, { closed: true });
    prefetch.releaseSurplus();
    expect([released(), deferred()]).toEqual([[], []]);
  });

  test('leaves no more than may be held, whatever is held', () => {
    const count = fc.nat(120);
    fc.assert(
      fc.property(count, count, (untried, tried) => {
        const { prefetch, released, deferred } = setUp(
          { ...many(untried, 'untried'), ...many(tried, 'tried') },
          { closed: true },
        );
        prefetch.releaseSurplus();
        expect(untried + tried - released().length - deferred().length).toBeLessThanOrEqual(
          closedLimits.held,
        );
      }),
      { examples: [[0, 100]], numRuns: 30 },
    );
  });

  test('has everything behind another of its group: it could not be a probe', () => {
    const states = { a1: 'untried', a2: 'untried', b1: 'untried', b2: 'untried', b3: 'untried' } as const;
    const { prefetch, released } = setUp(states, { closed: true, fifo: true });
    prefetch.releaseSurplus();
    expect(released()).toEqual(['a2', 'b2', 'b3']);
  });
});

describe('when the rate has fallen', () => {
  test('the newest untried go, as many as wait too long', () => {
    const { prefetch, released } = setUp(many(26, 'untried'));
    // Of 26 that wait 10 may, and 15 more are tolerated: 25.
    prefetch.releaseSurplus();
    expect(released()).toEqual(['auntried25']);
  });

  test('what waits for slow calls goes when they show to be slow, also where the rate is high', () => {
    const { prefetch, time, released } = setUp(many(9, 'untried'), { rate: 100 });
    prefetch.started();
    prefetch.releaseSurplus();
    expect(released()).toEqual([]);
    // One call in four seconds: 2 may wait, and one more is tolerated.
    time.now = 4_000;
    prefetch.started();
    prefetch.releaseSurplus();
    expect(prefetch.limits.waiting).toBe(2);
    expect(released()).toHaveLength(6);
    expect(prefetch.free).toBeLessThanOrEqual(0);
  });

  test('what waits while calls are held stays: the time in which none may begin says nothing of their pace', () => {
    const { prefetch, hold, time, released } = setUp(many(9, 'untried'), { rate: 100 });
    prefetch.started();
    hold.held = true;
    prefetch.releaseSurplus();
    time.now = 60_000;
    prefetch.releaseSurplus();
    hold.held = false;
    prefetch.started();
    prefetch.releaseSurplus();
    expect(released()).toEqual([]);
  });

  test('the newest groups of a FIFO queue go, and only so many as wait for the rate', () => {
    const heads = Array.from({ length: 26 }, (_, i) => String.fromCharCode(97 + i));
    const states = Object.fromEntries(
      heads.flatMap((group) => [1, 2].map((i) => [`${group}${i}`, 'untried' as const])),
    );
    const { prefetch, released } = setUp(states, { fifo: true });
    prefetch.releaseSurplus();
    expect(released()).toEqual(['z1']);
  });

  test('nothing goes while few wait', () => {
    const { prefetch, released } = setUp(many(25, 'untried'));
    prefetch.releaseSurplus();
    expect(released()).toEqual([]);
  });
});

describe('what sleeps before its next call', () => {
  const asleep = (...held: Record<string, State>[]): ReturnType<typeof setUp> =>
    setUp({ a1: 'calling again', ...Object.assign({}, ...held) });
  const deferSeconds = ({ prefetch, of }: ReturnType<typeof setUp>, ms: number): number | undefined => {
    prefetch.sleeps(of('a1'), ms);
    return of('a1').deferSeconds;
  };

  test('is held while others have room, and for a moment always', () => {
    expect(deferSeconds(asleep(), 30_000)).toBeUndefined();
    expect(deferSeconds(asleep(many(219, 'calling again', 'b')), 4_999)).toBeUndefined();
  });

  test('sleeps in the queue where no receive could bring others, for their number or their size', () => {
    expect(deferSeconds(asleep(many(219, 'calling again', 'b')), 29_500)).toBe(30);
    const large = asleep();
    large.prefetch.observe([{ ...newDelivery('b1').message, body: ' '.repeat(1_000_000) }]);
    for (let i = 0; i < 13; i++)
      large.held.add(Delivery.read({ ...newDelivery('b1').message, body: ' '.repeat(1_000_000) }));
    expect(deferSeconds(large, 30_000)).toBe(30);
  });
});

describe('what is released', () => {
  test('with a message of a FIFO queue are those behind it, in its group alone', () => {
    const names = ['a1', 'a2', 'b1', 'b2', 'a3', 'a4'];
    const { prefetch, of, released } = setUp(
      Object.fromEntries(names.map((name) => [name, 'untried' as const])),
      {
        fifo: true,
      },
    );
    prefetch.releaseBehind(of('a2'));
    expect(released()).toEqual(['a3', 'a4']);
  });

  test('with a message of a standard queue is nothing', () => {
    const { prefetch, of, released } = setUp({ a1: 'untried', a2: 'untried' });
    prefetch.releaseBehind(of('a1'));
    expect(released()).toEqual([]);
  });

  test('because of its age is what neither has a call in flight nor waits for its group', () => {
    const states = { a1: 'untried', a2: 'untried', b1: 'calling first', c1: 'tried' } as const;
    const { prefetch, released } = setUp(states, { fifo: true, now: 900_000 });
    prefetch.releaseExpiring();
    expect(released()).toEqual(['a1', 'c1']);
    const young = setUp(states, { fifo: true, now: 899_999 });
    young.prefetch.releaseExpiring();
    expect(young.released()).toEqual([]);
  });

  test('all together is everything that is not being settled', () => {
    const { prefetch, released } = setUp({ a1: 'untried', a2: 'settling', a3: 'calling first' });
    prefetch.releaseAll();
    expect(released()).toEqual(['a1', 'a3']);
  });
});
