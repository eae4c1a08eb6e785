import { expect, onTestFinished, test } from 'vitest';
import { LocalRateLimiter } from '../../../src/ota/rate/limiter.ts';
import { LimiterOnceLimited } from '../../../src/ota/rate/limiter-once-limited.ts';

function setUp() {
  const shared: number[] = [];
  const now = (): number => performance.now();
  const limiter = new LimiterOnceLimited({
    share: (ceiling) => {
      shared.push(ceiling);
      return new LocalRateLimiter(ceiling, now);
    },
    now,
  });
  onTestFinished(() => limiter.close());
  return { limiter, shared };
}

test('is unpaced until there is a ceiling, and again when there is none', async () => {
  const { limiter, shared } = setUp();
  expect(await limiter.grant(1)).toBe(Number.POSITIVE_INFINITY);
  limiter.setCeiling(50);
  expect([limiter.ceiling, limiter.rate, shared]).toEqual([50, 50, [50]]);
  expect(await limiter.grant(1)).toBeGreaterThan(0);
  limiter.setCeiling(20);
  expect([limiter.ceiling, shared]).toEqual([20, [50]]);
  limiter.setCeiling(Number.POSITIVE_INFINITY);
  expect(await limiter.grant(1)).toBe(Number.POSITIVE_INFINITY);
});

test('a grant that waits at a low rate is given by the rate that holds now, and 0 permits once it is closed', async () => {
  const { limiter } = setUp();
  limiter.setCeiling(0.01);
  await limiter.grant(1);
  const waiting = limiter.grant(1);
  limiter.setCeiling(Number.POSITIVE_INFINITY);
  expect(await waiting).toBe(Number.POSITIVE_INFINITY);
  limiter.setCeiling(0.01);
  await limiter.grant(1);
  const last = limiter.grant(1);
  await limiter.close();
  expect(await last).toBe(0);
});
