/** Simulated fleets on Redis, and their measures. Rates are calls per second. */
import type { LimitSettings } from '../../src/sandbox/simulated-api/limits/index.ts';
import { type FleetResult, type FleetWorker, simulateFleet } from './fleet.ts';
import { median } from './scenarios.ts';

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
  const counted = seconds.flatMap((each, i) =>
    worker === undefined || worker === i ? each.slice(from, to) : [],
  );
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
