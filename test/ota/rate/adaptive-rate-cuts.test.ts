/** How the adaptive rate is cut. */
import { describe, expect, test } from 'vitest';
import { betweenCutsMs, cutShare } from '../../../src/ota/rate/adaptive/law.ts';
import { defaultTuning } from '../../../src/ota/rate/adaptive/tuning.ts';
import { QUIET } from '../../../src/ota/rate/adaptive/utilization.ts';
import { drivenRate, factors, oneOf, settledRate, throttling, withoutDips } from './driven-rate.ts';

const { cut, overload, ramp, spent } = defaultTuning;
const afterCut = (rate: number): number => rate * (1 - cutShare(rate, defaultTuning));

describe('a cut', () => {
  test('takes a few percent off the rate', () => {
    const { control, accept, throttle } = drivenRate(200, { tuning: withoutDips });
    accept(400);
    throttle();
    expect(control.rate).toBeCloseTo(afterCut(200), 0);
  });

  test('is made once for a burst of throttled calls', () => {
    const { control, accept, end, pass, now } = drivenRate(200, { tuning: withoutDips });
    accept(400);
    const startedAt = now();
    for (let i = 0; i < spent.run - 1; i++) {
      pass(1);
      end(startedAt, throttling);
    }
    expect(control.rate).toBeCloseTo(afterCut(200), 0);
  });

  test('is not made for calls begun before the last one', () => {
    const { told, accept, throttle, end, pass, now, control } = drivenRate(200, { tuning: withoutDips });
    accept(400);
    const early = now();
    throttle();
    const before = control.rate;
    pass(2 * betweenCutsMs(200, defaultTuning));
    end(early, throttling);
    expect(control.rate).toBeGreaterThanOrEqual(before);
    pass(1);
    end(now(), throttling);
    expect(control.rate).toBeLessThan(before);
    expect(Math.min(...factors(200, told))).toBeGreaterThanOrEqual(1 - cut.most);
  });

  test('is made again only after some time, so that cuts take off no more in a second than they may', () => {
    const { control, accept, pass, end, now } = drivenRate(200, { tuning: withoutDips });
    accept(400);
    pass(5);
    end(now(), throttling);
    const [before, at] = [control.rate, now()];
    const between = betweenCutsMs(before, defaultTuning);
    while (now() + 5 < at + 0.9 * between) {
      accept(1, 200);
      pass(5);
      end(now(), throttling);
      accept(4, 200);
      expect(control.rate).toBeGreaterThanOrEqual(before);
    }
    pass(between);
    const raised = control.rate;
    end(now(), throttling);
    expect(control.rate).toBeLessThan(raised);
  });

  test.each([20, 200, 2_000])(
    'is bounded in a second, whatever small share is throttled: from %d/s',
    (rate) => {
      const { control, drive } = drivenRate(rate, { tuning: withoutDips });
      drive(2, () => false);
      drive(5, oneOf(10));
      expect(control.rate).toBeGreaterThan(rate * Math.exp(-6.5 * cut.perSecond) * (1 - cut.most));
    },
  );

  test('leaves a share of the highest rate for as long as more is throttled than at a limit, and there is no overload', () => {
    const { control, drive } = settledRate(20);
    drive(30, oneOf(7));
    expect(control.rate).toBeLessThan(2 * cut.leaves * 20);
    drive(600, oneOf(7));
    expect(control.rate).toBeGreaterThan(cut.leaves * 20);
  });

  test('leaves it for a minute where no more is throttled than at a limit', () => {
    const { control, drive } = settledRate(20);
    drive(30, oneOf(7));
    drive(300, oneOf(23));
    expect(control.rate).toBeLessThan(cut.leaves * 20);
  });

  test.each<[what: string, first: number, then: number]>([
    ['more is throttled than noise is', 5, 5],
    ['it was cut deep, because the limit has fallen', 2, 8],
  ])('goes below that share when %s', (_, first, then) => {
    const { control, drive } = settledRate(200);
    drive(0.3, oneOf(first));
    expect(control.rate).toBeGreaterThan(cut.leaves * 200);
    drive(20, oneOf(then));
    expect(control.rate).toBeLessThan(cut.leaves * 200);
  });

  test('leaves a share of the ceiling, if that is lower than the highest rate', () => {
    const { control, drive } = settledRate(200);
    control.setCeiling(50);
    drive(20, oneOf(10));
    expect(control.rate).toBeLessThan(cut.leaves * 200);
    expect(control.rate).toBeGreaterThan(cut.leaves * 50);
  });

  test('starts from the measured rate when calls were unpaced', () => {
    const { control, accept, end, now } = drivenRate(Number.POSITIVE_INFINITY, { tuning: withoutDips });
    accept(3_000, 750);
    end(now(), throttling);
    expect(control.rate).toBeCloseTo(afterCut(750), -1);
  });
});

describe('on a quiet queue', () => {
  test.each([
    { rate: 10, calls: 0.25 },
    { rate: 10, calls: 5 },
    { rate: 400, calls: 15 },
    { rate: 2, calls: 0.1 },
  ])('refused calls now and then take nothing off $rate/s: $calls/s are called', ({ rate, calls }) => {
    const { control, accept, pass, end, now } = drivenRate(rate);
    accept(10, calls);
    for (let i = 0; i < 50; i++) {
      pass(1_000 / calls);
      end(now(), throttling);
      accept(20, calls);
    }
    expect(control.rate).toBe(rate);
  });

  test('refused calls now and then leave a rate that a backlog can be worked off by, also without a ceiling', () => {
    const { control, accept, pass, end, now } = drivenRate(Number.POSITIVE_INFINITY);
    accept(10, 0.25);
    for (let i = 0; i < 50; i++) {
      pass(4_000);
      end(now(), throttling);
      accept(20, 0.25);
    }
    expect(control.rate).toBeGreaterThan(15);
    expect(control.rate).toBeLessThan(2 * QUIET);
  });

  test('a share of calls that is refused again and again brings the rate down, from the rate in force', () => {
    const { control, accept, pass, end, now } = drivenRate(10);
    accept(10, 0.25);
    for (let i = 0; i < 20; i++) {
      pass(4_000);
      end(now(), throttling);
      accept(1, 0.25);
    }
    expect(control.rate).toBeLessThan(6);
    expect(control.rate).toBeGreaterThanOrEqual(2);
  });

  test('the rate follows the API as soon as the queue is not quiet any more', () => {
    const { control, accept, throttle } = drivenRate(10, { tuning: withoutDips });
    accept(10, 0.25);
    accept(40);
    throttle();
    expect(control.rate).toBeCloseTo(afterCut(10), 1);
  });
});

describe('a deep cut', () => {
  test('goes down to the accepted rate when many calls are throttled', () => {
    const { control, told, drive } = settledRate(200);
    const before = control.rate;
    const heard = told.length;
    drive(0.5, oneOf(2));
    const deepest = Math.min(...factors(before, told.slice(heard)));
    expect(deepest).toBeGreaterThan(0.4);
    expect(deepest).toBeLessThan(0.75);
  });

  test('is no deeper after small cuts', () => {
    const { control, told, pass, end, now, until } = settledRate(200);
    const before = control.rate;
    const heard = told.length;
    // The API accepts half of the rate, and half of the calls are throttled, each begun just before it ended.
    until(
      () => factors(before, told.slice(heard)).some((factor) => factor < 0.8),
      () => {
        pass(1_000 / before);
        end(now(), throttling);
        pass(1_000 / before);
        end(now());
      },
    );
    expect(control.rate).toBeGreaterThan(0.425 * before);
    expect(control.rate).toBeLessThan(0.575 * before);
  });

  test('leaves at least a fifth when nearly all calls are throttled', () => {
    const { control, told, drive, accept } = settledRate(200);
    const before = control.rate;
    const heard = told.length;
    const accepted = oneOf(spent.run - 1);
    drive(0.3, () => !accepted());
    accept(1);
    const [deepest = 1] = factors(before, told.slice(heard)).toSorted((a, b) => a - b);
    expect(deepest).toBeGreaterThanOrEqual(0.2 - 1e-9);
    expect(deepest).toBeLessThan(0.5);
  });

  test('starts from the measured rate when the queue was nearly empty', () => {
    const { control, accept, pass, end, now } = settledRate(1_000);
    accept(300, 30);
    for (let i = 0; i < 2 * overload.calls; i++) {
      accept(1, 30);
      pass(1_000 / 30);
      end(now(), throttling);
    }
    expect(control.rate).toBeLessThan(40);
    expect(control.rate).toBeGreaterThan(5);
  });

  test('is not made for a share of throttled calls that small cuts handle', () => {
    const { told, accept, throttle } = drivenRate(200, { tuning: withoutDips });
    for (let i = 0; i < 40; i++) {
      accept(9);
      throttle();
    }
    expect(Math.min(...factors(200, told))).toBeGreaterThanOrEqual(1 - cut.most);
  });

  test('is made for calls of one rate: those that began before the last one do not make another', () => {
    const { control, pass, end, now, drive } = settledRate(200);
    drive(0.5, oneOf(2));
    const before = control.rate;
    const early = now() - 10_000;
    for (let i = 0; i < 60; i++) {
      pass(1);
      end(early, throttling);
    }
    expect(control.rate).toBeGreaterThanOrEqual(before);
    pass(1);
    end(now(), throttling);
    expect(control.rate).toBeGreaterThan(0.75 * before);
  });
});

describe('the first overload', () => {
  test('cuts to a part of what was accepted, from where the rate doubles until a call is throttled', () => {
    const { control, drive, until, throttle, accept, now } = drivenRate(1_000, { tuning: withoutDips });
    drive(1, () => false);
    until(
      () => control.rate < 500,
      () => {
        throttle();
        accept(1);
      },
    );
    const low = control.rate;
    expect(low).toBeLessThan(0.7 * 1_000 * ramp.part);
    const from = now();
    accept(1);
    until(
      () => control.rate >= 4 * low,
      () => accept(1),
    );
    expect((now() - from) / 1_000).toBeGreaterThan(1.5 * ramp.doubling);
    expect((now() - from) / 1_000).toBeLessThan(4 * ramp.doubling + ramp.calls / low);
    const high = control.rate;
    throttle();
    expect(control.rate / high).toBeCloseTo(1, 1);
  });

  test('does not cut below the least of a ramp', () => {
    const { control, accept, throttle, until } = drivenRate(40, { tuning: withoutDips });
    accept(80);
    until(
      () => control.rate < 20,
      () => {
        throttle();
        accept(1);
      },
    );
    expect(control.rate).toBeGreaterThanOrEqual(Math.min(ramp.least, 40 / 2));
  });

  /** Calls of so many milliseconds at 200/s: the first are accepted, then every other one is throttled. */
  function flood(tookMs: number, lateMs = 0) {
    const driven = drivenRate(200, { tuning: withoutDips, lateMs });
    const { control, pass, end, now, until } = driven;
    for (let i = 0; i < 400; i++) {
      pass(5);
      end(now() - tookMs);
    }
    let ended = 0;
    until(
      () => control.rate < 150,
      () => {
        pass(5);
        end(now() - tookMs, ended++ % 2 === 0 ? throttling : undefined);
      },
    );
    return driven;
  }

  test('is cut to the accepted rate where a round trip takes too long for a ramp', () => {
    expect(flood(0.8 * ramp.roundTripMs).control.rate).toBeLessThan(0.7 * 200 * ramp.part);
    expect(flood(1.5 * ramp.roundTripMs).control.rate).toBeGreaterThan(80);
    // What a fleet needs to learn of a call counts, too.
    expect(flood(20, 1.5 * ramp.roundTripMs).control.rate).toBeGreaterThan(80);
  });

  test.each([
    ['that goes on when what the flood left ends', 50, true],
    ['that a later throttled call ends', 250, false],
  ])('leaves a ramp %s', (_, begunAfter, goesOn) => {
    const { control, pass, end, now } = flood(200);
    const cutAt = now();
    pass(begunAfter + 200);
    end(cutAt + begunAfter, throttling);
    const [before, from] = [control.rate, now()];
    for (let i = 0; i < 20; i++) {
      pass(1_000 / control.rate);
      end(now() - 200);
    }
    const gained = (Math.log(control.rate / before) * 1_000) / (now() - from);
    const doubling = Math.max(ramp.doubling, ramp.roundTrips * 0.2, ramp.calls / before);
    expect(gained / (Math.LN2 / doubling) > 0.7).toBe(goesOn);
  });
});
