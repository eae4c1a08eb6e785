import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import {
  GRANTS_BELOW_CEILING,
  grantInterval,
  grantSize,
  LocalRateLimiter,
  mostMissed,
} from '../../../src/ota/rate/limiter.ts';

describe('grantSize and grantInterval', () => {
  test.each([
    [0.01, 1, 100_000],
    [0.5, 1, 2_000],
    [1, 1, 1_000],
    [10, 1, 100],
    [100, 1, 10],
    [101, 2, 2_000 / 101],
    [200, 2, 10],
    [420, 5, 5_000 / 420],
    [5_000, 50, 10],
    [100_000, 1_000, 10],
  ])('at %d/s: %i permits every %d ms', (rate, size, interval) => {
    expect(grantSize(rate)).toBe(size);
    expect(grantInterval(rate)).toBeCloseTo(interval, 9);
  });

  test.each([
    [100, undefined],
    [200, GRANTS_BELOW_CEILING],
  ])('give the exact rate in whole permits, with at most %d grants per second', (most, grants) => {
    fc.assert(
      fc.property(fc.double({ min: 0.01, max: 100_000, noNaN: true }), (rate) => {
        const size = grantSize(rate, grants);
        expect(Number.isInteger(size)).toBe(true);
        expect(size).toBeGreaterThanOrEqual(1);
        expect((1_000 * size) / grantInterval(rate, grants)).toBeCloseTo(rate, 6);
        expect(grantInterval(rate, grants)).toBeGreaterThanOrEqual(1_000 / most - 1e-9);
        // No larger than necessary.
        if (size > 1) expect((1_000 * (size - 1)) / rate).toBeLessThan(1_000 / most);
      }),
    );
  });
});

test.each([
  [1_000, 3],
  [10, 3],
  [5, 6],
])('a grant after a stall makes up for missed intervals of %d ms: %d at most', (intervalMs, most) => {
  expect(mostMissed(intervalMs)).toBe(most);
});

describe('LocalRateLimiter', () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  function limiterAt(rate: number): LocalRateLimiter {
    const limiter = new LocalRateLimiter(rate);
    onTestFinished(() => limiter.close());
    return limiter;
  }

  /** Sums the permits of consecutive grants. */
  function drain(limiter: LocalRateLimiter): { permits: number } {
    const total = { permits: 0 };
    const take = async (): Promise<void> => {
      for (let size = await limiter.grant(); size > 0; size = await limiter.grant()) total.permits += size;
    };
    void take();
    return total;
  }

  test.each([2, 10, 100, 250, 1_000])('grants %i permits per second', async (rate) => {
    const total = drain(limiterAt(rate));
    await vi.advanceTimersByTimeAsync(1_000);
    const before = total.permits;

    await vi.advanceTimersByTimeAsync(10_000);

    const perSecond = (total.permits - before) / 10;
    expect(perSecond).toBeGreaterThan(rate * 0.9);
    expect(perSecond).toBeLessThanOrEqual(rate * 1.01);
  });

  test('does not accumulate permits while none are requested', async () => {
    const limiter = limiterAt(10);
    await vi.advanceTimersByTimeAsync(60_000);
    const total = drain(limiter);
    await vi.advanceTimersByTimeAsync(1_000);
    expect(total.permits).toBeLessThanOrEqual(11);
  });

  test('paces later grants by a new rate', async () => {
    const limiter = limiterAt(1);
    const total = drain(limiter);
    await vi.advanceTimersByTimeAsync(1_000);
    limiter.setRate(100);
    expect(limiter.rate).toBe(100);
    await vi.advanceTimersByTimeAsync(2_000);
    const before = total.permits;
    await vi.advanceTimersByTimeAsync(1_000);
    expect(total.permits - before).toBeGreaterThan(85);

    limiter.setRate(1);
    await vi.advanceTimersByTimeAsync(1_000);
    const slow = total.permits;
    await vi.advanceTimersByTimeAsync(10_000);
    expect(total.permits - slow).toBeLessThanOrEqual(11);
  });

  test('gives smaller grants below the ceiling, at the same rate', async () => {
    const limiter = limiterAt(1_000);
    let sizes: number[] = [];
    const take = async (): Promise<void> => {
      for (let size = await limiter.grant(); size > 0; size = await limiter.grant()) sizes.push(size);
    };
    void take();
    const inASecond = async (perSecond: number): Promise<readonly number[]> => {
      limiter.setRate(perSecond);
      // The grants that were requested before.
      await vi.advanceTimersByTimeAsync(100);
      sizes = [];
      await vi.advanceTimersByTimeAsync(1_000);
      return sizes;
    };
    for (const [perSecond, size] of [
      [1_000, 10],
      [600, 3],
      [1_000, 10],
    ] as const) {
      const granted = await inASecond(perSecond);
      expect(new Set(granted)).toEqual(new Set([size]));
      const permits = granted.length * size;
      expect(permits).toBeGreaterThan(0.9 * perSecond);
      expect(permits).toBeLessThanOrEqual(1.01 * perSecond);
    }
  });

  test('keeps granting after a thousand changes of the rate', async () => {
    const limiter = limiterAt(50);
    const total = drain(limiter);
    for (let i = 0; i < 1_000; i++) {
      limiter.setRate(50 + (i % 7));
      await vi.advanceTimersByTimeAsync(1);
    }
    const before = total.permits;
    await vi.advanceTimersByTimeAsync(2_000);
    expect(total.permits - before).toBeGreaterThan(80);
  });

  test('grants without limit when unpaced, and at the rate once one is set', async () => {
    const limiter = limiterAt(Number.POSITIVE_INFINITY);
    expect(await limiter.grant()).toBe(Number.POSITIVE_INFINITY);
    expect(await limiter.grant()).toBe(Number.POSITIVE_INFINITY);
    limiter.setRate(5);
    const total = drain(limiter);
    await vi.advanceTimersByTimeAsync(10_000);
    expect(total.permits).toBeGreaterThan(40);
    expect(total.permits).toBeLessThanOrEqual(52);
  });

  describe('when the wall clock is set', () => {
    const steps = [
      { name: 'back by 25 ms', ms: -25 },
      { name: 'back by 20 s', ms: -20_000 },
      { name: 'back by an hour', ms: -3_600_000 },
      { name: 'forward by an hour', ms: 3_600_000 },
    ];

    test.each(steps.flatMap((step) => [20, 500].map((rate) => ({ ...step, rate }))))(
      'keeps its pace: $name at $rate/s, at any moment between two grants',
      async ({ ms, rate }) => {
        const total = drain(limiterAt(rate));
        const intervalMs = grantInterval(rate);
        for (let moment = 0; moment < intervalMs; moment += intervalMs / 5) {
          await vi.advanceTimersByTimeAsync(intervalMs + Math.round(moment));
          const before = total.permits;
          vi.setSystemTime(Date.now() + ms);
          await vi.advanceTimersByTimeAsync(4 * intervalMs);
          const grants = (total.permits - before) / grantSize(rate);
          expect(grants).toBeGreaterThanOrEqual(3);
          expect(grants).toBeLessThanOrEqual(5);
        }
      },
    );

    test.each(steps)('a grant that waits comes when it is due: $name', async ({ ms }) => {
      const limiter = limiterAt(0.1);
      const total = drain(limiter);
      await vi.advanceTimersByTimeAsync(4_000);
      vi.setSystemTime(Date.now() + ms);
      await vi.advanceTimersByTimeAsync(5_000);
      expect(total.permits).toBe(1);
      await vi.advanceTimersByTimeAsync(2_000);
      expect(total.permits).toBe(2);
      await vi.advanceTimersByTimeAsync(9_000);
      expect(total.permits).toBe(2);
      await vi.advanceTimersByTimeAsync(2_000);
      expect(total.permits).toBe(3);
    });

    test.each(steps)('loses no grant of several that wait, and doubles none: $name', async ({ ms }) => {
      const limiter = limiterAt(10);
      const granted: number[] = [];
      for (let i = 0; i < 5; i++) void limiter.grant().then((permits) => granted.push(permits));
      await vi.advanceTimersByTimeAsync(150);
      vi.setSystemTime(Date.now() + ms);
      await vi.advanceTimersByTimeAsync(1_000);
      expect(granted).toEqual([1, 1, 1, 1, 1]);
    });

    test('a new rate holds after it, too', async () => {
      const limiter = limiterAt(1);
      const total = drain(limiter);
      await vi.advanceTimersByTimeAsync(500);
      vi.setSystemTime(Date.now() - 3_600_000);
      limiter.setRate(100);
      await vi.advanceTimersByTimeAsync(1_500);
      const before = total.permits;
      await vi.advanceTimersByTimeAsync(1_000);
      expect(total.permits - before).toBeGreaterThan(90);
      // Made up for: whole intervals missed before.
      expect(total.permits - before).toBeLessThanOrEqual(105);
    });
  });

  test('ends waiting grants with 0 when it is closed', async () => {
    const limiter = limiterAt(0.01);
    const first = limiter.grant();
    await vi.advanceTimersByTimeAsync(1_000);
    expect(await first).toBe(1);
    const waiting = [limiter.grant(), limiter.grant(), limiter.grant()];
    await vi.advanceTimersByTimeAsync(1_000);

    const closed = limiter.close();
    await vi.advanceTimersByTimeAsync(1_000);

    expect(await Promise.all(waiting)).toEqual([0, 0, 0]);
    await closed;
  });

  test('grants nothing after closing, which can be repeated', async () => {
    for (const rate of [10, Number.POSITIVE_INFINITY]) {
      const limiter = limiterAt(rate);
      await Promise.all([limiter.close(), limiter.close(), vi.advanceTimersByTimeAsync(100)]);
      expect(await limiter.grant()).toBe(0);
    }
  });

  test('leaves no timer behind when closed', async () => {
    const limiter = limiterAt(0.01);
    void limiter.grant();
    void limiter.grant();
    await vi.advanceTimersByTimeAsync(100);
    const closed = limiter.close();
    await vi.advanceTimersByTimeAsync(100);
    await closed;
    expect(vi.getTimerCount()).toBe(0);
  });

  test('a grant that waits at a low rate goes by a higher ceiling at once', async () => {
    const limiter = new LocalRateLimiter(0.01);
    onTestFinished(() => limiter.close());
    const first = limiter.grant();
    await vi.advanceTimersByTimeAsync(10);
    await first;
    let given = 0;
    void limiter.grant().then((permits) => {
      given = permits;
    });
    await vi.advanceTimersByTimeAsync(10);
    limiter.setCeiling(50);
    expect([limiter.ceiling, limiter.rate, limiter.part]).toEqual([50, 50, 50]);
    await vi.advanceTimersByTimeAsync(100);
    expect(given).toBeGreaterThan(0);
  });

  test('a fall of the rate between two grants does not delay those after a higher ceiling', async () => {
    const limiter = limiterAt(100);
    const total = drain(limiter);
    await vi.advanceTimersByTimeAsync(35);
    limiter.setRate(0.01);
    await vi.advanceTimersByTimeAsync(100);
    const { permits } = total;
    expect(permits).toBeLessThan(8);
    limiter.setCeiling(100);
    await vi.advanceTimersByTimeAsync(500);
    expect(total.permits - permits).toBeGreaterThan(40);
  });
});
