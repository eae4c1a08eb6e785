import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  AdaptiveRate,
  climbPerSecond,
  cutShare,
  defaultTuning,
} from '../../../src/ota/rate/adaptive-rate.ts';
import type { ObservedCall } from '../../../src/ota/rate/rate-control.ts';

const throttling = { kind: 'throttled' };

/** A controller, every rate it has set, and a clock that calls advance. */
function setUp(ceiling: number) {
  const told: number[] = [];
  const control = new AdaptiveRate({ ceiling, onChange: (perSecond) => told.push(perSecond) });
  let now = 1_000;
  const end = (startedAt: number, failure?: { kind: string }): void => {
    control.observe({ startedAt, endedAt: now, ...(failure && { failure }) });
  };
  return {
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
  };
}

test('a rate is found since the first cut, until it is at the ceiling again', () => {
  const { control, now, accept, throttle, pass, until } = setUp(50);
  accept(100);
  expect(control.foundAt).toBe(undefined);
  throttle();
  const cutAt = now();
  accept(5);
  throttle();
  pass(1_000);
  expect(control.foundAt).toBe(cutAt);
  until(
    () => control.rate === 50,
    () => accept(10),
  );
  expect(control.foundAt).toBe(undefined);
});

describe('at the ceiling', () => {
  test.each([0.05, 2, 200, Number.POSITIVE_INFINITY])(
    'stays at %d/s until a call is throttled',
    (ceiling) => {
      const { control, told, accept } = setUp(ceiling);
      expect(control.rate).toBe(ceiling);
      accept(1_000, 10);
      expect(control.rate).toBe(ceiling);
      expect(told).toEqual([]);
    },
  );

  test.each(['retryable', 'denied', 'rejected', 'misconfigured', 'unidentified'])(
    'ignores calls that end as %s',
    (kind) => {
      const { control, pass, end, now } = setUp(50);
      for (let i = 0; i < 200; i++) {
        pass(20);
        end(now(), { kind });
      }
      expect(control.rate).toBe(50);
    },
  );

  test('is reached again, and never exceeded', () => {
    const { control, told, accept, throttle } = setUp(100);
    accept(100);
    throttle();
    expect(control.rate).toBeLessThan(100);
    accept(2_000);
    expect(control.rate).toBe(100);
    expect(Math.max(...told)).toBe(100);
  });
});

const history = fc.array(
  fc.record({
    gapMs: fc.oneof(
      fc.double({ min: 0, max: 50, noNaN: true }),
      fc.double({ min: 0, max: 1e6, noNaN: true }),
    ),
    tookMs: fc.oneof(fc.constant(0), fc.double({ min: 0, max: 20_000, noNaN: true })),
    kind: fc.constantFrom(undefined, undefined, 'throttled', 'retryable'),
  }),
  { maxLength: 400 },
);
const ceilings = fc.oneof(
  fc.double({ min: 0.01, max: 100_000, noNaN: true }),
  fc.constant(Number.POSITIVE_INFINITY),
);

function* calls(of: readonly { gapMs: number; tookMs: number; kind: string | undefined }[]) {
  let startedAt = 0;
  for (const { gapMs, tookMs, kind } of of) {
    startedAt += gapMs;
    // Sorted by start; they end in any order.
    const call: ObservedCall = { startedAt, endedAt: startedAt + tookMs };
    yield kind === undefined ? call : { ...call, failure: { kind } };
  }
}

describe('after any calls', () => {
  test('the rate is between floor and ceiling, and each change is reported once', () => {
    fc.assert(
      fc.property(ceilings, history, (ceiling, of) => {
        const told: number[] = [];
        const control = new AdaptiveRate({ ceiling, onChange: (perSecond) => told.push(perSecond) });
        for (const call of calls(of)) {
          const [before, heard] = [control.rate, told.length];
          control.observe(call);
          expect(control.rate).toBeLessThanOrEqual(ceiling);
          expect(control.rate).toBeGreaterThanOrEqual(Math.min(0.1, ceiling));
          if (control.rate === before && told.length === heard) continue;
          expect(told.length).toBeGreaterThan(heard);
          expect(told.at(-1)).toBe(control.rate);
        }
        for (const [i, perSecond] of told.entries()) expect(perSecond).not.toBe(told[i - 1] ?? ceiling);
      }),
    );
  });

  test('the rate is finite from the first throttled call that follows another call', () => {
    fc.assert(
      fc.property(history, (of) => {
        const control = new AdaptiveRate({ ceiling: Number.POSITIVE_INFINITY, onChange: () => {} });
        control.observe({ startedAt: 0, endedAt: 0 });
        control.observe({ startedAt: 5, endedAt: 10, failure: throttling });
        for (const call of calls(of)) {
          control.observe({ ...call, startedAt: call.startedAt + 10, endedAt: call.endedAt + 10 });
          expect(control.rate).toBeLessThan(Number.POSITIVE_INFINITY);
        }
      }),
    );
  });
});

describe('a cut', () => {
  test('is a few percent, and never a smaller share for a faster worker', () => {
    const rate = fc.double({ min: 0.1, max: 10_000, noNaN: true });
    fc.assert(
      fc.property(rate, rate, (one, other) => {
        const [low, high] = [Math.min(one, other), Math.max(one, other)];
        expect(cutShare(low, defaultTuning)).toBeLessThanOrEqual(cutShare(high, defaultTuning));
        expect(cutShare(low, defaultTuning)).toBeGreaterThanOrEqual(0.02);
        expect(cutShare(high, defaultTuning)).toBeLessThanOrEqual(0.05);
      }),
    );
  });

  test('takes a few percent off the rate', () => {
    const { control, accept, throttle } = setUp(200);
    accept(400);
    throttle();
    expect(control.rate).toBeCloseTo(200 * (1 - cutShare(200, defaultTuning)), 0);
  });

  test('is made once for a burst of throttled calls', () => {
    const { control, accept, end, pass, now } = setUp(200);
    accept(400);
    const startedAt = now();
    for (let i = 0; i < 50; i++) {
      pass(1);
      end(startedAt, throttling);
    }
    expect(control.rate).toBeCloseTo(200 * (1 - cutShare(200, defaultTuning)), 0);
  });

  test('is not made for calls begun before the last one, but for the first begun after it', () => {
    const { control, told, accept, throttle, end, pass, now } = setUp(200);
    accept(400);
    const early = now();
    throttle();
    const cut = control.rate;
    pass(30);
    end(early, throttling);
    expect(told).toHaveLength(1);
    pass(1);
    end(now(), throttling);
    expect(told).toHaveLength(2);
    expect(control.rate).toBeCloseTo(cut * (1 - cutShare(cut, defaultTuning)), 5);
  });

  test('starts from the measured rate when calls were unpaced', () => {
    const { control, accept, end, now } = setUp(Number.POSITIVE_INFINITY);
    accept(3_000, 750);
    end(now(), throttling);
    expect(control.rate).toBeCloseTo(750 * (1 - cutShare(750, defaultTuning)), -1);
  });

  test('starts from the measured rate when the queue was nearly empty', () => {
    const { control, accept, end, pass, now } = setUp(1_000);
    accept(300, 30);
    pass(10);
    end(now(), throttling);
    expect(control.rate).toBeGreaterThan(25);
    expect(control.rate).toBeLessThan(40);
  });
});

describe('on a quiet queue', () => {
  test.each([
    { rate: 10, calls: 0.25 },
    { rate: 10, calls: 5 },
    { rate: 400, calls: 15 },
    { rate: 2, calls: 0.1 },
  ])('refused calls now and then take nothing off $rate/s: $calls/s are called', ({ rate, calls }) => {
    const { control, accept, pass, end, now } = setUp(rate);
    accept(10, calls);
    for (let i = 0; i < 50; i++) {
      pass(1_000 / calls);
      end(now(), throttling);
      accept(20, calls);
    }
    expect(control.rate).toBe(rate);
  });

  test('refused calls now and then leave a rate that a backlog can be worked off by, also without a ceiling', () => {
    const { control, accept, pass, end, now } = setUp(Number.POSITIVE_INFINITY);
    accept(10, 0.25);
    for (let i = 0; i < 50; i++) {
      pass(4_000);
      end(now(), throttling);
      accept(20, 0.25);
    }
    expect(control.rate).toBeGreaterThan(15);
    expect(control.rate).toBeLessThan(Number.POSITIVE_INFINITY);
  });

  test('a share of calls that is refused again and again brings the rate down, from the rate in force', () => {
    const { control, accept, pass, end, now } = setUp(10);
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
    const { control, accept, throttle } = setUp(10);
    accept(10, 0.25);
    accept(40);
    throttle();
    expect(control.rate).toBeCloseTo(10 * (1 - cutShare(10, defaultTuning)), 5);
  });
});

describe('a deep cut', () => {
  /** The share of the rate that each change left. */
  const factors = (ceiling: number, told: readonly number[]): number[] =>
    told.map((perSecond, i) => perSecond / (told[i - 1] ?? ceiling));

  test('goes down to the accepted rate when many calls are throttled', () => {
    const { told, accept, throttle } = setUp(200);
    accept(200);
    // Half of the calls.
    for (let i = 0; i < 60; i++) {
      throttle();
      accept(1);
    }
    const deepest = Math.min(...factors(200, told));
    expect(deepest).toBeGreaterThan(0.4);
    expect(deepest).toBeLessThan(0.75);
  });

  test('is no deeper after small cuts', () => {
    const { control, told, accept, pass, end, now } = setUp(200);
    accept(200);
    // The API accepts 100 a second, and half of the calls are throttled, each begun just before it ended.
    while (!factors(200, told).some((factor) => factor < 0.9)) {
      pass(5);
      end(now(), throttling);
      pass(5);
      end(now());
    }
    expect(control.rate).toBeGreaterThan(85);
    expect(control.rate).toBeLessThan(115);
  });

  test('leaves at least a fifth when all calls are throttled', () => {
    const { control, told, throttle } = setUp(1_000);
    for (let i = 0; i < defaultTuning.overload.leastCalls + 1; i++) throttle();
    expect(Math.min(...factors(1_000, told))).toBeCloseTo(0.2, 5);
    expect(control.rate).toBeLessThan(200);
  });

  test('is not made for a share of throttled calls that small cuts handle', () => {
    const { told, accept, throttle } = setUp(200);
    for (let i = 0; i < 40; i++) {
      accept(9);
      throttle();
    }
    expect(Math.min(...factors(200, told))).toBeGreaterThanOrEqual(1 - defaultTuning.cut.most);
  });

  /** A controller after a deep cut, and the share of its rate by which it climbs per second. */
  function cutDeep(ceiling: number) {
    const calls = setUp(ceiling);
    for (let i = 0; i < defaultTuning.overload.leastCalls + 1; i++) calls.throttle();
    const { control, accept, until, now } = calls;
    const gainedPerSecond = (): number => {
      // Past the hold.
      accept(defaultTuning.hold.calls);
      const [before, from] = [control.rate, now()];
      until(
        () => now() >= from + 1_000,
        () => accept(1),
      );
      return ((control.rate / before - 1) * 1_000) / (now() - from);
    };
    return { ...calls, gainedPerSecond };
  }

  test('is followed by a climb by a share of the rate, until a later call is throttled', () => {
    const { recovery, overload } = defaultTuning;
    const { control, throttle, until, gainedPerSecond } = cutDeep(1_000);
    until(() => control.rate <= 20, throttle);
    for (let i = 0; i < overload.leastCalls + 1; i++) throttle();
    expect(gainedPerSecond()).toBeCloseTo(Math.expm1(recovery.least), 2);
    throttle();
    expect(gainedPerSecond()).toBeLessThan(recovery.least / 2);
  });

  test('is followed by a faster climb at a high rate, until the next call is throttled', () => {
    const { recovery } = defaultTuning;
    const { throttle, gainedPerSecond } = cutDeep(3_000);
    expect(gainedPerSecond()).toBeCloseTo(Math.expm1(recovery.most), 1);
    throttle();
    expect(gainedPerSecond()).toBeCloseTo(Math.expm1(recovery.least), 2);
  });
});

describe('the hold', () => {
  test.each([4, 8, 80, 200])(
    'keeps the rate for some calls after a cut, fewer at a high rate: from %d/s',
    (ceiling) => {
      const { control, accept, throttle } = setUp(ceiling);
      accept(100);
      throttle();
      const cut = control.rate;
      const { calls, aboveRate } = defaultTuning.hold;
      const held = calls * Math.min(1, aboveRate / cut) ** 2;
      accept(Math.ceil(held) - 1);
      expect(control.rate).toBe(cut);
      accept(2);
      expect(control.rate).toBeGreaterThan(cut);
    },
  );

  test('ends after 90 s at the latest, even at a low rate', () => {
    const { control, accept, throttle } = setUp(0.2);
    accept(30);
    throttle();
    const cut = control.rate;
    accept(15);
    expect(control.rate).toBe(cut);
    accept(10);
    expect(control.rate).toBeGreaterThan(cut);
  });
});

describe('the climb', () => {
  test.each([
    [70.1, 8],
    [100, 8],
    [350, 8],
    [500, 20],
    [50_000, 3_980],
  ])('is constant from 70/s, and grows with the rate from 350/s: at %d/s by %d', (rate, climb) => {
    expect(climbPerSecond(rate, 1, defaultTuning)).toBeCloseTo(climb, 9);
  });

  test('is slower below, and never faster at a lower rate', () => {
    const rate = fc.double({ min: 0.1, max: 10_000, noNaN: true });
    fc.assert(
      fc.property(rate, rate, (one, other) => {
        const [low, high] = [Math.min(one, other), Math.max(one, other)];
        const climb = climbPerSecond(low, 1, defaultTuning);
        expect(climb).toBeGreaterThan(0);
        // Rounding may reverse the order of the powers of adjacent numbers.
        expect(climb).toBeLessThanOrEqual(climbPerSecond(high, 1, defaultTuning) * (1 + 1e-12));
        expect(climb).toBeLessThanOrEqual(low / 6);
      }),
    );
  });

  test('raises two workers at different rates by the same amount in the same time', () => {
    const gained = (ceiling: number): number => {
      const { control, accept, throttle, until, now } = setUp(ceiling);
      accept(2 * ceiling);
      throttle();
      accept(5);
      const [before, from] = [control.rate, now()];
      until(
        () => now() >= from + 200,
        () => accept(1),
      );
      return ((control.rate - before) * 1_000) / (now() - from);
    };
    expect(gained(100)).toBeCloseTo(8, 1);
    expect(gained(340)).toBeCloseTo(8, 1);
  });

  test('stops while the rate is not utilized', () => {
    const { control, accept, throttle } = setUp(300);
    accept(600);
    throttle();
    // The measurement of the busy time lasts for a second.
    accept(200, 100);
    const before = control.rate;
    accept(6_000, 100);
    expect(control.rate).toBe(before);
    accept(2_000);
    expect(control.rate).toBeGreaterThan(before);
  });

  test('does not catch up after a time without calls', () => {
    const { control, accept, throttle, pass } = setUp(200);
    accept(400);
    throttle();
    accept(50);
    const before = control.rate;
    pass(3_600_000);
    accept(1);
    expect(control.rate).toBeLessThan(before * 1.1);
  });
});

describe('the boost', () => {
  test('climbs faster and faster when nothing is throttled for long, up to a fifth of the rate per second', () => {
    const at = (seconds: number): number => climbPerSecond(200, seconds, defaultTuning);
    expect(at(6)).toBe(8);
    expect(at(7.8)).toBeCloseTo(16, 5);
    expect(at(9.6)).toBeCloseTo(32, 5);
    expect(at(60)).toBe(40);
  });

  test('begins later at a low rate', () => {
    const beginsAfter = (rate: number): number => {
      const ordinary = climbPerSecond(rate, 0, defaultTuning);
      let seconds = 0;
      while (seconds < 1_000 && climbPerSecond(rate, seconds, defaultTuning) === ordinary) seconds += 0.5;
      return seconds;
    };
    expect(beginsAfter(200)).toBe(6.5);
    expect(beginsAfter(10)).toBe(15.5);
    expect(beginsAfter(0.1)).toBe(90.5);
  });

  test('quadruples the rate within 30 s, and ends at the first throttled call', () => {
    const { control, accept, throttle, until, now } = setUp(400);
    accept(800);
    until(() => control.rate <= 50, throttle);
    const from = now();
    until(
      () => control.rate >= 200,
      () => accept(1),
    );
    expect(now() - from).toBeLessThan(30_000);
    throttle();
    const cut = control.rate;
    const since = now();
    until(
      () => now() >= since + 2_000,
      () => accept(1),
    );
    expect(control.rate - cut).toBeLessThan(2 * 8 + 1);
  });
});

describe('without a ceiling', () => {
  test.each([0, 5_000])(
    'the rate stays finite and positive after bursts of only 429s (%i ms idle before)',
    (idle) => {
      const rate = new AdaptiveRate({ ceiling: Number.POSITIVE_INFINITY, onChange: () => {} });
      const throttled = { kind: 'throttled' };
      if (idle > 0) rate.observe({ startedAt: 0, endedAt: 0 });
      for (let wave = 0; wave < 5; wave++) {
        const startedAt = idle + wave * 2_500;
        for (let call = 0; call < 40; call++)
          rate.observe({ startedAt, endedAt: startedAt + 1_200, failure: throttled });
        expect(rate.rate).toBeGreaterThan(0);
      }
      expect(rate.rate).toBeLessThan(Number.POSITIVE_INFINITY);
    },
  );
});

describe('a ceiling that changes', () => {
  test('holds at once, and is left for a higher one as at a start where nothing was throttled', () => {
    const { control, told } = setUp(100);
    control.setCeiling(20);
    expect([control.rate, control.foundAt]).toEqual([20, undefined]);
    control.setCeiling(50);
    expect([control.rate, control.foundAt]).toEqual([50, undefined]);
    expect(told).toEqual([20, 50]);
  });

  test('above what was found changes nothing, and what was found is not left for a higher one at once', () => {
    const { control, end, pass, accept, now } = setUp(100);
    accept(100);
    pass(10);
    end(now(), throttling);
    const found = control.rate;
    expect(found).toBeLessThan(100);
    control.setCeiling(99.5);
    expect(control.rate).toBe(found);
    control.setCeiling(20);
    expect([control.rate, control.foundAt]).toEqual([20, undefined]);
    control.setCeiling(100);
    expect([control.rate, control.foundAt]).toEqual([20, now()]);
  });
});
