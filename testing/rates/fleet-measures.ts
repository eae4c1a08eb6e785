/** Simulated fleets on Redis, and their measures. Rates are calls per second. */

import type { Tuning } from '../../src/ota/rate/adaptive/tuning.ts';
import type { LimitSettings } from '../../src/sandbox/simulated-api/limits/index.ts';
import { type FleetResult, type FleetScenario, type FleetWorker, simulateFleet } from './fleet.ts';
import type { SimulatedWorker } from './scenario.ts';
import { median, ours } from './scenarios.ts';
import { fixedController } from './simulator.ts';
import { wallAheadOf } from './wall-clock.ts';

/** A token bucket with a burst of a tenth of a second, at least 20 calls. */
export const bucket = (perSecond: number): LimitSettings => ({
  kind: 'bucket',
  ratePerSecond: perSecond,
  burst: Math.max(20, perSecond / 10),
  tickMs: 0,
});

/** Workers with more work than they can do, started half a second apart. */
export const busy = (count: number): FleetWorker[] =>
  Array.from({ length: count }, (_, i) => ({ startMs: i * 500 }));

export interface FleetHad {
  readonly accepted: number;
  readonly calls: number;
  /** Share of throttled calls. */
  readonly throttled: number;
}

/** For one worker, or for all, in the seconds [from, to). */
export function hadInFleet({ seconds }: FleetResult, from: number, to: number, worker?: number): FleetHad {
  return had(worker === undefined ? seconds : seconds.slice(worker, worker + 1), from, to);
}

/** For these callers together, in the seconds [from, to). */
function had(callers: FleetResult['seconds'], from: number, to: number): FleetHad {
  const counted = callers.flatMap((each) => each.slice(from, to));
  const accepted = counted.reduce((sum, second) => sum + second.accepted, 0);
  const throttled = counted.reduce((sum, second) => sum + second.throttled, 0);
  return { accepted, calls: accepted + throttled, throttled: throttled / Math.max(1, accepted + throttled) };
}

/** Medians over seeds. */
export interface FleetVerdict {
  /** Accepted calls, as a share of the limit. */
  readonly sum: number;
  readonly throttled: number;
  /** The largest deviation of a worker's calls from an even part, as a share of that part. */
  readonly uneven: number;
}

/** Measured for four minutes, from two minutes after the last start. */
export function judgeFleet(workers: number, limit: number, seeds: number): FleetVerdict {
  const from = Math.ceil(workers / 2) + 120;
  const to = from + 240;
  const runs = Array.from({ length: seeds }, (_, i) => {
    const result = simulateFleet({
      durationMs: to * 1_000,
      limit: bucket(limit),
      ceiling: 4 * limit,
      workers: busy(workers),
      seed: i + 1,
    });
    const all = hadInFleet(result, from, to);
    const even = all.calls / workers;
    const apart = Array.from({ length: workers }, (_, worker) =>
      Math.abs(hadInFleet(result, from, to, worker).calls - even),
    );
    return {
      sum: all.accepted / (240 * limit),
      throttled: all.throttled,
      uneven: Math.max(...apart) / even,
    };
  });
  return {
    sum: median(runs.map(({ sum }) => sum)),
    throttled: median(runs.map(({ throttled }) => throttled)),
    uneven: median(runs.map(({ uneven }) => uneven)),
  };
}

/** Over all windows of 20 s of all seeds; accepted calls as a share of the limit. */
export interface NoiseVerdict {
  readonly mean: number;
  readonly worst: number;
  /** The share of the windows with less than 80%. */
  readonly low: number;
}

const WINDOW = 20;

/** Four workers among 429s that have nothing to do with the rate, for half an hour, from the second minute on. */
export function judgeNoise(limit: number, noise: number, seeds: number): NoiseVerdict {
  const seconds = 1_800;
  const windows = Array.from({ length: seeds }, (_, i) => {
    const result = simulateFleet({
      durationMs: seconds * 1_000,
      limit: bucket(limit),
      ceiling: 2 * limit,
      workers: busy(4),
      noise,
      seed: i + 1,
    });
    return Array.from({ length: (seconds - 60) / WINDOW }, (_window, at) => {
      const from = 60 + at * WINDOW;
      return hadInFleet(result, from, from + WINDOW).accepted / (WINDOW * limit);
    });
  }).flat();
  return {
    mean: windows.reduce((sum, each) => sum + each, 0) / windows.length,
    worst: Math.min(...windows),
    low: windows.filter((each) => each < 0.8).length / windows.length,
  };
}

/** Callers at the limit of a fleet that do not share its Redis. */
interface Neighbours {
  readonly name: string;
  readonly callers: (limit: number, seed: number) => Pick<FleetScenario, 'workers' | 'others'>;
  /** The part of the limit that is left to the fleet, in which it counts as one caller. */
  readonly left: (ms: number) => number;
}

const alone =
  (count: number): Neighbours['callers'] =>
  (limit, seed) => ({
    workers: [],
    others: Array.from({ length: count }, (_, i) => ({
      startMs: 300 * (i + 1),
      controller: ours.create(4 * limit, { wallAheadMs: wallAheadOf(seed) }),
    })),
  });

const strangers = (demand: (ms: number) => number): Pick<Neighbours, 'callers' | 'left'> => ({
  callers: (limit) => {
    const stranger: SimulatedWorker = {
      startMs: 0,
      demand: (ms) => demand(ms) * limit,
      controller: fixedController(Number.POSITIVE_INFINITY),
    };
    return { workers: [], others: [stranger] };
  },
  left: (ms) => 1 - demand(ms),
});

export const neighbours: readonly Neighbours[] = [
  { name: 'a worker without Redis', callers: alone(1), left: () => 1 / 2 },
  { name: 'four workers without Redis', callers: alone(4), left: () => 1 / 5 },
  {
    name: 'another fleet of four',
    callers: () => ({ workers: busy(4).map((worker) => ({ ...worker, fleet: 1 })) }),
    left: () => 1 / 2,
  },
  { name: 'a stranger with half', ...strangers(() => 1 / 2) },
  ...[10, 30, 60].map((seconds) => ({
    name: `a stranger with half, ${seconds} s on and off`,
    ...strangers((ms) => (Math.floor(ms / 1_000 / seconds) % 2 === 0 ? 1 / 2 : 0)),
  })),
];

/** Means over seeds: some fleets are starved, so a median shows only which kind is more frequent. */
export interface NeighbourVerdict {
  /** What the fleet got of the calls that were left to it. */
  readonly part: number;
  /** The share of the fleets that got less than half of what was left to them. */
  readonly starved: number;
  /** Shares of throttled calls, of the fleet and of its neighbours. */
  readonly throttled: number;
  readonly theirs: number;
}

/** Four workers on one Redis, measured for six minutes from the third on. */
export function judgeBeside(
  { callers, left }: Neighbours,
  limit: number,
  seeds: number,
  tuning?: Tuning,
): NeighbourVerdict {
  const from = 120;
  const to = 480;
  const mine = busy(4);
  let allowed = 0;
  for (let second = from; second < to; second++) allowed += limit * left(second * 1_000 + 500);
  const runs = Array.from({ length: seeds }, (_, i) => {
    const { workers, others = [] } = callers(limit, i + 1);
    const result = simulateFleet({
      durationMs: to * 1_000,
      limit: bucket(limit),
      ceiling: 4 * limit,
      workers: [...mine, ...workers],
      others,
      seed: i + 1,
      ...(tuning && { tuning }),
    });
    const { accepted, throttled } = had(result.seconds.slice(0, mine.length), from, to);
    const neighbours = [...result.seconds.slice(mine.length), ...result.others];
    return { part: accepted / allowed, throttled, theirs: had(neighbours, from, to).throttled };
  });
  const mean = (of: (run: (typeof runs)[number]) => number): number =>
    runs.reduce((sum, run) => sum + of(run), 0) / runs.length;
  return {
    part: mean(({ part }) => part),
    starved: mean(({ part }) => (part < 0.5 ? 1 : 0)),
    throttled: mean(({ throttled }) => throttled),
    theirs: mean(({ theirs }) => theirs),
  };
}
