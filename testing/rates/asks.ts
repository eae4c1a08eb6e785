/**
 * Requirements for a controller beyond goodput and 429s, each a measure with a bound. Times of measures are seconds from the
 * start of the scenario, limits calls per second.
 */
import type { Ask } from './family.ts';
import { secondsToWithin10Percent, shareThrottled, total } from './measures.ts';

/** Whether a value is within the required bounds. */
export function isWithin(
  { least = Number.NEGATIVE_INFINITY, most = Number.POSITIVE_INFINITY }: Ask,
  value: number,
): boolean {
  return value >= least && value <= most;
}

/** Jain's index of what the workers got, each relative to its part: 1 is even. Workers without a part do not count. */
export function even(least = 0.9): Ask {
  return {
    name: 'Jain',
    unit: 'index',
    least,
    of: ({ family, result }) => {
      const parts = family.parts(0).map(() => 0);
      for (let second = family.fromSecond; second < family.seconds; second++)
        for (const [i, part] of family.parts(second * 1_000 + 500).entries())
          parts[i] = (parts[i] ?? 0) + part;
      const shares = parts.flatMap((part, i) =>
        part > 0 ? [total(result, [i], family.fromSecond, family.seconds).accepted / part] : [],
      );
      return jain(shares);
    },
  };
}

/** Jain's index: 1 for equal values, 1/n if one has everything. */
export function jain(values: readonly number[]): number {
  const sum = values.reduce((all, value) => all + value, 0);
  const squares = values.reduce((all, value) => all + value ** 2, 0);
  return squares === 0 ? 0 : sum ** 2 / (values.length * squares);
}

/** From the first 429 after a step down until the rate stays within 10% of the new limit. 0 if nothing is throttled. */
export function down(at: number, to: number, limit: number, most = 5): Ask {
  return {
    name: 'down',
    unit: 'seconds',
    most,
    of: ({ result }) => {
      const refused = result.seconds[0]?.slice(at, to).findIndex(({ throttled }) => throttled > 0) ?? -1;
      return refused === -1 ? 0 : secondsToWithin10Percent(result, 0, limit, at + refused, to);
    },
  };
}

/** From a step up until the rate stays within 10% of the new limit. */
export function up(at: number, to: number, limit: number, most = 30): Ask {
  return {
    name: 'up',
    unit: 'seconds',
    most,
    of: ({ result }) => secondsToWithin10Percent(result, 0, limit, at, to),
  };
}

/** Seconds over which 90% of a limit must be accepted, so that a burst does not count. */
const LASTING = 3;

/** Time from a moment until the workers together have 90% of what they may have. */
export function backAfter(at: number, most: number): Ask {
  return {
    name: 'back at 90%',
    unit: 'seconds',
    most,
    of: ({ family, result }) => {
      const workers = Array.from({ length: family.workers }, (_, i) => i);
      for (let second = at; second + LASTING <= family.seconds; second++) {
        let allowed = 0;
        for (let i = 0; i < LASTING; i++) allowed += family.limit((second + i) * 1_000 + 500);
        if (total(result, workers, second, second + LASTING).accepted >= 0.9 * allowed) return second - at;
      }
      return Number.POSITIVE_INFINITY;
    },
  };
}

/** How much larger the share of throttled calls of the strangers is than next to callers that know everything. */
export function strangersLoss(most = 0.03): Ask {
  return {
    name: "strangers' 429s",
    unit: 'points',
    most,
    of: ({ family: { workers, fromSecond, seconds }, result, known }) => {
      const strangers = [...result.seconds.keys()].slice(workers);
      return (
        shareThrottled(result, strangers, fromSecond, seconds) -
        shareThrottled(known(), strangers, fromSecond, seconds)
      );
    },
  };
}
