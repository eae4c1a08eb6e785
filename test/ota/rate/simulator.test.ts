/** The simulator by which the adaptive rate was chosen, and the candidates it was compared with. */
import { describe, expect, test } from 'vitest';
import { seeded } from '../../../testing/random.ts';
import {
  aimd5,
  aimd50,
  bbr,
  type Candidate,
  cubic,
  rejectedCandidates,
} from '../../../testing/rates/candidates.ts';
import {
  evenness,
  secondsToWithin10Percent,
  shareOfLimit,
  shareThrottled,
  total,
} from '../../../testing/rates/measures.ts';
import {
  fixedController,
  type Scenario,
  type SimulatedWorker,
  type SimulationResult,
  simulate,
} from '../../../testing/rates/simulator.ts';

function scenario(workers: readonly SimulatedWorker[], overrides: Partial<Scenario> = {}): Scenario {
  return { durationMs: 20_000, limit: () => 100, burst: 10, latencyMs: () => 50, workers, ...overrides };
}
const at = (rate: number, rest: Partial<SimulatedWorker> = {}): SimulatedWorker => ({
  startMs: 0,
  controller: fixedController(rate),
  ...rest,
});

describe('the simulator', () => {
  test('throttles nothing below the limit', () => {
    const { accepted, throttled } = total(simulate(scenario([at(80)])), [0], 0, 20);
    expect(throttled).toBe(0);
    expect(accepted).toBeGreaterThan(80 * 20 - 10);
    expect(accepted).toBeLessThanOrEqual(80 * 20 + 1);
  });

  test('accepts the limit and the burst, and throttles the rest', () => {
    const { accepted, throttled } = total(simulate(scenario([at(200)])), [0], 0, 20);
    expect(accepted).toBeGreaterThan(100 * 20);
    expect(accepted).toBeLessThanOrEqual(100 * 20 + 10);
    expect(accepted + throttled).toBeGreaterThan(200 * 20 - 20);
  });

  test('follows a limit that steps', () => {
    const result = simulate(scenario([at(200)], { limit: (ms) => (ms < 10_000 ? 100 : 25) }));
    expect(total(result, [0], 11, 20).accepted).toBeGreaterThan(25 * 9 - 5);
    expect(total(result, [0], 11, 20).accepted).toBeLessThan(25 * 9 + 5);
  });

  test('starts and stops a worker at its times, and gives it no more work than there is', () => {
    const result = simulate(scenario([at(50, { startMs: 5_000, stopMs: 15_000, demand: 20 })]));
    expect(total(result, [0], 0, 5)).toEqual({ accepted: 0, throttled: 0 });
    expect(total(result, [0], 6, 14).accepted).toBe(20 * 8);
    expect(total(result, [0], 16, 20)).toEqual({ accepted: 0, throttled: 0 });
    expect(result.seconds[0]?.[2]?.rate).toBe(0);
  });

  test.each([0, 0.01])('sees work that comes after a time with work for %d calls a second', (little) => {
    const result = simulate(scenario([at(50, { demand: (ms) => (ms < 10_000 ? little : 50) })]));
    expect(total(result, [0], 1, 10).accepted).toBe(0);
    expect(total(result, [0], 10, 11).accepted).toBeGreaterThan(40);
  });

  test('makes the next call as soon as one has ended where a controller bounds the calls in flight', () => {
    const controller = { rate: Number.POSITIVE_INFINITY, concurrency: 3, observe: () => {} };
    const result = simulate(scenario([{ startMs: 0, controller }], { latencyMs: () => 70 }));
    expect(total(result, [0], 0, 20).accepted).toBeCloseTo((3 * 20_000) / 70, -1);
  });

  test('tells the latency how many calls are in flight, of all workers', () => {
    const seen: number[] = [];
    const latencyMs = (_: number, inFlight: number): number => {
      seen.push(inFlight);
      return 100;
    };
    simulate(scenario([at(20), at(20)], { latencyMs }));
    expect(Math.max(...seen)).toBe(3);
  });

  test('stalls at times when configured', () => {
    const stalls = { meanApartMs: 1_000, meanLengthMs: 1_000 };
    const { accepted } = total(simulate(scenario([at(80)], { stalls, durationMs: 60_000 })), [0], 0, 60);
    expect(accepted).toBeGreaterThan(80 * 60 * 0.25);
    expect(accepted).toBeLessThan(80 * 60 * 0.75);
  });

  test('makes up for short stalls, as the limiter does', () => {
    const stalls = { meanApartMs: 200, meanLengthMs: 10 };
    const { accepted, throttled } = total(simulate(scenario([at(80)], { stalls })), [0], 0, 20);
    expect(throttled).toBe(0);
    expect(accepted).toBeGreaterThan(80 * 20 - 10);
  });

  test('keeps within the concurrency of a worker', () => {
    // Two in flight of half a second each.
    const result = simulate(scenario([at(50, { concurrency: 2 })], { latencyMs: () => 500 }));
    expect(total(result, [0], 5, 15).accepted).toBeLessThanOrEqual(4 * 10);
    expect(total(result, [0], 5, 15).accepted).toBeGreaterThan(4 * 10 - 5);
  });

  test('reports every call that has ended to the controller, in order of time', () => {
    const ends: [number, boolean][] = [];
    const controller = {
      rate: 200,
      observe: (call: { endedAt: number; failure?: object }) => {
        ends.push([call.endedAt, call.failure !== undefined]);
      },
    };
    const result = simulate(scenario([{ startMs: 0, controller }], { latencyMs: (random) => 100 * random }));
    const { accepted, throttled } = total(result, [0], 0, 20);
    expect(ends.map(([end]) => end)).toEqual(ends.map(([end]) => end).toSorted((a, b) => a - b));
    expect(ends.filter(([, failed]) => failed).length).toBeGreaterThan(throttled - 20);
    expect(ends.length).toBeLessThanOrEqual(accepted + throttled);
  });

  test('gives the same result for the same seed, and another for another seed', () => {
    const once = (seed: number): SimulationResult =>
      simulate(
        scenario([{ startMs: 0, controller: aimd5.create(200) }], { latencyMs: (r) => 20 + 80 * r, seed }),
      );
    expect(once(1)).toEqual(once(1));
    expect(once(1)).not.toEqual(once(2));
  });

  test('draws random numbers evenly from 0 to 1', () => {
    const random = seeded(7);
    const drawn = Array.from({ length: 10_000 }, random);
    expect(Math.min(...drawn)).toBeGreaterThanOrEqual(0);
    expect(Math.max(...drawn)).toBeLessThan(1);
    for (let tenth = 0; tenth < 10; tenth++)
      expect(drawn.filter((n) => Math.floor(n * 10) === tenth).length).toBeGreaterThan(850);
  });
});

describe('what is measured', () => {
  const second = (accepted: number, throttled: number, rate: number) => ({ accepted, throttled, rate });
  const of = (...rates: number[]): SimulationResult => ({
    seconds: [rates.map((rate) => second(rate, 0, rate))],
  });

  test('is the share of the limit by all workers together', () => {
    const result = {
      seconds: [
        [second(9, 9, 0), second(30, 0, 0)],
        [second(9, 0, 0), second(40, 0, 0)],
      ],
    };
    expect(shareOfLimit(result, scenario([]), 1, 2)).toBe(0.7);
  });

  test('is the throttled part of the calls', () => {
    const result = { seconds: [[second(30, 10, 0)], [second(40, 20, 0)]] };
    expect(shareThrottled(result, [0], 0, 1)).toBe(0.25);
    expect(shareThrottled(result, [0, 1], 0, 1)).toBe(0.3);
  });

  test('is how even two workers are, whichever is ahead', () => {
    expect(evenness({ seconds: [[second(60, 0, 0)], [second(80, 0, 0)]] }, 0, 1)).toBe(0.75);
    expect(evenness({ seconds: [[second(80, 0, 0)], [second(60, 0, 0)]] }, 0, 1)).toBe(0.75);
  });

  test.each([
    [[200, 90, 54, 52, 51, 50], 3],
    [[200, 55, 45, 50, 200, 200], 2],
    [[50, 50, 50, 200, 200, 200], 1],
    [[200, 50, 50, 60, 50, 50], Number.POSITIVE_INFINITY],
    [[200, 50, 50, 60, 50, 50, 50], 5],
    [[30, 60, 30, 60, 30, 60], Number.POSITIVE_INFINITY],
  ])('is when a rate stays near 50 for 3 s: %j', (rates, seconds) => {
    expect(secondsToWithin10Percent(of(...rates), 0, 50, 0, rates.length)).toBe(seconds);
  });
});

describe('the candidates', () => {
  const run = (candidate: Candidate, overrides: Partial<Scenario> = {}): SimulationResult =>
    simulate(
      scenario([{ startMs: 0, controller: candidate.create(200) }], { durationMs: 60_000, ...overrides }),
    );
  const rates = (result: SimulationResult): number[] => (result.seconds[0] ?? []).map(({ rate }) => rate);

  test.each(rejectedCandidates)('$name starts at its ceiling and never goes above it', (candidate) => {
    expect(candidate.create(200).rate).toBe(200);
    expect(Math.max(...rates(run(candidate)))).toBeLessThanOrEqual(200);
    expect(Math.max(...rates(run(candidate, { limit: () => 1_000 })))).toBe(200);
  });

  test.each([aimd5, aimd50, cubic, bbr])(
    '$name comes down to a limit after starting unpaced',
    (candidate) => {
      const controller = candidate.create(Number.POSITIVE_INFINITY);
      expect(controller.rate).toBe(Number.POSITIVE_INFINITY);
      simulate(scenario([{ startMs: 0, controller, concurrency: 20 }], { durationMs: 60_000 }));
      expect(controller.rate).toBeGreaterThan(20);
      expect(controller.rate).toBeLessThan(135);
    },
  );

  test('AIMD counts a burst once, cuts by its factor and climbs 0.5/s per second', () => {
    for (const [candidate, cut] of [
      [aimd5, 190],
      [aimd50, 100],
    ] as const) {
      const controller = candidate.create(200);
      for (let i = 0; i < 20; i++)
        controller.observe({ startedAt: 0, endedAt: 50 + i, failure: { kind: 'throttled' } });
      expect(controller.rate).toBe(cut);
      controller.observe({ startedAt: 60, endedAt: 2_069 });
      expect(controller.rate).toBeCloseTo(cut + 1, 9);
    }
  });

  test('CUBIC cuts to 0.7 of the measured rate, is back after the cube root, and climbs beyond', () => {
    const controller = cubic.create(1_000);
    let now = 0;
    const accept = (ms: number): void => {
      for (const until = now + ms; now < until; now += 10)
        controller.observe({ startedAt: now, endedAt: now });
    };
    accept(5_000);
    controller.observe({ startedAt: now, endedAt: now, failure: { kind: 'throttled' } });
    expect(controller.rate).toBeCloseTo(70, 0);
    // ∛(100 · 0.3 / 0.4) = 4.2 s.
    accept(4_220);
    expect(controller.rate).toBeCloseTo(100, 0);
    accept(4_000);
    expect(controller.rate).toBeGreaterThan(120);
    accept(20_000);
    expect(controller.rate).toBeCloseTo(200, -1);
  });

  test('CUBIC does not go below 0.5/s', () => {
    const controller = cubic.create(1_000);
    for (let i = 0; i < 100; i++)
      controller.observe({ startedAt: i, endedAt: i, failure: { kind: 'throttled' } });
    expect(controller.rate).toBe(0.5);
  });

  test('the BBR-like one probes a quarter above the accepted rate, and drains a quarter below', () => {
    const seen = rates(run(bbr)).slice(20);
    expect(Math.max(...seen)).toBeGreaterThan(118);
    expect(Math.min(...seen)).toBeLessThan(90);
  });
});
