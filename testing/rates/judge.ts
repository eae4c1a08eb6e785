/** Judges a controller on a family of limiters by what a caller who knew everything could have had there. */
import type { Candidate } from './candidates.ts';
import type { Family } from './family.ts';
import { median } from './scenarios.ts';
import { type Controller, fixedController, type SimulationResult, simulate } from './simulator.ts';

/** What callers had, from the second at which a family is measured. */
interface Had {
  /** Accepted calls as a share of the limit. */
  readonly goodput: number;
  /** Share of calls that were throttled. */
  readonly throttled: number;
  /** Jain's index of fairness of the workers' accepted calls: 1 is even. */
  readonly jain: number;
}

export interface Verdict extends Had {
  /** `goodput` of a caller who knows the limit, within the same allowance of 429s. */
  readonly best: number;
  readonly passed: boolean;
}

/** @param seeds runs, of which the median counts. @param best from {@link couldBeHad}. */
export function judge(family: Family, candidate: Candidate, seeds: number, best: number): Verdict {
  const runs = Array.from({ length: seeds }, (_, i) => run(family, candidate.create, i + 1));
  const had: Had = {
    goodput: median(runs.map(({ goodput }) => goodput)),
    throttled: median(runs.map(({ throttled }) => throttled)),
    jain: median(runs.map(({ jain }) => jain)),
  };
  const fair = family.group !== 'fleet' || family.share < 0.95 || had.jain >= 0.9;
  const passed = had.goodput >= family.share * best && had.throttled <= family.throttled && fair;
  return { ...had, best, passed };
}

/** Steps of the search for the best fixed rate: to a three hundredth of the limit. */
const STEPS = 9;

/**
 * The goodput of a caller that follows a limit that moves; else that of the best fixed rate within the allowance of 429s,
 * at most the limit itself.
 */
export function couldBeHad(family: Family, seeds: number): number {
  if (family.moves) return Math.min(1, median(seedsOf(seeds).map((seed) => follow(family, seed).goodput)));
  let low = 0;
  let high = 1.1;
  let best = 0;
  for (let step = 0; step < STEPS; step++) {
    const factor = step === 0 ? 1 : (low + high) / 2;
    const rate = Math.min(family.ceiling, (factor * family.limit(0)) / family.workers);
    const runs = seedsOf(seeds).map((seed) => run(family, () => fixedController(rate), seed));
    if (median(runs.map(({ throttled }) => throttled)) <= family.throttled) {
      best = Math.max(best, median(runs.map(({ goodput }) => goodput)));
      low = factor;
    } else high = factor;
  }
  return Math.min(1, best);
}

function seedsOf(count: number): number[] {
  return Array.from({ length: count }, (_, i) => i + 1);
}

/** Each worker calls at its part of the true limit. */
function follow(family: Family, seed: number): Had {
  let now = 0;
  const create = (): Controller => ({
    get rate() {
      return family.limit(now) / family.workers;
    },
    observe: ({ endedAt }) => {
      now = Math.max(now, endedAt);
    },
  });
  return run(family, create, seed);
}

function run(family: Family, create: (ceiling: number) => Controller, seed: number): Had {
  return measure(family, simulate(family.scenario(create, seed)));
}

function measure({ workers, fromSecond, seconds, limit }: Family, result: SimulationResult): Had {
  const each = result.seconds.slice(0, workers).map((all) => {
    const measured = all.slice(fromSecond, seconds);
    return {
      accepted: measured.reduce((sum, { accepted }) => sum + accepted, 0),
      throttled: measured.reduce((sum, { throttled }) => sum + throttled, 0),
    };
  });
  const accepted = each.reduce((sum, worker) => sum + worker.accepted, 0);
  const throttled = each.reduce((sum, worker) => sum + worker.throttled, 0);
  const squares = each.reduce((sum, worker) => sum + worker.accepted ** 2, 0);
  let allowed = 0;
  for (let second = fromSecond; second < seconds; second++) allowed += limit(second * 1_000 + 500);
  return {
    goodput: accepted / allowed,
    throttled: throttled / Math.max(1, accepted + throttled),
    jain: accepted ** 2 / (workers * Math.max(1, squares)),
  };
}
