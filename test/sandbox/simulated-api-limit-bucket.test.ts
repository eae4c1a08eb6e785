import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createLimit } from '../../src/sandbox/simulated-api/index.ts';

const limits = fc.record({
  kind: fc.constant('bucket' as const),
  tickMs: fc.constant(0),
  ratePerSecond: fc.double({ min: 0.1, max: 10_000, noNaN: true }),
  burst: fc.double({ min: 1, max: 1000, noNaN: true }),
});
const steps = fc.array(fc.double({ min: 0, max: 5000, noNaN: true }), { maxLength: 300 });

type Bucket = typeof limits extends fc.Arbitrary<infer Settings> ? Settings : never;

/** A limit that is a token bucket, by its tokens. */
function tokenBucket(settings: Bucket, at: number) {
  const limit = createLimit(settings, at, Math.random);
  return { ...limit, take: (now: number) => limit.admit({ at: now, connection: 0 }) };
}

/** The times of granted tokens, with one request after each step. */
function grantTimes(
  bucket: { take(at: number): boolean },
  start: number,
  waits: readonly number[],
): number[] {
  const granted: number[] = [];
  let now = start;
  for (const wait of waits) {
    now += wait;
    if (bucket.take(now)) granted.push(now);
  }
  return granted;
}

describe('a token bucket', () => {
  test('grants at most burst + rate * t in any period', () => {
    fc.assert(
      fc.property(limits, steps, (limit, waits) => {
        const granted = grantTimes(tokenBucket(limit, 0), 0, waits);
        for (let from = 0; from < granted.length; from += 1) {
          for (let to = from; to < granted.length; to += 1) {
            const seconds = ((granted[to] ?? 0) - (granted[from] ?? 0)) / 1000;
            expect(to - from + 1).toBeLessThanOrEqual(limit.burst + limit.ratePerSecond * seconds + 1e-6);
          }
        }
      }),
    );
  });

  test('grants the whole burst at the start and no more', () => {
    fc.assert(
      fc.property(limits, (limit) => {
        const bucket = tokenBucket(limit, 0);
        let granted = 0;
        while (bucket.take(0)) granted += 1;
        expect(granted).toBe(Math.floor(limit.burst));
      }),
    );
  });

  test('grants a token after the time that one takes', () => {
    fc.assert(
      fc.property(limits, steps, (limit, waits) => {
        const bucket = tokenBucket(limit, 0);
        grantTimes(bucket, 0, waits);
        const later =
          waits.reduce((sum, wait) => sum + wait, 0) + (1000 / limit.ratePerSecond) * (1 + 1e-6) + 1e-6;
        expect(bucket.take(later)).toBe(true);
      }),
    );
  });

  test('grants no additional tokens when the clock steps back', () => {
    fc.assert(
      fc.property(
        limits,
        fc.array(fc.integer({ min: -5000, max: 5000 }), { maxLength: 300 }),
        (limit, moves) => {
          const granted = grantTimes(tokenBucket(limit, 0), 0, moves).length;
          let now = 0;
          let latest = 0;
          for (const move of moves) {
            now += move;
            latest = Math.max(latest, now);
          }
          expect(granted).toBeLessThanOrEqual(limit.burst + (limit.ratePerSecond * latest) / 1000 + 1e-6);
        },
      ),
    );
  });

  test('grants no new burst when its limit changes', () => {
    fc.assert(
      fc.property(limits, limits, (before, after) => {
        const bucket = tokenBucket(before, 0);
        while (bucket.take(0));
        bucket.change(after, 0);
        expect(bucket.take(0)).toBe(false);
      }),
    );
  });
});
