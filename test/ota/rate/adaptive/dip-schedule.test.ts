import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { lastDipTime } from '../../../../src/ota/rate/adaptive/dip-schedule.ts';
import { defaultTuning } from '../../../../src/ota/rate/adaptive/tuning.ts';

const { slot, shift, slotsPerDip } = defaultTuning.noise;
const schedule = { slot, shift, slotsPerDip };
/** Wall milliseconds until some centuries from now, and before the epoch. */
const walls = fc.double({ min: -1e12, max: 1e13, noNaN: true });

/** The times of dips from `wall` back, the latest first. */
function dipsBefore(wall: number, young: boolean, count: number): number[] {
  const times: number[] = [];
  for (let at = wall; times.length < count; at = (times.at(-1) ?? 0) - 0.01)
    times.push(lastDipTime(at, young, schedule));
  return times;
}

const gaps = (times: readonly number[]): number[] =>
  times.slice(1).map((time, i) => ((times[i] ?? 0) - time) / 1_000);

describe.each([
  ['young', true],
  ['other', false],
])('the dips of %s workers', (_, young) => {
  test('are before now, and at a time that is the same until the next', () => {
    fc.assert(
      fc.property(walls, fc.double({ min: 0, max: 1, noNaN: true }), (wall, part) => {
        const time = lastDipTime(wall, young, schedule);
        expect(time).toBeLessThanOrEqual(wall);
        // Rounding must not lead beyond `wall`.
        const between = Math.min(wall, time + part * (wall - time));
        expect(lastDipTime(between, young, schedule)).toBe(time);
      }),
    );
  });

  test.each([3, 5, 6, 10, 15, 20, 30, 60])('follow no rhythm of %d seconds', (seconds) => {
    const sixths = [0, 0, 0, 0, 0, 0];
    const times = dipsBefore(1.8e12, young, 1_200);
    for (const time of times) {
      const phase = (time / 1_000 / seconds) % 1;
      sixths[Math.floor(6 * phase)] = (sixths[Math.floor(6 * phase)] ?? 0) + 1;
    }
    for (const count of sixths) {
      expect(count).toBeGreaterThan(100);
      expect(count).toBeLessThan(300);
    }
  });
});

test('young workers dip in each slot, others once in several, and then the young ones dip with them', () => {
  const young = dipsBefore(1.8e12, true, 800);
  const others = dipsBefore(1.8e12, false, 200);
  for (const gap of gaps(young)) expect(Math.abs(gap - slot)).toBeLessThanOrEqual(shift);
  for (const gap of gaps(others)) {
    expect(gap).toBeGreaterThanOrEqual(slot - shift);
    expect(gap).toBeLessThanOrEqual((2 * slotsPerDip - 1) * slot + shift);
  }
  const mean = gaps(others).reduce((sum, gap) => sum + gap, 0) / (others.length - 1);
  expect(mean).toBeCloseTo(slotsPerDip * slot, 0);
  for (const time of others.slice(0, 150)) expect(young).toContain(time);
});

test('is the same in all versions: their workers dip together', () => {
  const walls = [1_764_547_200_000, 1_800_000_000_000, 2_000_000_000_000];
  expect(walls.map((wall) => Math.round(wall - lastDipTime(wall, false, schedule)))).toMatchInlineSnapshot(`
    [
      10236,
      28332,
      29005,
    ]
  `);
});
