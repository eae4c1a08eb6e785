import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { fullJitter } from '../../src/time/backoff.ts';

const settings = fc.record({
  baseMs: fc.integer({ min: 1, max: 60_000 }),
  maxMs: fc.integer({ min: 1, max: 900_000 }),
});
const random = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
const failures = fc.oneof(fc.integer({ min: 1, max: 60 }), fc.integer({ min: 1, max: 1_000_000_000 }));

describe('fullJitter', () => {
  test('stays from 0 to the ceiling of its failure, and within the longest wait', () => {
    fc.assert(
      fc.property(settings, failures, random, (backoff, count, drawn) => {
        const ms = fullJitter(backoff, count, () => drawn);
        expect(ms).toBeGreaterThanOrEqual(0);
        expect(ms).toBeLessThanOrEqual(backoff.maxMs);
        expect(ms).toBeLessThanOrEqual(backoff.baseMs * 2 ** (count - 1));
      }),
    );
  });

  test('uses the whole of the range: nothing at the least random number, nearly all at the greatest', () => {
    fc.assert(
      fc.property(settings, failures, (backoff, count) => {
        const ceiling = Math.min(backoff.maxMs, backoff.baseMs * 2 ** (count - 1));
        expect(fullJitter(backoff, count, () => 0)).toBe(0);
        expect(fullJitter(backoff, count, () => 0.999999)).toBeCloseTo(ceiling, -3);
        expect(fullJitter(backoff, count, () => 0.5)).toBeCloseTo(ceiling / 2, 6);
      }),
    );
  });

  test.each([
    [1, 100],
    [2, 200],
    [3, 400],
    [7, 6_400],
    [8, 10_000],
    [5_000, 10_000],
    [0, 100],
  ])('doubles from the base up to the longest wait: %i failures, half of %i ms', (count, halfMs) => {
    expect(fullJitter({ baseMs: 200, maxMs: 20_000 }, count, () => 0.5)).toBe(halfMs);
  });

  test('draws one random number per wait', () => {
    let drawn = 0;
    fullJitter({ baseMs: 5_000, maxMs: 120_000 }, 3, () => {
      drawn++;
      return 0.5;
    });
    expect(drawn).toBe(1);
  });
});
