/** How the adaptive rate climbs. */
import { describe, expect, test } from 'vitest';
import {
  calmSeconds,
  climbShare,
  cutShare,
  perRoundTrip,
  targetShare,
} from '../../../src/ota/rate/adaptive/law.ts';
import { defaultTuning } from '../../../src/ota/rate/adaptive/tuning.ts';
import { AdaptiveRate } from '../../../src/ota/rate/adaptive-rate.ts';
import { shareThrottled } from '../../../testing/rates/measures.ts';
import { runs, singleWorker } from '../../../testing/rates/scenarios.ts';
import { type DrivenRate, drivenRate, oneOf, settledRate, throttling, withoutDips } from './driven-rate.ts';

const { growth, comeback, boost, perRoundTrip: most } = defaultTuning;

describe('the climb', () => {
  test.each([5, 100, 500])('settles where the share of throttled calls is the target: at %d/s', (limit) => {
    const name = 'without dips';
    const create = (ceiling: number) =>
      new AdaptiveRate({ ceiling, onChange: () => {}, tuning: withoutDips });
    const of = singleWorker({ limit, burst: 5, ceiling: 2 * limit, seconds: 600 });
    for (const { result } of runs(of, { name, create }, 2)) {
      const share = shareThrottled(result, [0], 120, 600) / targetShare(limit, defaultTuning);
      expect(share).toBeGreaterThan(0.5);
      expect(share).toBeLessThan(2);
    }
  });

  test.each([20, 200, 2_000])('adds after a cut what the law says: at %d/s', (rate) => {
    const { control, throttle, gainedPerSecond } = settledRate(rate);
    throttle();
    const expected = climbShare(control.rate, 0, defaultTuning);
    expect(gainedPerSecond() / expected).toBeCloseTo(1, 0.8);
  });

  test('stops while the rate is not utilized', () => {
    const { control, accept } = settledRate(300);
    // The measurement of the busy time lasts for a second.
    accept(300, 50);
    const idle = control.rate;
    accept(6_000, 50);
    expect(control.rate).toBe(idle);
    accept(4_000);
    expect(control.rate).toBeGreaterThan(idle);
  });

  test('does not catch up after a time without calls', () => {
    const { control, accept, throttle, pass } = drivenRate(200, { tuning: withoutDips });
    accept(400);
    throttle();
    accept(50);
    const before = control.rate;
    pass(3_600_000);
    accept(1);
    expect(control.rate).toBeLessThan(before * 1.1);
  });

  test('is slower where a round trip is long', () => {
    const tookMs = 10_000;
    const { control, pass, end, now } = drivenRate(1_000, { startAt: 500, tuning: withoutDips });
    for (let i = 0; i < 4_000; i++) {
      pass(1_000 / control.rate);
      end(now() - tookMs);
    }
    const before = control.rate;
    const from = now();
    for (let i = 0; i < 4_000; i++) {
      pass(1_000 / control.rate);
      end(now() - tookMs);
    }
    const gained = (Math.log(control.rate / before) * 1_000) / (now() - from);
    expect(gained).toBeLessThanOrEqual(perRoundTrip(most.boost, tookMs) * 1.01);
  });
});

describe('the boost', () => {
  test('multiplies the rate, and ends at the first throttled call', () => {
    const { control, drive, throttle, gainedPerSecond } = settledRate(50);
    const before = control.rate;
    throttle();
    drive(14, () => false);
    expect(control.rate).toBeGreaterThan(1.5 * before);
    expect(gainedPerSecond()).toBeCloseTo(boost.perSecond, 2);
    throttle();
    expect(gainedPerSecond()).toBeLessThan(boost.perSecond / 2);
  });

  test('does not begin while noise that is known throttles calls', () => {
    const { control, drive, until, gainedPerSecond } = drivenRate(2_000);
    const noise = oneOf(20);
    drive(120, noise);
    // The known noise excuses all of it, so the rate climbs and is not cut.
    until(
      () => control.rate < 200,
      () => drive(0.1, oneOf(2)),
    );
    drive(30, noise);
    const before = control.rate;
    drive(1, noise);
    expect(Math.log(control.rate / before)).toBeGreaterThan(0);
    expect(Math.log(control.rate / before)).toBeLessThan(boost.perSecond / 2);
    expect(gainedPerSecond()).toBeLessThan(boost.perSecond / 2);
  });
});

describe('growth after a ramp', () => {
  /** A ramp that a throttled call has ended. */
  function ramped(): DrivenRate {
    const driven = drivenRate(2_000, { tuning: withoutDips });
    const { control, drive, throttle, accept, until } = driven;
    drive(1, () => false);
    until(
      () => control.rate < 1_000,
      () => {
        throttle();
        accept(1);
      },
    );
    const low = control.rate;
    until(
      () => control.rate > 1.3 * low,
      () => accept(1),
    );
    throttle();
    return driven;
  }

  test('is much faster than the ordinary climb', () => {
    const { control, gainedPerSecond } = ramped();
    expect(gainedPerSecond()).toBeCloseTo(Math.min(growth.perSecond, growth.perCall * control.rate), 2);
  });

  test('goes on while a throttled call now and then is noise', () => {
    const { drive, gainedPerSecond } = ramped();
    drive(1, oneOf(Math.ceil((2 * growth.sum) / growth.share)));
    expect(gainedPerSecond()).toBeCloseTo(growth.perSecond, 1);
  });

  test('ends when calls are throttled often', () => {
    const { control, throttle, accept, gainedPerSecond } = ramped();
    for (let i = 0; i < Math.ceil(growth.sum) + 1; i++) {
      accept(2);
      throttle();
    }
    expect(gainedPerSecond(0.3) / climbShare(control.rate, 0, defaultTuning)).toBeCloseTo(1, 0.8);
  });
});

describe('the return to the rate before a deep cut', () => {
  /** Found 200/s, and then every other call was throttled until less than this part was left. */
  function cutDeep(part = 0.8): DrivenRate & { before: number } {
    const driven = settledRate(200);
    const { control, throttle, accept, until } = driven;
    const before = control.rate;
    until(
      () => control.rate < part * before,
      () => {
        throttle();
        accept(1);
      },
    );
    return { ...driven, before };
  }

  test('begins some time after it, and is fast', () => {
    const { control, drive, gainedPerSecond, before } = cutDeep();
    const low = control.rate;
    drive(0.9 * comeback.after, () => false);
    expect(control.rate).toBeLessThan(1.1 * low);
    drive(0.2 * comeback.after, () => false);
    expect(control.rate).toBeLessThan(0.85 * before);
    expect(gainedPerSecond(0.1)).toBeCloseTo(comeback.perSecond, 1);
  });

  test('ends at the rate before', () => {
    const { drive, until, control, accept, before, gainedPerSecond } = cutDeep();
    drive(comeback.after, () => false);
    until(
      () => control.rate > before,
      () => accept(1),
    );
    expect(gainedPerSecond()).toBeLessThan(comeback.perSecond / 2);
  });

  test('ends at a throttled call, which takes back what it gained, and the next is made later', () => {
    const { control, drive, throttle, gainedPerSecond } = cutDeep();
    drive(0.95 * comeback.after, () => false);
    const base = control.rate;
    drive(0.1 * comeback.after + 0.2, () => false);
    expect(control.rate).toBeGreaterThan(1.05 * base);
    throttle();
    expect(control.rate).toBeLessThan(1.05 * base);
    expect(control.rate).toBeGreaterThan(base * (1 - 2 * cutShare(base, defaultTuning)));
    // At a limit single calls are throttled.
    drive(0.9 * comeback.after, () => false);
    throttle();
    drive(0.9 * comeback.after, () => false);
    expect(control.rate).toBeLessThan(1.3 * base);
    drive(0.3 * comeback.after, () => false);
    expect(gainedPerSecond(0.1)).toBeGreaterThan(comeback.perSecond / 2);
  });

  test('leaves the rate of a moment before if it fails far above its beginning', () => {
    const { control, until, throttle, accept } = cutDeep(0.3);
    const base = control.rate;
    until(
      () => control.rate > 2.5 * base,
      () => accept(1),
    );
    const reached = control.rate;
    throttle();
    expect(control.rate / reached).toBeCloseTo(Math.exp(-comeback.perSecond * comeback.takenBack), 1);
    expect(control.rate).toBeGreaterThan(1.2 * base);
  });

  test('takes back little where long round trips made the climb slow', () => {
    const { control, until, pass, end, now } = cutDeep(0.3);
    const base = control.rate;
    const slow = (failure?: { kind: string }): void => {
      pass(1_000 / control.rate);
      end(now() - 2_000, failure);
    };
    for (let i = 0; i < 400; i++) slow();
    until(() => control.rate > 1.5 * base, slow);
    const reached = control.rate;
    slow(throttling);
    expect(control.rate / reached).toBeGreaterThan(0.85);
    expect(control.rate).toBeLessThan(0.97 * reached);
  });

  test('never raises the rate by failing, when a lower ceiling has cut what it climbed', () => {
    const { control, drive, throttle } = cutDeep();
    drive(1.05 * comeback.after + 0.2, () => false);
    control.setCeiling(20);
    control.setCeiling(2_000);
    const before = control.rate;
    throttle();
    expect(control.rate).toBeLessThan(1.05 * before);
  });

  test('is tried again before its time where nothing is throttled any more', () => {
    const { control, drive, throttle, gainedPerSecond } = cutDeep();
    drive(1.05 * comeback.after + 0.2, () => false);
    throttle();
    const calm = calmSeconds(control.rate, defaultTuning);
    expect(calm).toBeLessThan(1.95 * comeback.after);
    drive(0.9 * calm, () => false);
    expect(gainedPerSecond(0.1)).toBeLessThan(comeback.perSecond / 2);
    drive(0.1 * calm, () => false);
    expect(gainedPerSecond(0.1)).toBeGreaterThan(comeback.perSecond / 2);
  });
});
