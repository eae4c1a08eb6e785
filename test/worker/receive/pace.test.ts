import { describe, expect, test } from 'vitest';
import { Pace } from '../../../src/worker/receive/pace.ts';

describe('what was got through lately', () => {
  test('is the number of the last second, as if spread evenly over the one before', () => {
    const pace = new Pace();
    for (let i = 0; i < 40; i++) pace.passed(0);
    for (let i = 0; i < 10; i++) pace.started(900, false);
    expect([pace.lately(999), pace.lately(1_250), pace.lately(1_999)].map(Math.round)).toEqual([50, 38, 0]);
    expect(pace.lately(60_000)).toBe(0);
  });
});

describe('what can be started', () => {
  /** Starts `perSecond` calls a second, in clumps, for `seconds` from `from` on, others waiting throughout. */
  const run = (pace: Pace, from: number, seconds: number, perSecond: number, clump = 1): number => {
    const every = (1_000 * clump) / perSecond;
    let now = from;
    for (; now < from + seconds * 1_000; now += every) {
      for (let i = 0; i < clump; i++) pace.started(now, true);
    }
    return now - every;
  };

  test('is not known before calls have waited, nor by those that found their start at once', () => {
    const pace = new Pace();
    expect(pace.possible(5_000, false)).toBe(Number.POSITIVE_INFINITY);
    for (let at = 0; at < 100_000; at += 4_000) pace.started(at, false);
    expect(pace.possible(200_000, false)).toBe(Number.POSITIVE_INFINITY);
  });

  test.each([
    ['paced calls', 10, 1],
    ['calls in clumps', 500, 50],
    ['few slow calls', 0.25, 1],
  ])('is what is started of %s', (_, perSecond, clump) => {
    const pace = new Pace();
    const now = run(pace, 0, 60, perSecond, clump);
    expect(pace.possible(now, true) / perSecond).toBeGreaterThan(0.9);
    expect(pace.possible(now, true) / perSecond).toBeLessThan(1.2);
  });

  test('falls while a start is due that does not come', () => {
    const pace = new Pace();
    pace.started(0, true);
    expect(pace.possible(4_000, true)).toBe(0.25);
    expect(pace.possible(8_000, true)).toBe(0.125);
  });

  test('follows a change within seconds', () => {
    const pace = new Pace();
    const slow = run(pace, 0, 20, 10);
    const fast = run(pace, slow, 6, 100);
    expect(pace.possible(fast, true)).toBeGreaterThan(80);
    const again = run(pace, fast, 6, 10);
    expect(pace.possible(again, true)).toBeLessThan(15);
  });

  test('is as it was when calls were paused meanwhile, or none waited any more', () => {
    const pace = new Pace();
    const now = run(pace, 0, 10, 10);
    pace.possible(now, false);
    expect(Math.round(pace.possible(now + 600_000, false))).toBe(10);
    pace.started(now + 600_000, false);
    expect(Math.round(pace.possible(now + 600_000, true))).toBe(10);
  });

  test('is found out where one call waits at a time, and again when calls become fast', () => {
    const pace = new Pace();
    let now = 0;
    const oneAtATime = (count: number, ms: number): number => {
      for (let i = 0; i < count; i++) {
        pace.possible(now, true);
        now += ms;
        pace.started(now, false);
      }
      return pace.possible(now, false);
    };
    expect(oneAtATime(20, 20_000)).toBeCloseTo(0.05);
    expect(oneAtATime(60, 50)).toBeGreaterThan(10);
  });
});
