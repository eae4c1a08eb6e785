import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { SpentLimit, type Wait } from '../../../../src/ota/rate/adaptive/spent-limit.ts';
import { defaultTuning } from '../../../../src/ota/rate/adaptive/tuning.ts';

const RUN = defaultTuning.spent.run;

/** A limit, and calls without duration that an API accepts or not. */
function setUp() {
  const subject = new SpentLimit(RUN);
  const waits: (Wait & { at: number })[] = [];
  let now = 1_000;
  const end = (throttled: boolean, rate: number | undefined = 100, startedAt = now): void => {
    const wait = subject.observe({ startedAt, endedAt: now }, throttled, now, rate);
    if (wait !== undefined) waits.push({ ...wait, at: now });
  };
  const self = {
    subject,
    waits,
    end,
    now: () => now,
    pass: (ms: number) => {
      now += ms;
    },
    accept: (calls: number, rate = 100) => {
      for (let i = 0; i < calls; i++) {
        now += 1_000 / rate;
        end(false, rate);
      }
    },
    /** At the rate of calls, and of probes while it waits. */
    throttleFor: (ms: number, rate = 100) => {
      for (const until = now + ms; ; ) {
        const step = 1_000 / Math.min(rate, subject.probesPerSecond);
        if (now + step >= until) {
          now = until;
          return;
        }
        now += step;
        end(true, rate);
      }
    },
    /** Accepts so many calls, then none until the time is over: the call at its end is the first of the next. */
    window: (ms: number, calls: number, rate = 100) => {
      const from = now;
      self.accept(calls, rate);
      self.throttleFor(ms - (now - from), rate);
    },
  };
  return self;
}

describe('a wait', () => {
  test('begins after a run of throttled calls', () => {
    const { subject, end } = setUp();
    for (let i = 0; i < RUN - 1; i++) end(true);
    expect(subject.waiting).toBe(false);
    expect(subject.probesPerSecond).toBe(Number.POSITIVE_INFINITY);
    end(true);
    expect(subject.waiting).toBe(true);
  });

  test('does not begin where one is accepted between', () => {
    const { subject, end } = setUp();
    for (let i = 0; i < 10 * RUN; i++) end(i % RUN !== 0);
    expect(subject.waiting).toBe(false);
  });

  test.each([
    { accepted: 1, afterMs: -5, waits: true, why: 'made before the first of the run' },
    { accepted: 2, afterMs: 9, waits: true, why: 'made soon after it: the two may have changed places' },
    { accepted: 2, afterMs: 13, waits: false, why: 'made too late for that' },
    { accepted: 3, afterMs: 9, waits: false, why: 'too many for a limit that is spent' },
  ])(
    'after $accepted accepted between, $afterMs ms after the first: $waits ($why)',
    ({ accepted, afterMs, waits }) => {
      const { subject, end, now, pass } = setUp();
      pass(50);
      const first = now() - 50;
      for (let i = 0; i < RUN - 1; i++) {
        end(true, 100, first);
        if (i < accepted) end(false, 100, first + afterMs);
      }
      end(true, 100, first);
      expect(subject.waiting).toBe(waits);
    },
  );

  test('does not begin by calls at another rate', () => {
    const { subject, end } = setUp();
    for (let i = 0; i < RUN - 1; i++) end(true);
    for (let i = 0; i < RUN; i++) subject.observe({ startedAt: 0, endedAt: 1_000 }, true, 1_000, undefined);
    expect(subject.waiting).toBe(false);
    end(true);
    expect(subject.waiting).toBe(true);
  });

  test('does not begin by one call at its rate after many at another', () => {
    const { subject, end } = setUp();
    for (let i = 0; i < 2 * RUN; i++)
      subject.observe({ startedAt: 0, endedAt: 1_000 }, true, 1_000, undefined);
    end(true);
    expect(subject.waiting).toBe(false);
  });

  test('is ended by an accepted call that began in it, and by no other', () => {
    const { subject, waits, pass, end, now } = setUp();
    const early = now();
    for (let i = 0; i < RUN; i++) {
      pass(10);
      end(true);
    }
    end(false, 100, early);
    expect(subject.waiting).toBe(true);
    pass(30);
    end(false);
    expect(subject.waiting).toBe(false);
    expect(waits).toHaveLength(1);
  });
});

describe('probes', () => {
  test.each([
    [10, 5],
    [1_000, 1_000 / 30],
    [Number.POSITIVE_INFINITY, 1_000 / 30],
  ])('begin at a rate of %d/s with %d a second', (rate, probes) => {
    const { subject, end } = setUp();
    for (let i = 0; i < RUN; i++) end(true, rate);
    expect(subject.probesPerSecond).toBeCloseTo(probes, 9);
  });

  test('become fewer, as far as the wait ends little later than it could', () => {
    const { subject, pass, end, now } = setUp();
    const since = now();
    for (let i = 0; i < RUN; i++) end(true);
    let before = subject.probesPerSecond;
    for (let i = 0; i < 200; i++) {
      pass(1_000 / before);
      end(true);
      expect(subject.probesPerSecond).toBeLessThanOrEqual(before);
      before = subject.probesPerSecond;
      expect(1_000 / before).toBeLessThanOrEqual(Math.max(100, (now() - since) / 6) * (1 + 1e-9));
    }
    expect(before).toBeLessThan(1);
  });

  test('are seldom in a limit whose period is long, from the begin of a wait on', () => {
    const { subject, window, end, pass, now } = setUp();
    for (let i = 0; i < 3; i++) window(60_000, 3_000);
    pass(10);
    end(false);
    for (let i = 0; i < RUN; i++) end(true);
    const since = now();
    while (now() < since + 4_000) {
      pass(1_000 / subject.probesPerSecond);
      end(true);
    }
    const gapMs = 1_000 / subject.probesPerSecond;
    expect(gapMs).toBeGreaterThan((now() - since) / 5.5);
    expect(gapMs).toBeLessThan(60_000 / 39);
  });

  test('that were sent before the wait began do not make them fewer', () => {
    const { subject, end, pass, now } = setUp();
    const early = now();
    pass(5);
    for (let i = 0; i < RUN; i++) end(true);
    const before = subject.probesPerSecond;
    for (let i = 0; i < 50; i++) end(true, 100, early);
    expect(subject.probesPerSecond).toBe(before);
  });
});

describe('a limit of windows', () => {
  test.each([
    [1_000, 50],
    [5_000, 300],
    [60_000, 3_000],
  ])('of %d ms with %d calls is measured', (ms, calls) => {
    const { subject, waits, window, end } = setUp();
    for (let i = 0; i < 4; i++) window(ms, calls);
    end(false);
    expect(waits).toHaveLength(4);
    const last = waits.at(-1);
    expect(last?.ofPeriod).toBe(true);
    expect((last?.acceptedPerSecond ?? 0) / ((calls * 1_000) / ms)).toBeCloseTo(1, 0.8);
    expect(subject.periodMs / ms).toBeCloseTo(1, 1);
  });

  test('whose window becomes shorter is measured anew, by and by', () => {
    const { subject, window } = setUp();
    for (let i = 0; i < 3; i++) window(20_000, 500);
    expect(subject.periodMs).toBeCloseTo(20_000, -3);
    for (let i = 0; i < 3; i++) window(5_000, 125);
    expect(subject.periodMs).toBeLessThan(19_000);
    expect(subject.periodMs).toBeGreaterThan(5_500);
    for (let i = 0; i < 20; i++) window(5_000, 125);
    expect(subject.periodMs).toBeCloseTo(5_000, -3);
  });

  test('is believed to have a longer one when the second time is as long', () => {
    const { subject, window } = setUp();
    for (let i = 0; i < 3; i++) window(5_000, 125);
    window(15_000, 375);
    window(15_000, 375);
    expect(subject.periodMs).toBeCloseTo(5_000, -3);
    window(15_000, 375);
    expect(subject.periodMs).toBeCloseTo(15_000, -3);
  });

  test('is not believed to have a longer one after times that differ', () => {
    const { subject, window } = setUp();
    for (let i = 0; i < 3; i++) window(5_000, 125);
    for (const ms of [15_000, 25_000, 40_000, 12_000, 30_000]) window(ms, ms / 40);
    expect(subject.periodMs).toBeCloseTo(5_000, -3);
  });
});

describe('a short wait', () => {
  test('says nothing soon after the begin, and has no period', () => {
    const { subject, waits, accept, throttleFor, end } = setUp();
    accept(10);
    throttleFor(250);
    end(false);
    expect(waits).toMatchObject([{ acceptedPerSecond: undefined, ofPeriod: false }]);
    expect(subject.periodMs).toBe(0);
  });

  test('tells what was accepted lately', () => {
    const { subject, waits, accept, throttleFor, end } = setUp();
    accept(1_000, 100);
    throttleFor(250);
    end(false);
    expect(waits).toHaveLength(1);
    expect(waits[0]?.ofPeriod).toBe(false);
    expect(waits[0]?.acceptedPerSecond).toBeGreaterThan(70);
    expect(waits[0]?.acceptedPerSecond).toBeLessThan(101);
    expect(subject.periodMs).toBe(0);
  });

  test('tells nothing of a rate of long before', () => {
    const { waits, accept, throttleFor, end } = setUp();
    accept(100, 1);
    accept(300, 100);
    throttleFor(250);
    end(false);
    expect(waits[0]?.acceptedPerSecond).toBeGreaterThan(70);
  });

  test('is the end of a period all the same where a long one is known', () => {
    const { waits, window, accept, throttleFor, end } = setUp();
    for (let i = 0; i < 3; i++) window(10_000, 500);
    accept(980);
    throttleFor(250);
    end(false);
    expect(waits.at(-1)?.ofPeriod).toBe(true);
  });
});

test('after any calls, the numbers stay within their bounds', () => {
  const step = fc.record({
    gapMs: fc.oneof(fc.constant(0), fc.double({ min: 0, max: 300, noNaN: true }), fc.nat(1e9)),
    tookMs: fc.oneof(fc.constant(0), fc.nat(20_000)),
    calls: fc.integer({ min: 1, max: 2 * RUN }),
    throttled: fc.boolean(),
    rate: fc.oneof(
      fc.double({ min: 0.1, max: 1e5, noNaN: true }),
      fc.constantFrom(Number.POSITIVE_INFINITY, undefined),
    ),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 100 }), (steps) => {
      const subject = new SpentLimit(RUN);
      let now = 0;
      for (const { gapMs, tookMs, calls, throttled, rate } of steps) {
        now += gapMs;
        for (let i = 0; i < calls; i++) {
          const waited = subject.waiting;
          const wait = subject.observe({ startedAt: now - tookMs, endedAt: now }, throttled, now, rate);
          if (wait !== undefined) expect([waited, throttled, subject.waiting]).toEqual([true, false, false]);
          if (wait?.acceptedPerSecond !== undefined) {
            expect(wait.acceptedPerSecond).toBeGreaterThanOrEqual(0);
            expect(wait.acceptedPerSecond).toBeLessThan(Number.POSITIVE_INFINITY);
          }
          expect(subject.probesPerSecond).toBeGreaterThan(0);
          if (subject.waiting) expect(subject.probesPerSecond).toBeLessThanOrEqual(1_000 / 30);
          expect(subject.periodMs).toBeGreaterThanOrEqual(0);
          expect(subject.periodMs).toBeLessThanOrEqual(now);
        }
      }
    }),
  );
});
