/** Fleets on Redis that are simulated, and what is read from them. Rates are calls per second. */
import type { LimitSettings } from '../../src/sandbox/simulated-api/limits/index.ts';
import { type FleetResult, type FleetWorker, simulateFleet } from './fleet.ts';
import { median } from './scenarios.ts';

/** A token bucket with a burst of a tenth of a second, and of 20 calls at least. */
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
  /** Share of the calls. */
  readonly throttled: number;
}

/** Of one worker, or of all, in the seconds [from, to). */
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
  /** How far the calls of the worker farthest from an even part are from it, as a share of it. */
  readonly uneven: number;
}

/** From two minutes after the last start on, for four minutes. */
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
