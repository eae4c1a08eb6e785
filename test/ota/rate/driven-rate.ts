/** An adaptive rate in the hands of a test: every rate it has set, and a clock that calls advance. */

import { defaultTuning, type Tuning } from '../../../src/ota/rate/adaptive/tuning.ts';
import { AdaptiveRate, type AdaptiveRateOptions } from '../../../src/ota/rate/adaptive-rate.ts';

export const throttling = { kind: 'throttled' };

/** Without dips, which change the rate at times of the clock. */
export const withoutDips: Tuning = { ...defaultTuning, noise: { ...defaultTuning.noise, tested: false } };

export type DrivenRate = ReturnType<typeof drivenRate>;

export function drivenRate(ceiling: number, options: Partial<AdaptiveRateOptions> = {}) {
  const told: number[] = [];
  const control = new AdaptiveRate({ ceiling, onChange: (perSecond) => told.push(perSecond), ...options });
  let now = 1_000;
  const end = (startedAt: number, failure?: { kind: string }): void => {
    control.observe({ startedAt, endedAt: now, ...(failure && { failure }) });
  };
  const self = {
    control,
    told,
    end,
    now: () => now,
    pass: (ms: number) => {
      now += ms;
    },
    /** Consecutive calls without duration, at `perSecond` or at the present rate. */
    accept: (calls: number, perSecond?: number) => {
      for (let i = 0; i < calls; i++) {
        now += 1_000 / (perSecond ?? control.rate);
        end(now);
      }
    },
    /** Steps until `done`; fails the test after too many steps. */
    until: (done: () => boolean, step: () => void) => {
      for (let steps = 0; !done(); steps++) {
        if (steps === 100_000) throw new Error(`not after ${steps} steps, at ${control.rate} a second`);
        step();
      }
    },
    /** A throttled call, one interval of the present rate later. */
    throttle: () => {
      now += 1_000 / control.rate;
      end(now, throttling);
    },
    /** Consecutive calls at the present rate for so long. @param isThrottled of the calls that end at a time. */
    drive: (seconds: number, isThrottled: (now: number) => boolean) => {
      for (const to = now + 1_000 * seconds; now < to; ) {
        now += 1_000 / control.rate;
        end(now, isThrottled(now) ? throttling : undefined);
      }
    },
    /** By which part the rate grows in a second with accepted calls, over some of them. */
    gainedPerSecond: (seconds = 0.5): number => {
      const [before, from] = [control.rate, now];
      self.drive(seconds, () => false);
      return (Math.log(control.rate / before) * 1_000) / (now - from);
    },
  };
  return self;
}

/** An adaptive rate that has found `rate`, calls per second, some seconds ago: an overload now is not its first. */
export function settledRate(rate: number, options: Partial<AdaptiveRateOptions> = {}): DrivenRate {
  const driven = drivenRate(10 * rate, { startAt: rate, tuning: withoutDips, ...options });
  driven.drive(9, () => false);
  return driven;
}

/** One of so many calls is throttled. */
export function oneOf(calls: number): () => boolean {
  let count = 0;
  return () => ++count % calls === 0;
}

/** The part of the rate that each change left. */
export function factors(first: number, told: readonly number[]): number[] {
  return told.map((perSecond, i) => perSecond / (told[i - 1] ?? first));
}
