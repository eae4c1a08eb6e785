import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createLimit, type LimitSettings } from '../../src/sandbox/simulated-api/index.ts';
import { seeded } from '../../testing/random.ts';

const bucket = (ratePerSecond: number, burst: number, tickMs = 0) =>
  ({ kind: 'bucket', ratePerSecond, burst, tickMs }) as const;
const window = (calls: number, periodMs: number, sliding = false) =>
  ({ kind: 'window', calls, periodMs, sliding }) as const;
const inFlight = (calls: number) => ({ kind: 'concurrency', calls }) as const;

type Limit = ReturnType<typeof createLimit>;

/** How many of the calls are let through that arrive at once. */
function admitted(limit: Limit, at: number, calls = 1, connection = 0): number {
  return Array.from({ length: calls }).filter(() => limit.admit({ at, connection })).length;
}

/** Whether each of the calls, at these times, is let through: `+` and `-`. */
function answers(settings: LimitSettings, times: readonly number[], random = seeded(1)): string {
  const limit = createLimit(settings, times[0] ?? 0, random);
  return times.map((at) => (limit.admit({ at, connection: 0 }) ? '+' : '-')).join('');
}

describe('what is let through', () => {
  test.each<[string, LimitSettings, readonly number[], string]>([
    ['a bucket: its burst, then its rate', bucket(2, 2), [0, 0, 0, 500, 500, 1500, 1500, 1500], '++-+-++-'],
    ['ticks: nothing between them', bucket(2, 2, 1000), [0, 0, 0, 999, 1000, 1000, 1000], '++--++-'],
    [
      'ticks: at multiples, wherever it begins',
      bucket(1, 1, 1000),
      [900, 900, 999, 1000, 1999, 2000],
      '+--+-+',
    ],
    ['ticks: the burst bounds a lump', bucket(5, 2, 1000), [0, 0, 0, 1000, 1000, 1000], '++-++-'],
    ['ticks: a call takes several of them', bucket(0.5, 1, 1000), [0, 1000, 2000, 3000, 4000], '+-+-+'],
    [
      'a fixed window: anew at multiples',
      window(2, 1000),
      [900, 950, 999, 1000, 1000, 1999, 2000],
      '++-++-+',
    ],
    [
      'a sliding window: a call counts for a period',
      window(2, 1000, true),
      [0, 900, 999, 1000, 1899, 1900],
      '++-+-+',
    ],
    ['calls in flight', inFlight(2), [0, 0, 0, 9_999_999], '++--'],
    [
      'several: each counts',
      { kind: 'all', limits: [bucket(10, 3), window(4, 1000)] },
      [0, 0, 0, 0, 100, 200, 1000],
      '+++-+-+',
    ],
    [
      'several: one that refuses takes nothing from the others',
      { kind: 'all', limits: [window(3, 1000), bucket(10, 1)] },
      [0, 0, 0, 0, 100, 200, 300],
      '+---++-',
    ],
    [
      'one front end is no front end',
      { kind: 'frontEnds', count: 1, sticky: false, limit: window(2, 1000) },
      [0, 0, 0, 1000],
      '++-+',
    ],
  ])('%s', (_name, settings, times, expected) => expect(answers(settings, times)).toBe(expected));
});

describe('calls in flight', () => {
  test('one that is answered makes room', () => {
    const limit = createLimit(inFlight(1), 0, Math.random);
    expect(admitted(limit, 0, 2)).toBe(1);
    limit.ended(5);
    expect(admitted(limit, 5, 2)).toBe(1);
  });

  test('are counted from before the limit was of this kind', () => {
    const limit = createLimit(bucket(1, 5), 0, Math.random);
    expect(admitted(limit, 0, 3)).toBe(3);
    limit.change(inFlight(4), 0);
    expect(admitted(limit, 0, 5)).toBe(1);
    for (let call = 0; call < 4; call += 1) limit.ended(1);
    expect(admitted(limit, 1, 5)).toBe(4);
  });

  test('a call that another limit refuses is not in flight', () => {
    const limit = createLimit({ kind: 'all', limits: [inFlight(2), window(1, 1000)] }, 0, Math.random);
    expect(admitted(limit, 0, 5)).toBe(1);
    expect(admitted(limit, 1000, 5)).toBe(1);
    expect(admitted(limit, 2000, 5)).toBe(0);
  });
});

describe('front ends', () => {
  const parts = (count: number, sticky: boolean, limit: ReturnType<typeof bucket | typeof window>) =>
    ({ kind: 'frontEnds', count, sticky, limit }) as const;

  test('a connection stays at one of them, the next connection comes to the next', () => {
    const limit = createLimit(parts(4, true, bucket(4, 12)), 0, Math.random);
    expect([0, 0, 1, 2, 3, 4].map((connection) => admitted(limit, 0, 5, connection))).toEqual([
      3, 0, 3, 3, 3, 0,
    ]);
    expect(admitted(limit, 1000, 5, 7)).toBe(1);
  });

  test('without sticky connections each call is drawn', () => {
    const draws = [0, 0.99, 0.99, 0.25];
    const limit = createLimit(parts(2, false, window(2, 1000)), 0, () => draws.shift() ?? 0);
    expect([0, 0, 0, 0].map((at) => limit.admit({ at, connection: 0 }))).toEqual([true, true, false, false]);
  });

  test.each([
    ['the calls of a window are all given out', parts(4, true, window(10, 1000)), 10],
    ['each has one call at least', parts(4, true, window(2, 1000)), 4],
    ['each has a burst of one at least', parts(4, true, bucket(1, 1)), 4],
  ])('%s', (_name, settings, expected) => {
    const limit = createLimit(settings, 0, Math.random);
    const sum = [0, 1, 2, 3].reduce((all, connection) => all + admitted(limit, 0, 9, connection), 0);
    expect(sum).toBe(expected);
  });

  test('what a part has used stays used when the limit changes', () => {
    const limit = createLimit(parts(2, true, window(4, 1000)), 0, Math.random);
    expect(admitted(limit, 0, 9, 1)).toBe(2);
    limit.change(parts(3, true, window(9, 1000)), 0);
    expect([0, 1, 2].map((connection) => admitted(limit, 0, 9, connection))).toEqual([3, 1, 3]);
  });
});

describe('a change', () => {
  test('a window keeps its calls, also when its length changes', () => {
    const limit = createLimit(window(5, 1000, true), 0, Math.random);
    expect(admitted(limit, 100, 5)).toBe(5);
    limit.change(window(7, 2000, true), 200);
    expect(admitted(limit, 200, 9)).toBe(2);
    limit.change(window(3, 2000), 300);
    expect(admitted(limit, 1999, 9)).toBe(0);
    expect(admitted(limit, 2000, 9)).toBe(3);
  });

  test('to another kind begins with nothing used', () => {
    const limit = createLimit(window(1, 1000), 0, Math.random);
    expect(admitted(limit, 0, 9)).toBe(1);
    limit.change(bucket(1, 2), 0);
    expect(admitted(limit, 0, 9)).toBe(2);
  });

  test('several limits change by their position', () => {
    const limit = createLimit({ kind: 'all', limits: [bucket(1, 3), window(9, 1000)] }, 0, Math.random);
    expect(admitted(limit, 0, 9)).toBe(3);
    limit.change({ kind: 'all', limits: [bucket(1, 30), window(4, 1000)] }, 0);
    expect(admitted(limit, 0, 9)).toBe(0);
    limit.change({ kind: 'all', limits: [bucket(1, 30)] }, 5000);
    expect(admitted(limit, 5000, 9)).toBe(5);
  });
});

const anyBucket = fc.record({
  kind: fc.constant('bucket' as const),
  ratePerSecond: fc.double({ min: 0.5, max: 1000, noNaN: true }),
  burst: fc.double({ min: 1, max: 200, noNaN: true }),
  tickMs: fc.constantFrom(0, 100, 1000),
});
const anyWindow = fc.record({
  kind: fc.constant('window' as const),
  calls: fc.integer({ min: 1, max: 50 }),
  periodMs: fc.integer({ min: 1, max: 3000 }),
  sliding: fc.boolean(),
});
const anyFrontEnds = fc.record({
  kind: fc.constant('frontEnds' as const),
  count: fc.integer({ min: 1, max: 8 }),
  sticky: fc.boolean(),
  limit: fc.oneof(anyBucket, anyWindow),
});
const anyLimit = fc.oneof(anyBucket, anyWindow, anyFrontEnds);

/** The most calls that the limit may let through from `from` to `to`, both included. */
function most(limit: LimitSettings, from: number, to: number): number {
  switch (limit.kind) {
    case 'bucket': {
      const ms =
        limit.tickMs === 0
          ? to - from
          : (Math.floor(to / limit.tickMs) - Math.floor(from / limit.tickMs)) * limit.tickMs;
      return limit.burst + (limit.ratePerSecond * ms) / 1000 + 1e-6;
    }
    case 'window': {
      const windows = limit.sliding
        ? Math.floor((to - from) / limit.periodMs)
        : Math.floor(to / limit.periodMs) - Math.floor(from / limit.periodMs);
      return limit.calls * (windows + 1);
    }
    case 'frontEnds': {
      // What a part has at least comes on top of what they have together.
      if (limit.limit.kind === 'bucket')
        return most({ ...limit.limit, burst: Math.max(limit.count, limit.limit.burst) }, from, to);
      return most({ ...limit.limit, calls: Math.max(limit.count, limit.limit.calls) }, from, to);
    }
    case 'all':
      return Math.min(...limit.limits.map((one) => most(one, from, to)));
    case 'concurrency':
      return Number.POSITIVE_INFINITY;
  }
}

const waits = fc.array(fc.tuple(fc.integer({ min: 0, max: 900 }), fc.nat(9)), { maxLength: 150 });

/** The times at which calls were let through. */
function grantTimes(settings: LimitSettings, arrivals: readonly (readonly [number, number])[]): number[] {
  const limit = createLimit(settings, 0, seeded(7));
  const granted: number[] = [];
  let at = 0;
  for (const [wait, connection] of arrivals) {
    at += wait;
    if (limit.admit({ at, connection })) granted.push(at);
  }
  return granted;
}

function expectWithin(settings: LimitSettings, granted: readonly number[]): void {
  for (const [first, from] of granted.entries())
    for (const [index, to] of granted.entries())
      if (index >= first) expect(index - first + 1).toBeLessThanOrEqual(most(settings, from, to));
}

describe('for any limit', () => {
  test('in no period are more calls let through than it says', () => {
    fc.assert(
      fc.property(anyLimit, waits, (limit, arrivals) => expectWithin(limit, grantTimes(limit, arrivals))),
    );
  });

  test('several limits together hold each of them', () => {
    fc.assert(
      fc.property(fc.array(anyLimit, { minLength: 1, maxLength: 3 }), waits, (limits, arrivals) => {
        const settings: LimitSettings = { kind: 'all', limits };
        expectWithin(settings, grantTimes(settings, arrivals));
      }),
    );
  });

  test('a clock that steps back grants nothing in addition', () => {
    const moves = fc.array(fc.integer({ min: -3000, max: 3000 }), { maxLength: 200 });
    fc.assert(
      fc.property(anyLimit, moves, (settings, steps) => {
        const limit = createLimit(settings, 0, seeded(7));
        let [at, latest, granted] = [0, 0, 0];
        for (const step of steps) {
          at += step;
          latest = Math.max(latest, at);
          if (limit.admit({ at, connection: 0 })) granted += 1;
        }
        expect(granted).toBeLessThanOrEqual(most(settings, 0, latest));
      }),
    );
  });

  test('a change to the same settings changes nothing', () => {
    fc.assert(
      fc.property(anyLimit, waits, (settings, arrivals) => {
        const limit = createLimit(settings, 0, seeded(7));
        const granted: number[] = [];
        let at = 0;
        for (const [wait, connection] of arrivals) {
          at += wait;
          limit.change(settings, at);
          if (limit.admit({ at, connection })) granted.push(at);
        }
        expectWithin(settings, granted);
      }),
    );
  });

  test('never are more calls in flight than it says', () => {
    const events = fc.array(fc.oneof(fc.constant('call'), fc.constant('answer')), { maxLength: 300 });
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 9 }), events, (calls, sequence) => {
        const limit = createLimit(inFlight(calls), 0, Math.random);
        let open = 0;
        for (const event of sequence) {
          if (event === 'call') {
            const isLetThrough = limit.admit({ at: 0, connection: 0 });
            expect(isLetThrough).toBe(open < calls);
            if (isLetThrough) open += 1;
          } else if (open > 0) {
            limit.ended(0);
            open -= 1;
          }
        }
      }),
    );
  });
});
