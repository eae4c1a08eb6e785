/**
 * Restarts of workers that remember a rate: the limit is still the same, or has fallen meanwhile. In virtual time, with the
 * worst case of a remembered rate: the whole limit, which a controller only approaches.
 */
import { AdaptiveRate } from '../../src/ota/rate/adaptive-rate.ts';
import { family } from './family.ts';
import { shareOfLimit, shareThrottled } from './measures.ts';
import { median } from './scenarios.ts';
import { type Scenario, simulate } from './simulator.ts';
import { wallAheadOf } from './wall-clock.ts';

type Setting = Parameters<typeof family>[0];

export interface Restart
  extends Pick<Setting, 'limit' | 'api' | 'burst' | 'noise' | 'latencyMs' | 'workers' | 'stalls'> {
  /** `limit` at the restart as a part of the limit before; 1 is all of it. */
  readonly left: 1 | 0.5;
}

export interface Restarted {
  /** Share of the calls that was throttled in the first three seconds. */
  readonly throttled: number;
  /** Share of the limit that was accepted from second 3 to 10. */
  readonly accepted: number;
}

/** Former limits from 50 calls per second up. @param leastBurst part of the limit, in seconds; at least 5 calls. */
export function bucketRestarts(left: Restart['left'], latencyMs: number, leastBurst: number): Restart[] {
  return [50, 100, 200, 500, 1_000].flatMap((before) =>
    [Math.max(5, before * leastBurst), before / 10, before].map((burst) => ({
      left,
      limit: before * left,
      burst,
      latencyMs,
    })),
  );
}

const SECONDS = 10;

/** @param seeds number of runs, of which the median counts. */
export function measureRestart(restart: Restart, seeds: number): Restarted {
  const runs = Array.from({ length: seeds }, (_, i) => run(scenarioOf(restart, i + 1)));
  return {
    throttled: median(runs.map(({ throttled }) => throttled)),
    accepted: median(runs.map(({ accepted }) => accepted)),
  };
}

function run(scenario: Scenario): Restarted {
  const result = simulate(scenario);
  return {
    throttled: shareThrottled(result, [...scenario.workers.keys()], 0, 3),
    accepted: shareOfLimit(result, scenario, 3, SECONDS),
  };
}

function scenarioOf({ left, ...setting }: Restart, seed: number): Scenario {
  const before = setting.limit / left;
  const restarted = family({
    group: 'bucket',
    name: 'restart',
    share: 0.7,
    throttled: 0.03,
    ...setting,
    apart: 0,
    ceiling: 4 * before,
    seconds: SECONDS,
  });
  const startAt = before / restarted.workers;
  const wallAheadMs = wallAheadOf(seed);
  const create = (at: number) => new AdaptiveRate({ ceiling: at, startAt, wallAheadMs, onChange: () => {} });
  return restarted.scenario(create, seed);
}
