/** What the adaptive rate must show, in simulated time: the scenarios of docs/decisions/0002-adaptive-rate.md. */
import { describe, expect, test } from 'vitest';
import {
  median,
  ours,
  runs,
  singleWorker,
  steps,
  twoAndAStranger,
  twoWorkers,
} from '../../scripts/simulate-rates.ts';
import {
  evenness,
  secondsToWithin10Percent,
  shareOfLimit,
  shareThrottled,
} from '../support/rate-simulator.ts';

const SEEDS = 8;

describe('one worker with RATE_LIMIT at twice the limit', () => {
  test.each([
    { name: '200/s', limit: 200, burst: 20, seconds: 60 },
    { name: '500/s', limit: 500, burst: 20, seconds: 60 },
    { name: '500/s with a larger burst', limit: 500, burst: 50, seconds: 60 },
    { name: '2/s over ten minutes', limit: 2, burst: 2, seconds: 600 },
  ])('fills 97% of $name after 3 s with at most 2% of 429s', ({ limit, burst, seconds }) => {
    const of = singleWorker({ limit, burst, ceiling: 2 * limit, seconds });
    for (const { scenario, result } of runs(of, ours, SEEDS)) {
      expect(shareOfLimit(result, scenario, 3, seconds)).toBeGreaterThanOrEqual(0.97);
      expect(shareThrottled(result, [0], 0, seconds)).toBeLessThanOrEqual(0.02);
    }
  });

  test('fills 97% of a limit that answers after 300 ms', () => {
    const of = singleWorker({ limit: 200, burst: 20, ceiling: 400, latencyMs: 300 });
    for (const { scenario, result } of runs(of, ours, SEEDS))
      expect(shareOfLimit(result, scenario, 3, 60)).toBeGreaterThanOrEqual(0.97);
  });

  test('fills 97% of a limit with no RATE_LIMIT at all', () => {
    const ceiling = Number.POSITIVE_INFINITY;
    const of = singleWorker({ limit: 200, burst: 20, ceiling, concurrency: 50 });
    for (const { scenario, result } of runs(of, ours, SEEDS))
      expect(shareOfLimit(result, scenario, 3, 60)).toBeGreaterThanOrEqual(0.97);
  });
});

describe('a limit that steps 200, 50, 200', () => {
  test('is followed down to within 10% in 5 s, and stayed at', () => {
    const seconds = runs(steps, ours, SEEDS).map(({ result }) =>
      secondsToWithin10Percent(result, 0, 50, 60, 120),
    );
    expect(Math.max(...seconds)).toBeLessThanOrEqual(5);
  });

  test('is followed up to within 10% in 30 s, and stayed at', () => {
    const seconds = runs(steps, ours, SEEDS).map(({ result }) =>
      secondsToWithin10Percent(result, 0, 200, 120, 180),
    );
    expect(Math.max(...seconds)).toBeLessThanOrEqual(30);
  });
});

describe('two workers, the second 30 s later, and a stranger with a fixed 50/s', () => {
  test('fill 95% of the limit together from the first minute on', () => {
    for (const { scenario, result } of runs(twoAndAStranger, ours, SEEDS))
      expect(shareOfLimit(result, scenario, 60, 120)).toBeGreaterThanOrEqual(0.95);
  });

  // Chance moves the shares about: the median over many runs is what can be promised.
  test('are within 15% of each other in the second minute, in the median of 24 runs', () => {
    const even = runs(twoAndAStranger, ours, 24).map(({ result }) => evenness(result, 60, 120));
    expect(median(even)).toBeGreaterThanOrEqual(0.85);
    expect(Math.min(...even)).toBeGreaterThanOrEqual(0.6);
  });

  test('are as even at 500/s without the stranger', () => {
    const of = twoWorkers({ limit: 500, burst: 20, ceiling: 1_000, stranger: 0 });
    const even = runs(of, ours, 24).map(({ result }) => evenness(result, 60, 120));
    expect(median(even)).toBeGreaterThanOrEqual(0.85);
  });
});

describe('RATE_LIMIT at 90% of the limit or below', () => {
  test.each([
    { limit: 200, burst: 20, ceiling: 180 },
    { limit: 200, burst: 20, ceiling: 100 },
    { limit: 500, burst: 20, ceiling: 450 },
    { limit: 2, burst: 2, ceiling: 1.8 },
  ])('is never cut: $ceiling/s of $limit/s', ({ limit, burst, ceiling }) => {
    const seconds = 60;
    for (const { result } of runs(singleWorker({ limit, burst, ceiling, seconds }), ours, SEEDS)) {
      expect(shareThrottled(result, [0], 0, seconds)).toBeLessThanOrEqual(0.001);
      expect(result.seconds[0]?.every(({ rate }) => rate === ceiling)).toBe(true);
    }
  });
});
