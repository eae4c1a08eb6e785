/** A fleet on Redis in virtual time: what it gets of a limit, what it costs in 429s, and how the workers share it. */
import { describe, expect, test } from 'vitest';
import { allCases } from '../../../../testing/cases.ts';
import { simulateFleet } from '../../../../testing/rates/fleet.ts';
import {
  bucket,
  busy,
  hadInFleet,
  judgeBeside,
  judgeFleet,
  neighbours,
} from '../../../../testing/rates/fleet-measures.ts';

describe('a fleet with more work than the API takes', () => {
  const sizes = allCases() ? [2, 4, 8, 32] : [2, 8];
  const limits = allCases() ? [10, 20, 50, 100, 200, 500] : [10, 200];
  const table = limits.flatMap((limit) =>
    // Where each has much less than one call a second, permits are booked seconds ahead.
    sizes.map((workers) => ({ workers, limit, throttled: workers > limit ? 0.03 : 0.02 })),
  );

  test.each(table)(
    'of $workers workers on $limit/s has it all, and shares it evenly',
    ({ workers, limit, throttled }) => {
      const had = judgeFleet(workers, limit, 1);
      expect(had.sum).toBeGreaterThan(0.97);
      expect(had.throttled).toBeLessThan(throttled);
      // Calls are whole.
      expect(had.uneven).toBeLessThan(0.05 + workers / (240 * limit));
    },
  );
});

describe('noise that is not known at first does not stall a fleet', () => {
  // Of each ten or so fleets one has dips in which chance throttles nothing; the first five of those on 50/s have one.
  const seeds = Array.from({ length: allCases() ? 20 : 5 }, (_, i) => i + 1);

  test.each([
    { perSecond: 50, noise: 0.03 },
    { perSecond: 50, noise: 0.1 },
    { perSecond: 200, noise: 0.03 },
  ])('$noise of all calls, $perSecond/s', ({ perSecond, noise }) => {
    const had = seeds.map((seed) => {
      const result = simulateFleet({
        durationMs: 300_000,
        limit: bucket(perSecond),
        ceiling: 2 * perSecond,
        workers: busy(4),
        noise,
        seed,
      });
      return hadInFleet(result, 200, 300).accepted / (100 * perSecond);
    });
    expect(Math.min(...had)).toBeGreaterThan(0.5);
  });
});

test.each([50, 200])('four workers without Redis do not starve a fleet beside them, on %d/s', (perSecond) => {
  const beside = neighbours.find(({ name }) => name === 'four workers without Redis');
  if (beside === undefined) throw new Error('they are not simulated');
  const { part, throttled, theirs } = judgeBeside(beside, perSecond, allCases() ? 24 : 8);
  // Without dips of its own, it gets less.
  expect(part).toBeGreaterThan(0.6);
  expect(throttled).toBeLessThan(0.05);
  expect(theirs).toBeLessThan(0.05);
});

const limit = 200;
const ceiling = 4 * limit;
const seconds = (from: number, to: number) => (ms: number) => ms >= from * 1_000 && ms < to * 1_000;

test('shares follow need: what one does not need the others have', () => {
  const workers = [...busy(2), { startMs: 0, demand: () => 10 }, { startMs: 0, demand: () => 0 }];
  const result = simulateFleet({ durationMs: 120_000, limit: bucket(limit), ceiling, workers, seed: 1 });
  const calls = workers.map((_, i) => hadInFleet(result, 30, 120, i).calls / 90);
  const all = hadInFleet(result, 30, 120).calls / 90;
  expect(calls[3]).toBe(0);
  expect(calls[2]).toBeGreaterThan(9.5);
  for (const each of calls.slice(0, 2)) expect(Math.abs(each / ((all - 10) / 2) - 1)).toBeLessThan(0.05);
});

test("an idle worker's part is used within a second, and it has it back within another", () => {
  // Between two dips of the rate.
  const away = seconds(63, 93);
  const workers = [...busy(3), { startMs: 0, demand: (ms: number) => (away(ms) ? 0 : 1_000) }];
  const result = simulateFleet({ durationMs: 120_000, limit: bucket(limit), ceiling, workers, seed: 1 });
  expect(hadInFleet(result, 65, 93, 3).calls).toBe(0);
  expect(hadInFleet(result, 64, 66).accepted / (2 * limit)).toBeGreaterThan(0.95);
  expect(hadInFleet(result, 95, 99, 3).calls / 4).toBeGreaterThan(0.9 * (limit / 4));
});

test('one that leads and is killed is missed for a moment, and the next one goes on where it was', () => {
  const workers = busy(4).map((worker, i) => ({ ...worker, ...(i === 0 && { stopMs: 60_000 }) }));
  const result = simulateFleet({ durationMs: 120_000, limit: bucket(limit), ceiling, workers, seed: 1 });
  expect(new Set(result.leaders.slice(10, 59))).toEqual(new Set([0]));
  const [next = -1] = result.leaders.slice(62);
  expect(next).toBeGreaterThan(0);
  expect(new Set(result.leaders.slice(62))).toEqual(new Set([next]));
  expect(hadInFleet(result, 60, 75).throttled).toBeLessThan(0.03);
  expect(hadInFleet(result, 60, 75).accepted / (15 * limit)).toBeGreaterThan(0.85);
  expect(hadInFleet(result, 75, 120).accepted / (45 * limit)).toBeGreaterThan(0.97);
});

test('workers that are killed one after the other never leave the fleet without one that leads', () => {
  const workers = busy(8).map((worker, i) => ({ ...worker, ...(i < 7 && { stopMs: 30_000 + 8_000 * i }) }));
  const result = simulateFleet({ durationMs: 120_000, limit: bucket(limit), ceiling, workers, seed: 1 });
  expect(hadInFleet(result, 30, 90).accepted / (60 * limit)).toBeGreaterThan(0.85);
  expect(hadInFleet(result, 30, 90).throttled).toBeLessThan(0.03);
  expect(result.leaders.slice(90).every((leader) => leader === 7)).toBe(true);
});

test('new workers begin at the rate of the fleet', () => {
  // Between two dips of the rate.
  const workers = [...busy(2), ...Array.from({ length: 10 }, () => ({ startMs: 63_000 }))];
  const result = simulateFleet({ durationMs: 90_000, limit: bucket(limit), ceiling, workers, seed: 1 });
  expect(hadInFleet(result, 63, 66).throttled).toBeLessThan(0.03);
  expect(hadInFleet(result, 63, 66).accepted / (3 * limit)).toBeGreaterThan(0.95);
  for (let i = 2; i < 12; i++)
    expect(hadInFleet(result, 65, 90, i).calls / 25).toBeGreaterThan(0.9 * (limit / 12));
});

test('a fleet follows a limit that falls to a half', () => {
  const changes = [{ atMs: 60_000, limit: bucket(limit / 2) }];
  const result = simulateFleet({
    durationMs: 120_000,
    limit: bucket(limit),
    changes,
    ceiling,
    workers: busy(8),
    seed: 1,
  });
  expect(hadInFleet(result, 65, 120).throttled).toBeLessThan(0.04);
  expect(hadInFleet(result, 65, 120).accepted / (55 * (limit / 2))).toBeGreaterThan(0.95);
});

test.each([4, 32])(
  'a fleet of %i waits out a window that is spent, and all of it is back when it is over',
  (count) => {
    const window = { kind: 'window', calls: 2_000, periodMs: 10_000, sliding: false } as const;
    const workers = busy(count);
    const result = simulateFleet({ durationMs: 180_000, limit: window, ceiling, workers, seed: 1 });
    expect(hadInFleet(result, 60, 180).accepted / (120 * limit)).toBeGreaterThan(0.9);
    expect(hadInFleet(result, 60, 180).throttled).toBeLessThan(0.05);
  },
);
