import { describe, expect, test } from 'vitest';
import { drainTimes } from '../../src/worker/drain.ts';

describe('the times of a drain', () => {
  test.each([
    [1_000, 650, 750],
    [2_000, 1_400, 1_600],
    [25_000, 20_000, 23_750],
    [600_000, 480_000, 570_000],
  ])('within a grace of %i ms: calls are cut after %i, and it is over after %i', (graceMs, cutMs, endMs) => {
    const times = drainTimes(graceMs);
    expect(times.cutMs).toBeCloseTo(cutMs);
    expect(times.endMs).toBeCloseTo(endMs);
  });
});
