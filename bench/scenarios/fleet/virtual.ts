/**
 * The results of the same limiters in virtual time: for ours, alone, as a fleet and as a fleet on Redis, and for
 * peers.
 */
import { even, jain } from '../../../testing/rates/asks.ts';
import type { Candidate } from '../../../testing/rates/candidates.ts';
import { family } from '../../../testing/rates/family.ts';
import { simulateFleet } from '../../../testing/rates/fleet.ts';
import { hadInFleet } from '../../../testing/rates/fleet-measures.ts';
import { couldBeHad, judge } from '../../../testing/rates/judge.ts';
import { median, ours } from '../../../testing/rates/scenarios.ts';
import {
  APART,
  CEILING,
  factorAt,
  type Kind,
  LIMIT,
  type Span,
  scaled,
  settingOf,
  stepsOf,
  WORKERS,
} from './kinds.ts';

/** Number of runs, of which the median counts. */
const SEEDS = 5;
/** Number of runs in the search for the best fixed rate. */
const SEARCH_SEEDS = 3;

export interface Had {
  /** Accepted calls, as a share of the limit. */
  readonly goodput: number;
  /** As a share of all calls. */
  readonly throttled: number;
  /** Jain's index of the workers' accepted calls; for fleets. */
  readonly jain?: number | undefined;
}

/** Calls that the limit allows in a span. */
export function allowed(kind: Kind, span: Span): number {
  let calls = 0;
  for (let second = span.from; second < span.to; second++)
    calls += LIMIT * factorAt(kind, span, second + 0.5);
  return calls;
}

/** The share of the limit that callers that know it get, with the same allowance of 429s. */
export function best(kind: Kind, isFleet: boolean, span: Span): number {
  return couldBeHad(family(settingOf(kind, isFleet, span)), SEARCH_SEEDS);
}

/** One caller. @param ceiling calls per second; `Infinity` for a caller without one. */
export function oneCaller(kind: Kind, span: Span, candidate: Candidate = ours, ceiling = CEILING): Had {
  return judge(family({ ...settingOf(kind, false, span), ceiling }), candidate, SEEDS, 1);
}

/** Workers that do not know each other. */
export function fleetWithoutRedis(kind: Kind, span: Span): Had {
  const { answers, ...had } = judge(
    family({ ...settingOf(kind, true, span), asks: [even()] }),
    ours,
    SEEDS,
    1,
  );
  return { ...had, jain: answers[0]?.value };
}

/** Workers that find one rate through Redis. */
export function fleetOnRedis(kind: Kind, span: Span): Had {
  const runs = Array.from({ length: SEEDS }, (_, i) => {
    const result = simulateFleet({
      durationMs: span.to * 1_000,
      limit: kind.limit,
      changes: stepsOf(kind, span).map(({ atSecond, factor }) => ({
        atMs: atSecond * 1_000,
        limit: scaled(kind.limit, factor),
      })),
      ceiling: CEILING,
      workers: Array.from({ length: WORKERS }, (_worker, order) => ({ startMs: order * APART * 1_000 })),
      noise: kind.noise,
      seed: i + 1,
    });
    const { accepted, throttled } = hadInFleet(result, span.from, span.to);
    const each = result.seconds.map((_worker, order) => hadInFleet(result, span.from, span.to, order));
    return {
      goodput: accepted / allowed(kind, span),
      throttled,
      jain: jain(each.map((worker) => worker.accepted)),
    };
  });
  return {
    goodput: median(runs.map(({ goodput }) => goodput)),
    throttled: median(runs.map(({ throttled }) => throttled)),
    jain: median(runs.map((run) => run.jain)),
  };
}
