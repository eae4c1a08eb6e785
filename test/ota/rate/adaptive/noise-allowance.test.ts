import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Noise } from '../../../../src/ota/rate/adaptive/noise.ts';
import { NoiseAllowance } from '../../../../src/ota/rate/adaptive/noise-allowance.ts';
import { defaultTuning } from '../../../../src/ota/rate/adaptive/tuning.ts';
import { seeded } from '../../../../testing/random.ts';

/** How many of so many throttled calls in a row are excused. */
function excused(allowance: NoiseAllowance, calls: number, noise: number): number {
  let count = 0;
  for (let i = 0; i < calls; i++) if (allowance.excuses(true, noise)) count++;
  return count;
}

describe('what noise excuses', () => {
  test('is nothing while there is none', () => {
    const allowance = new NoiseAllowance();
    allowance.refill();
    expect(excused(allowance, 100, 0)).toBe(0);
  });

  test('is no accepted call', () => {
    const allowance = new NoiseAllowance();
    for (let i = 0; i < 100; i++) expect(allowance.excuses(false, 0.1)).toBe(false);
  });

  test.each([0.01, 0.05, 0.1])('is every throttled call where a share of %d is, some time after', (noise) => {
    const allowance = new NoiseAllowance();
    let owed = 0;
    let missed = 0;
    for (let i = 0; i < 10_000; i++) {
      owed += noise;
      const throttled = owed >= 1;
      if (throttled) owed--;
      if (!allowance.excuses(throttled, noise) && throttled && i > 1_000) missed++;
    }
    expect(missed).toBe(0);
  });

  test.each([0.01, 0.05, 0.1])('is nearly all of it, although it comes at random: noise of %d', (noise) => {
    const allowance = new NoiseAllowance();
    const random = seeded(1);
    let [throttled, count] = [0, 0];
    for (let i = 0; i < 200_000; i++) {
      const isThrottled = random() < noise;
      if (isThrottled) throttled++;
      if (allowance.excuses(isThrottled, noise)) count++;
    }
    expect(count / throttled).toBeGreaterThan(0.97);
  });

  test.each([0.01, 0.05, 0.1])('is not what a limit throttles besides: noise of %d', (noise) => {
    const calls = 10_000;
    const count = excused(new NoiseAllowance(), calls, noise);
    expect(count).toBeGreaterThan(noise * calls);
    expect(count).toBeLessThan(noise * 1.16 * calls);
  });

  test('is a burst of some calls after a long time without, and more where there is more noise', () => {
    const burst = (noise: number): number => {
      const allowance = new NoiseAllowance();
      for (let i = 0; i < 100_000; i++) allowance.excuses(false, noise);
      let count = 0;
      while (allowance.excuses(true, noise)) count++;
      return count;
    };
    expect(burst(0.01)).toBeGreaterThanOrEqual(5);
    expect(burst(0.01)).toBeLessThan(10);
    expect(burst(0.1)).toBeGreaterThan(burst(0.01) + 5);
    expect(burst(0.1)).toBeLessThan(20);
  });

  test('is some calls at once where noise has just been learnt', () => {
    const allowance = new NoiseAllowance();
    allowance.refill();
    expect(excused(allowance, 4, 0.01)).toBe(3);
    allowance.refill();
    allowance.refill();
    expect(excused(allowance, 4, 0.01)).toBe(3);
  });

  test('is never more than the noise and its margin, for any calls', () => {
    const calls = fc.array(fc.tuple(fc.boolean(), fc.double({ min: 0, max: 0.15, noNaN: true })));
    fc.assert(
      fc.property(calls, (all) => {
        const allowance = new NoiseAllowance();
        let most = 0;
        let count = 0;
        for (const [throttled, noise] of all) {
          most += noise * 1.15 + 1e-12;
          if (allowance.excuses(throttled, noise)) count++;
          expect(count).toBeLessThanOrEqual(most);
        }
      }),
    );
  });
});

describe('noise', () => {
  /** Calls at 200/s of which 5% are throttled; how many count. */
  function drive(noise: Noise, fromMs: number, seconds: number): { counted: number; backs: number } {
    let [counted, backs] = [0, 0];
    for (let i = 0; i < 200 * seconds; i++) {
      const now = fromMs + i * 5;
      const throttled = i % 20 === 0;
      if (noise.counts({ startedAt: now, endedAt: now }, throttled)) counted++;
      if (noise.advance(now, 200, true) !== undefined) backs++;
    }
    return { counted, backs };
  }

  test('counts all throttled calls before it is learnt, few after, and no accepted one', () => {
    const noise = new Noise(defaultTuning.noise, () => 0);
    const seconds = 4 * defaultTuning.noise.slot;
    expect(noise.share).toBe(0);
    const first = drive(noise, 0, 5);
    expect(first).toEqual({ counted: 50, backs: 0 });
    const learning = drive(noise, 5_000, 300);
    expect(learning.backs).toBeGreaterThan(0);
    expect(noise.share).toBeGreaterThan(0.025);
    expect(drive(noise, 305_000, seconds).counted).toBeLessThan(10 * seconds * 0.3);
  });

  test('excuses some calls as soon as it has been learnt', () => {
    const noise = new Noise(defaultTuning.noise, () => 0);
    let now = 0;
    for (let i = 0; noise.share === 0; i++) {
      now += 5;
      noise.counts({ startedAt: now, endedAt: now }, i % 20 === 0);
      noise.advance(now, 200, true);
    }
    const counted = [1, 2, 3].map(() => noise.counts({ startedAt: now, endedAt: now }, true));
    expect(counted).toEqual([false, false, false]);
  });

  test('has no dip any more when it is aborted', () => {
    const noise = new Noise(defaultTuning.noise, () => 0);
    for (let now = 0; noise.factor === 1; now += 5) noise.advance(now, 200, true);
    noise.abort();
    expect(noise.factor).toBe(1);
  });
});
