/** Judges a controller on a family of limiters against what a caller that knows everything could have had. */
import { isWithin } from './asks.ts';
import type { Candidate } from './candidates.ts';
import type { Ask, Family, Run } from './family.ts';
import { total } from './measures.ts';
import { median } from './scenarios.ts';
import { fixedController, type SimulationResult, simulate } from './simulator.ts';

/** What callers got, from the second at which measuring begins. */
interface Had {
  /** Accepted calls as a share of the limit. */
  readonly goodput: number;
  /** Share of calls that were throttled. */
  readonly throttled: number;
}

interface Answer {
  readonly ask: Ask;
  readonly value: number;
}

export interface Verdict extends Had {
  /** `goodput` of a caller that knows the limit, with the same allowance of 429s. */
  readonly best: number;
  /** Results for the family's further requirements. */
  readonly answers: readonly Answer[];
  readonly passed: boolean;
}

/** @param seeds number of runs, of which the median counts. @param best from {@link couldBeHad}. */
export function judge(family: Family, candidate: Candidate, seeds: number, best: number): Verdict {
  const runs = seedsOf(seeds).map((seed): Run & Had => {
    const result = simulate(family.scenario(candidate.create, seed));
    return { family, result, known: () => simulate(family.known(seed)), ...measure(family, result) };
  });
  const goodput = median(runs.map((run) => run.goodput));
  const throttled = median(runs.map((run) => run.throttled));
  const answers = family.asks.map((ask) => ({ ask, value: median(runs.map(ask.of)) }));
  const passed =
    goodput >= family.share * best &&
    throttled <= family.throttled &&
    answers.every(({ ask, value }) => isWithin(ask, value));
  return { goodput, throttled, best, answers, passed };
}

/** Maximum number of steps of the search for the best fixed rate: to one three-hundredth of the limit. */
const STEPS = 9;
/** The search ends at this share of the limit: the rest is not worth the time. */
const ENOUGH = 0.995;

/**
 * For a moving limit, the goodput of callers that follow it. Otherwise that of the best fixed rate within the allowance
 * of 429s, at most the limit itself.
 */
export function couldBeHad(family: Family, seeds: number): number {
  if (family.moves) {
    const runs = seedsOf(seeds).map((seed) => measure(family, simulate(family.known(seed))));
    return Math.min(1, median(runs.map(({ goodput }) => goodput)));
  }
  let low = 0;
  let high = 1.1;
  let best = 0;
  for (let step = 0; step < STEPS && best < ENOUGH; step++) {
    const factor = step === 0 ? 1 : (low + high) / 2;
    const rate = Math.min(family.ceiling, (factor * family.limit(family.seconds * 1_000)) / family.workers);
    const runs = seedsOf(seeds).map((seed) =>
      measure(family, simulate(family.scenario(() => fixedController(rate), seed))),
    );
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

function measure({ workers, fromSecond, seconds, limit }: Family, result: SimulationResult): Had {
  const judged = Array.from({ length: workers }, (_, i) => i);
  const { accepted, throttled } = total(result, judged, fromSecond, seconds);
  let allowed = 0;
  for (let second = fromSecond; second < seconds; second++) allowed += limit(second * 1_000 + 500);
  return { goodput: accepted / allowed, throttled: throttled / Math.max(1, accepted + throttled) };
}
