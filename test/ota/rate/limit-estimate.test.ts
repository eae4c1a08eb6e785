import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type FoundLimit, LimitEstimate } from '../../../src/ota/rate/adaptive/limit-estimate.ts';

/** Cuts by a tenth around these rates, ten seconds apart. */
function cutsAround(estimate: LimitEstimate, rates: readonly number[], from = 0, noise = 0): number {
  let now = from;
  for (const rate of rates) {
    estimate.cut(now, (rate * 1.05) / (1 - noise), (rate * 0.95) / (1 - noise), noise);
    now += 10_000;
  }
  return now;
}
const of = (rates: readonly number[]): FoundLimit | undefined => {
  const estimate = new LimitEstimate();
  cutsAround(estimate, rates);
  return estimate.found(0, 0);
};

describe('cuts', () => {
  test.each<{ what: string; rates: readonly number[]; found: number | undefined; within?: number }>([
    { what: 'none', rates: [], found: undefined },
    { what: 'two may be chance', rates: [100, 100], found: undefined },
    { what: 'three, not sure', rates: [100, 100, 100], found: 100 },
    { what: 'four that are alike', rates: [100, 100, 100, 100], found: 100, within: 0 },
    { what: 'four that differ', rates: [98, 102, 98, 102], found: 100, within: 0.02 },
    { what: 'one by chance', rates: [100, 100, 100, 40, 100], found: 100, within: 0 },
    { what: 'a limit that has fallen', rates: [100, 100, 100, 40, 40], found: undefined },
    { what: 'and is known', rates: [100, 100, 100, 40, 40, 40], found: 40 },
    { what: 'a limit that has gone up', rates: [40, 40, 40, 100, 100, 100, 100], found: 100, within: 0 },
    {
      what: 'chance that comes twice, apart',
      rates: [100, 100, 100, 40, 100, 40, 100],
      found: 100,
      within: 0,
    },
  ])('$what: $found', ({ rates, found, within }) => {
    const limit = of(rates);
    expect(limit?.perSecond).toEqual(found === undefined ? undefined : expect.closeTo(found, 6));
    expect(limit?.withinShare).toEqual(within === undefined ? undefined : expect.closeTo(within, 6));
    expect(limit?.periodMs).toBeUndefined();
  });

  test('a row of cuts is one observation: the last, which is below the limit', () => {
    const estimate = new LimitEstimate();
    for (let now = 0; now < 40_000; now += 10_000) {
      for (const [i, rate] of [112, 108, 104, 100].entries()) estimate.cut(now + 300 * i, rate, rate, 0);
    }
    expect(estimate.found(0, 0)).toMatchObject({ perSecond: 100, withinShare: 0, since: 0 });
  });

  test('it is known since the first cut at this limit', () => {
    const estimate = new LimitEstimate();
    const fell = cutsAround(estimate, [100, 100, 100]);
    expect(estimate.found(0, 0)?.since).toBe(0);
    cutsAround(estimate, [40, 40, 40, 40, 40, 40, 40, 40, 40, 40, 40, 40, 40, 40, 40], fell);
    expect(estimate.found(0, 0)?.since).toBe(fell);
  });

  test('of the calls only those count that noise does not throttle, and the noise is said', () => {
    const estimate = new LimitEstimate();
    cutsAround(estimate, [100, 100, 100], 0, 0.1);
    expect(estimate.found(111, 0.1)).toMatchObject({ perSecond: expect.closeTo(100, 6), noise: 0.1 });
  });

  test('a rate in force that lies well above shows that the limit is not known any more', () => {
    const estimate = new LimitEstimate();
    cutsAround(estimate, [100, 100, 100, 100]);
    expect(estimate.found(110, 0)?.perSecond).toBeCloseTo(100);
    expect(estimate.found(120, 0)).toBeUndefined();
    expect(estimate.found(120, 0.1)?.perSecond).toBeCloseTo(100);
  });
});

describe('an overload', () => {
  test.each([
    { accepted: 40, known: false },
    { accepted: 90, known: true },
    { accepted: 200, known: false },
    { accepted: Number.POSITIVE_INFINITY, known: true },
  ])('with $accepted of 100 calls a second accepted: known $known', ({ accepted, known }) => {
    const estimate = new LimitEstimate();
    cutsAround(estimate, [100, 100, 100]);
    estimate.overload(accepted);
    expect(estimate.found(0, 0) !== undefined).toBe(known);
  });
});

describe('periods', () => {
  const refills = (...each: readonly (readonly [at: number, rate: number, periodMs: number])[]) => {
    const estimate = new LimitEstimate();
    for (const [at, rate, periodMs] of each) estimate.refill(at * 1_000, rate, periodMs * 1_000);
    return estimate;
  };

  test('the first refill begins a period, the second ends it', () => {
    expect(refills([20, 30, 20]).found(0, 0)).toBeUndefined();
    expect(refills([20, 30, 20], [80, 10, 60]).found(0, 0)).toEqual({
      perSecond: 10,
      withinShare: undefined,
      since: 80_000,
      periodMs: 60_000,
      noise: 0,
    });
  });

  test('what was accepted in part of a period says nothing', () => {
    // The period is believed to be of 20 s still, and was of 60 s.
    expect(refills([20, 30, 20], [80, 2, 20]).found(0, 0)).toBeUndefined();
  });

  test('a time of several periods is told as such', () => {
    const estimate = refills([20, 30, 20], [80, 10, 60], [200, 9.9, 60], [260, 10, 60], [320, 10.1, 60]);
    expect(estimate.found(0, 0)).toMatchObject({
      perSecond: expect.closeTo(10, 6),
      withinShare: expect.closeTo(0.007, 3),
      since: 80_000,
      periodMs: 60_000,
    });
  });

  test('another period, or another limit, begins anew', () => {
    const longer = refills([0, 10, 60], [60, 10, 60], [140, 10, 80]);
    expect(longer.found(0, 0)).toMatchObject({ since: 140_000, periodMs: 80_000 });
    const higher = refills([0, 10, 60], [60, 10, 60], [120, 20, 60]);
    expect(higher.found(0, 0)).toMatchObject({ since: 120_000, perSecond: 20 });
  });

  test('ticks of less than a second are no periods', () => {
    expect(refills([0, 10, 0.5], [0.5, 10, 0.5]).found(0, 0)).toBeUndefined();
  });

  test('cuts say nothing beside them, and all when they are over', () => {
    const estimate = refills([0, 10, 10], [10, 10, 10]);
    cutsAround(estimate, [12, 12], 20_000);
    expect(estimate.found(0, 0)).toMatchObject({ perSecond: 10, periodMs: 10_000 });
    cutsAround(estimate, [12, 12, 12], 40_000);
    expect(estimate.found(0, 0)).toMatchObject({ perSecond: expect.closeTo(12, 6), periodMs: undefined });
  });
});

test('whatever is seen, what is found lies within it, and is not older than the first of it', () => {
  const rate = fc.double({ min: 0.01, max: 1e6, noNaN: true });
  const seen = fc.record({
    kind: fc.constantFrom('cut', 'refill', 'overload'),
    after: fc.integer({ min: 0, max: 100_000 }),
    rate,
    share: fc.double({ min: 0.5, max: 1, noNaN: true }),
    periodMs: fc.integer({ min: 1, max: 100_000 }),
  });
  fc.assert(
    fc.property(fc.array(seen, { minLength: 1 }), rate, (events, inForce) => {
      const estimate = new LimitEstimate();
      const lowest = Math.min(...events.map((each) => each.rate * each.share));
      const highest = Math.max(...events.map((each) => each.rate));
      let now = 0;
      for (const each of events) {
        now += each.after;
        if (each.kind === 'cut') estimate.cut(now, each.rate, each.rate * each.share, 0);
        else if (each.kind === 'refill') estimate.refill(now, each.rate, each.periodMs);
        else estimate.overload(each.rate);
        const found = estimate.found(inForce, 0);
        if (found === undefined) continue;
        expect(found.perSecond).toBeGreaterThanOrEqual(lowest * (1 - 1e-9));
        expect(found.perSecond).toBeLessThanOrEqual(highest * (1 + 1e-9));
        expect(found.since).toBeGreaterThanOrEqual(events[0]?.after ?? 0);
        expect(found.since).toBeLessThanOrEqual(now);
        if (found.withinShare !== undefined) expect(found.withinShare).toBeGreaterThanOrEqual(0);
        if (found.periodMs !== undefined) expect(found.periodMs).toBeGreaterThan(0);
      }
    }),
  );
});

test('of cuts around one limit, what is found is that limit, as sure as these are close', () => {
  const nearly = fc.double({ min: 0.96, max: 1.04, noNaN: true });
  const limit = fc.double({ min: 0.1, max: 10_000, noNaN: true });
  fc.assert(
    fc.property(limit, fc.array(nearly, { minLength: 4, maxLength: 40 }), (perSecond, factors) => {
      const found = of(factors.map((factor) => factor * perSecond));
      expect(found?.since).toBe(0);
      expect(Math.abs((found?.perSecond ?? 0) / perSecond - 1)).toBeLessThanOrEqual(0.04 + 1e-9);
      expect(found?.withinShare).toBeLessThanOrEqual(0.04 / 0.96);
    }),
  );
});
