/** The judge of rate controllers, by controllers whose merit is known. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { backAfter, down, even, strangersLoss, up } from '../../../testing/rates/asks.ts';
import { families } from '../../../testing/rates/families.ts';
import { byNeed, type Family, family } from '../../../testing/rates/family.ts';
import { couldBeHad, judge } from '../../../testing/rates/judge.ts';
import { ours } from '../../../testing/rates/scenarios.ts';
import { fixedController, type SimulationResult } from '../../../testing/rates/simulator.ts';

const bucket = family({ group: 'bucket', name: 'a bucket', limit: 100, share: 0.97, throttled: 0.02 });
const fixed = (rate: number) => ({ name: `${rate}/s`, create: () => fixedController(rate) });
const named = (name: string): Family => {
  const found = families.find((each) => each.name === name);
  if (found === undefined) throw new Error(`no family ${name}`);
  return found;
};

describe('the judge', () => {
  test.each([
    [99.5, true],
    [90, false],
    [110, false],
  ])('of a bucket of 100/s at a fixed rate of %d/s says %s', (rate, passed) => {
    expect(judge(bucket, fixed(rate), 3, 1).passed).toBe(passed);
  });

  test('measures goodput by the limit, and 429s by the calls', () => {
    const over = judge(bucket, fixed(200), 3, 1);
    expect(over.goodput).toBeCloseTo(1, 1);
    expect(over.throttled).toBeCloseTo(0.5, 1);
  });

  test('fails a fleet that is not fair, whatever it accepts in sum', () => {
    const two = family({
      group: 'fleet',
      name: 'two',
      limit: 100,
      workers: 2,
      share: 0.95,
      throttled: 0.04,
      asks: [even()],
    });
    const fair = judge(two, fixed(49.8), 3, 1);
    let created = 0;
    const uneven = judge(
      two,
      { name: 'uneven', create: () => fixedController(created++ % 2 === 0 ? 98 : 1.6) },
      3,
      1,
    );
    expect(fair).toMatchObject({ passed: true });
    expect(uneven.goodput).toBeCloseTo(fair.goodput, 1);
    expect(uneven).toMatchObject({ passed: false });
  });

  test('hands a caller who knows it its part of the limit', () => {
    const four = family({ group: 'fleet', name: '', limit: 100, workers: 4, share: 0.9, throttled: 0.06 });
    const told: (number | undefined)[] = [];
    four.scenario((_ceiling, { part } = {}) => {
      told.push(part);
      return fixedController(1);
    }, 1);
    expect(told).toEqual([25, 25, 25, 25]);
  });

  test('hands its clock to ours', () => {
    let asked = 0;
    const wallAheadMs = (): number => {
      asked++;
      return 0;
    };
    const controller = ours.create(100, { wallAheadMs });
    for (let now = 0; now < 2_000; now += 10)
      controller.observe({
        startedAt: now,
        endedAt: now,
        ...(now === 500 && { failure: { kind: 'throttled' } }),
      });
    expect(asked).toBeGreaterThan(0);
  });

  test('begins each seed at another moment of the clock, the same for all workers', () => {
    const two = family({ group: 'fleet', name: '', limit: 100, workers: 2, share: 0.9, throttled: 0.06 });
    const clocks = [1, 2].map((seed) => {
      const ahead: (number | undefined)[] = [];
      two.scenario((_ceiling, world) => {
        ahead.push(world?.wallAheadMs?.());
        return fixedController(1);
      }, seed);
      return ahead;
    });
    const [[first, beside] = [], [other] = []] = clocks;
    expect(beside).toBe(first);
    expect(other).not.toBe(first);
  });
});

describe('what could be had', () => {
  test.each([
    ['bucket 100/s', 1],
    ['fixed window, 2000 in 10 s', 1],
    ['200/s in ticks of 10 s', 1],
    // Noise takes its share of the calls, and no rate below the ceiling makes up for it.
    ['no limit below 200/s, noise 10%', 0.9],
    // A caller that follows the limit.
    ['200/s, a step to a half and back', 1],
  ])('of %s is about %d of the limit', (name, share) => {
    expect(couldBeHad(named(name), 1)).toBeCloseTo(share, 1);
  });

  test('is less than the limit where each call may meet a front end that has spent its part', () => {
    const best = couldBeHad(named('30 front ends with a share of 200/s each, at random'), 1);
    expect(best).toBeGreaterThan(0.4);
    expect(best).toBeLessThan(0.9);
  });
});

describe('shares by need', () => {
  test.each([
    [100, [10, 80, Number.POSITIVE_INFINITY], [10, 45, 45]],
    [100, [10, 20, 30], [10, 20, 30]],
    [100, [Number.POSITIVE_INFINITY, 0], [100, 0]],
    [0, [5, 5], [0, 0]],
  ])('of %d for needs of %j are %j', (available, needs, parts) => {
    expect(byNeed(available, needs)).toEqual(parts);
  });

  test('leave nothing while there is need, and no one with less than another but by its own need', () => {
    const amount = fc.double({ min: 0, max: 1_000, noNaN: true });
    fc.assert(
      fc.property(amount, fc.array(amount, { minLength: 1, maxLength: 8 }), (available, needs) => {
        const parts = byNeed(available, needs);
        const sum = (values: readonly number[]) => values.reduce((all, value) => all + value, 0);
        expect(sum(parts)).toBeCloseTo(Math.min(available, sum(needs)), 6);
        const most = Math.max(...parts);
        for (const [i, part] of parts.entries())
          if (part < most - 1e-6) expect(part).toBeCloseTo(needs[i] ?? 0, 6);
      }),
    );
  });
});

describe('what is asked besides', () => {
  const limit = 100;
  const single = family({
    group: 'bucket',
    name: '',
    limit,
    share: 0.9,
    throttled: 0.05,
    fromSecond: 0,
    seconds: 8,
  });
  const of = (...workers: readonly (readonly [accepted: number, throttled: number, rate: number])[][]) => {
    const result: SimulationResult = {
      seconds: workers.map((all) =>
        all.map(([accepted, throttled, rate]) => ({ accepted, throttled, rate })),
      ),
    };
    return { family: single, result, known: () => result };
  };

  test('the time down counts from the first 429, whatever was before', () => {
    const run = of([
      [100, 9, 100],
      [100, 0, 100],
      [100, 3, 100],
      [60, 5, 60],
      [50, 0, 50],
      [50, 0, 50],
      [50, 0, 50],
      [50, 0, 50],
    ]);
    expect(down(1, 8, 50).of(run)).toBe(3);
    expect(up(1, 8, 100).of(run)).toBe(Number.POSITIVE_INFINITY);
    expect(down(4, 8, 50).of(run)).toBe(0);
  });

  test('the time back at 90% does not take a burst for it', () => {
    const at = (accepted: number) => [accepted, 0, accepted] as const;
    expect(backAfter(1, 5).of(of([at(0), at(130), at(40), at(60), at(90), at(95), at(90), at(99)]))).toBe(3);
    expect(backAfter(1, 5).of(of([at(0), at(130), at(40), at(60), at(90), at(80), at(80), at(80)]))).toBe(
      Number.POSITIVE_INFINITY,
    );
  });

  test("strangers' loss is the difference to a run beside callers who know everything", () => {
    const second = (accepted: number, throttled: number) => Array(8).fill([accepted, throttled, 0]);
    const run = of(second(1, 0), second(9, 1));
    const known = of(second(1, 0), second(19, 1)).result;
    expect(strangersLoss().of({ ...run, known: () => known })).toBeCloseTo(0.05);
  });

  test('evenness is by need, not by number', () => {
    const uneven = family({
      group: 'fleet',
      name: '',
      limit,
      workers: 2,
      demand: (worker) => () => (worker === 0 ? 20 : Number.POSITIVE_INFINITY),
      share: 0.9,
      throttled: 0.05,
      fromSecond: 2,
      seconds: 8,
    });
    const run = of(Array(8).fill([20, 0, 20]), Array(8).fill([80, 0, 80]));
    expect(even().of({ ...run, family: uneven })).toBeCloseTo(1);
  });
});

describe('the families', () => {
  test('have names of their own, and about a quarter is held out, some of every group', () => {
    expect(new Set(families.map(({ name }) => name)).size).toBe(families.length);
    const heldOut = families.filter((each) => each.heldOut);
    expect(heldOut.length / families.length).toBeGreaterThan(0.22);
    expect(heldOut.length / families.length).toBeLessThan(0.34);
    expect(new Set(heldOut.map(({ group }) => group))).toEqual(new Set(families.map(({ group }) => group)));
  });

  test.each(families.filter(({ moves }) => moves).map((each) => [each.name, each] as const))(
    'ask for what callers have who follow everything: %s',
    (_, each) => {
      const knows = { name: 'knows', create: () => fixedController(0) };
      const asked = { ...each, asks: [], scenario: (_create: unknown, seed: number) => each.known(seed) };
      expect(judge(asked, knows, 1, couldBeHad(each, 1))).toMatchObject({ passed: true });
    },
  );
});
