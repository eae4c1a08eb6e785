/** The start at a remembered rate, simulated: few 429s, and soon at the limit. */
import { describe, expect, test } from 'vitest';
import { allCases } from '../../../testing/cases.ts';
import { bucketRestarts, measureRestart, type Restart } from '../../../testing/rates/restarts.ts';
import { busyMachine } from '../../../testing/rates/scenarios.ts';

const SEEDS = allCases() ? 20 : 5;
const buckets = (left: Restart['left']): [string, Restart][] =>
  [
    ...bucketRestarts(left, 5, 0.01),
    ...bucketRestarts(left, 50, 0.01),
    // With smaller bursts the rate that is found is far below the limit, whoever remembers it.
    ...bucketRestarts(left, 300, 0.02),
  ].map((restart) => [name(restart), restart]);
const name = ({ limit, burst, latencyMs }: Restart): string => `${limit}/s, burst ${burst}, ${latencyMs} ms`;

describe('a restart with a remembered rate', () => {
  test.each(buckets(1))('the limit is the same: %s', (_, restart) => {
    const { throttled, accepted } = measureRestart(restart, SEEDS);
    expect(throttled).toBeLessThanOrEqual(0.03);
    expect(accepted).toBeGreaterThanOrEqual(0.7);
  });

  test.each(buckets(0.5))('the limit has fallen to a half: %s', (_, restart) => {
    expect(measureRestart(restart, SEEDS).throttled).toBeLessThanOrEqual(0.1);
  });

  test.each([1, 0.5] as const)('a busy machine, %s of the limit', (left) => {
    const { throttled, accepted } = measureRestart(
      { limit: 200 * left, burst: 20, left, stalls: busyMachine },
      SEEDS,
    );
    expect(throttled).toBeLessThanOrEqual(left === 1 ? 0.03 : 0.1);
    expect(accepted).toBeGreaterThanOrEqual(0.7);
  });

  test.each<[string, Omit<Restart, 'left' | 'limit'>]>([
    ['noise of 1%', { noise: 0.01 }],
    ['ticks of a second', { api: { kind: 'bucket', ratePerSecond: 200, burst: 200, tickMs: 1_000 } }],
    ['a fixed window of 10 s', { api: { kind: 'window', calls: 2_000, periodMs: 10_000, sliding: false } }],
    ['four workers at once', { workers: 4, burst: 20 }],
    ['ten workers at once', { workers: 10, burst: 20 }],
  ])('%s', (_, setting) => {
    const { throttled, accepted } = measureRestart({ ...setting, limit: 200, left: 1 }, SEEDS);
    expect(throttled).toBeLessThanOrEqual(0.03);
    expect(accepted).toBeGreaterThanOrEqual(0.7);
  });
});
