/** What the adaptive rate does beside cuts and climbs: waits while a limit is spent, and dips. */
import { describe, expect, test } from 'vitest';
import { lastDipTime } from '../../../src/ota/rate/adaptive/dip-schedule.ts';
import { defaultTuning } from '../../../src/ota/rate/adaptive/tuning.ts';
import { type DrivenRate, drivenRate, oneOf, settledRate, withoutDips } from './driven-rate.ts';

const { cut, growth, noise, spent, ramp } = defaultTuning;

describe('while a limit is spent', () => {
  test('calls are few, and go on as before when one is accepted', () => {
    const { control, told, throttle, accept } = settledRate(200);
    const before = control.rate;
    const heard = told.length;
    for (let i = 0; i < spent.run; i++) throttle();
    expect(control.rate).toBeLessThan(1_000 / 29);
    for (let i = 0; i < 12; i++) throttle();
    expect(control.rate).toBeLessThan(10);
    expect(Math.min(...told.slice(heard))).toBe(control.rate);
    accept(1);
    expect(control.rate).toBeGreaterThan(10);
    expect(control.rate).toBeLessThan(before);
  });

  test('nothing is cut by calls that end meanwhile', () => {
    const one = settledRate(200);
    const other = settledRate(200);
    for (const { throttle } of [one, other]) for (let i = 0; i < spent.run; i++) throttle();
    const early = other.now();
    for (let i = 0; i < 100; i++) other.end(early - 1, { kind: 'throttled' });
    for (const { pass, accept } of [one, other]) {
      pass(100);
      accept(1);
    }
    expect(other.control.rate).toBeCloseTo(one.control.rate, 6);
  });

  test('what was accepted before a short one is no limit where the queue was nearly empty', () => {
    const { control, accept, pass, end, now } = settledRate(1_000);
    const before = control.rate;
    accept(600, 30);
    for (let i = 0; i < spent.run; i++) {
      pass(1);
      end(now(), { kind: 'throttled' });
    }
    pass(50);
    accept(1);
    expect(control.rate).toBeGreaterThan(0.15 * before);
    expect(control.rate).toBeLessThan(0.25 * before);
  });

  test('a short one takes something off, however much was accepted before', () => {
    const { control, accept, pass, end, now } = settledRate(200);
    accept(600, 2 * control.rate);
    const before = control.rate;
    for (let i = 0; i < spent.run; i++) {
      pass(1);
      end(now(), { kind: 'throttled' });
    }
    accept(1);
    expect(control.rate).toBeLessThan(before);
    expect(control.rate).toBeGreaterThan(0.7 * before);
  });

  test('soon after the begin a fifth of the rate is left', () => {
    const { control, throttle, accept, drive } = drivenRate(2_000, { startAt: 200, tuning: withoutDips });
    // The careful start.
    accept(400);
    drive(0.2, () => false);
    const before = control.rate;
    for (let i = 0; i < spent.run; i++) throttle();
    accept(1);
    expect(control.rate / before).toBeGreaterThan(0.15);
    expect(control.rate / before).toBeLessThan(1);
  });

  test('the ceiling is left, and a ramp follows', () => {
    const { control, throttle, accept } = drivenRate(400, { tuning: withoutDips });
    for (let i = 0; i < spent.run; i++) throttle();
    accept(1);
    expect(control.rate).toBeLessThan(0.25 * 400 * ramp.part);
    expect(control.foundAt).toBeDefined();
  });

  /** An API that accepts so many calls in each window. */
  function windows({ now }: DrivenRate, ms: number, calls: number): () => boolean {
    let window = -1;
    let accepted = 0;
    return () => {
      const current = Math.floor(now() / ms);
      if (current !== window) accepted = 0;
      window = current;
      return ++accepted > calls;
    };
  }

  test.each([
    [1_000, 50],
    [5_000, 300],
    [10_000, 1_000],
    [60_000, 6_000],
  ])('windows of %d ms with %d calls are filled with few throttled calls', (ms, calls) => {
    const driven = drivenRate(400);
    const isThrottled = windows(driven, ms, calls);
    let [accepted, throttled] = [0, 0];
    driven.drive((5 * ms) / 1_000, isThrottled);
    const from = driven.now();
    driven.drive((10 * ms) / 1_000, () => {
      const refused = isThrottled();
      if (refused) throttled++;
      else accepted++;
      return refused;
    });
    const allowed = (calls * (driven.now() - from)) / ms;
    expect(accepted / allowed).toBeGreaterThan(0.85);
    expect(throttled / (accepted + throttled)).toBeLessThan(0.1);
    expect(driven.control.rate).toBeLessThan(400);
  });

  test('a period is known by the second wait, and then somewhat less is called than it allows', () => {
    const driven = drivenRate(400);
    const { control, now, pass, end, until } = driven;
    const isThrottled = windows(driven, 60_000, 6_000);
    let throttled = false;
    const step = (): void => {
      pass(1_000 / control.rate);
      throttled = isThrottled();
      end(now(), throttled ? { kind: 'throttled' } : undefined);
    };
    for (let i = 0; i < 4; i++) {
      until(() => throttled && control.rate < 20, step);
      until(() => !throttled, step);
    }
    // 98% of what was accepted per period, which seems up to a fortieth longer: so far apart are the probes.
    expect(control.rate).toBeGreaterThan(0.98 * (1 - 1 / 40) * 100 - 0.2);
    expect(control.rate).toBeLessThan(99);
  });
});

test('after a wait for a limit that was spent, cuts may go far below the rate before', () => {
  const { control, throttle, accept, drive } = settledRate(200);
  for (let i = 0; i < spent.run + 12; i++) throttle();
  accept(1);
  drive(20, oneOf(8));
  expect(control.rate).toBeLessThan(cut.leaves * 200);
});

describe('dips', () => {
  /** Seconds after which at least one dip has been made and is over. */
  const A_DIP = 2 * noise.slot + 2 * noise.length;

  test('are not made at the ceiling, where nothing was throttled', () => {
    const { told, drive } = drivenRate(200);
    drive(10 * A_DIP, () => false);
    expect(told).toEqual([]);
  });

  test('take a part off the rate for some time, and then it is as before', () => {
    const { control, told, drive, throttle, until, accept } = drivenRate(200);
    drive(1, () => false);
    throttle();
    const { foundAt } = control;
    drive(0.5, () => false);
    until(
      () => told.length > 1 && (told.at(-1) ?? 0) < 0.95 * (told.at(-2) ?? 0),
      () => {
        if (control.rate === 200) throttle();
        accept(1);
      },
    );
    const [before = 0, low = 0] = told.slice(-2);
    expect(low / before).toBeCloseTo(1 - noise.depth, 1);
    accept(10);
    expect(control.rate).toBe(low);
    until(
      () => control.rate !== low,
      () => accept(1),
    );
    expect(control.rate).toBeCloseTo(before, 0);
    expect(foundAt).toBeDefined();
  });

  test('are made at the same time of the wall clock by workers with other monotonic clocks', () => {
    const dips = (wallAheadMs: number): number[] => {
      const { control, drive, now, told } = drivenRate(1_000, { wallAheadMs: () => wallAheadMs });
      drive(1, () => false);
      const at: number[] = [];
      const throttled = oneOf(200);
      for (let i = 0; i < 400; i++) {
        const before = control.rate;
        drive(0.05, throttled);
        if (control.rate < 0.93 * before) at.push(now() + wallAheadMs);
      }
      expect(told.length).toBeGreaterThan(0);
      return at;
    };
    const [one, other] = [dips(0), dips(1_000 * noise.slot + 2_300)];
    expect(one.length).toBeGreaterThan(1);
    expect(other.length).toBeGreaterThan(1);
    for (const wall of [...one, ...other]) expect(wall - lastDipTime(wall, true, noise)).toBeLessThan(150);
  });
});

describe('noise', () => {
  /** The rate after minutes in which a share of the calls was throttled, whatever the rate, below 200/s. */
  function noisy(minutes: number, oneCallOf: number, options = {}): DrivenRate {
    const driven = drivenRate(200, options);
    driven.drive(60 * minutes, oneOf(oneCallOf));
    return driven;
  }

  test.each([20, 50])('of one call in %d is learnt, and then takes little off the rate', (calls) => {
    expect(noisy(10, calls).control.rate).toBeGreaterThan(0.8 * 200);
  });

  test('that has just been learnt gives back what it took, and a fast climb follows', () => {
    // Cuts that take much before it is learnt.
    const tuning = {
      ...defaultTuning,
      cut: { ...defaultTuning.cut, perSecond: 0.3 },
      noise: { ...noise, back: 1 },
    };
    const driven = drivenRate(1_000, { tuning });
    const { control, drive, gainedPerSecond, until } = driven;
    drive(1, () => false);
    const isNoise = oneOf(20);
    // More than the end of a dip gives back.
    const jump = 1.05 / (1 - Math.max(noise.depth, 0.06 * noise.depthPerShare));
    let last = control.rate;
    until(
      () => control.rate > jump * last,
      () => {
        last = control.rate;
        drive(1 / last, isNoise);
      },
    );
    expect(gainedPerSecond(0.3)).toBeGreaterThan(0.7 * growth.perSecond);
  });

  test('keeps the rate low where no dips tell it from a limit', () => {
    expect(noisy(10, 20, { tuning: withoutDips }).control.rate).toBeLessThan(0.6 * 200);
  });

  test('that was learnt hides no limit', () => {
    const { control, drive, now } = noisy(10, 20);
    // A token bucket of 50/s, with the noise before it.
    let [tokens, filledAt] = [5, now()];
    const isNoise = oneOf(20);
    drive(60, (at) => {
      tokens = Math.min(5, tokens + ((at - filledAt) * 50) / 1_000);
      filledAt = at;
      if (isNoise() || tokens < 1) return true;
      tokens--;
      return false;
    });
    expect(control.rate).toBeLessThan(65);
    expect(control.rate).toBeGreaterThan(30);
  });
});
