/** Interleaved rounds, A B C A B C, and the medians of their results. */
import { type Backlog, type Worked, workOff } from './backlog.ts';
import type { Contender } from './contenders.ts';
import type { Stage } from './stage.ts';

export interface Standing extends Worked {
  readonly name: string;
  /** Every round's rate, in order: how much to trust the median. */
  readonly rates: readonly number[];
  /** Every round's CPU per update, in order. */
  readonly cpus: readonly number[];
}

/** Every contender works off the same backlog, round by round; medians of each figure by itself. */
export async function playRounds(
  stage: Stage,
  contenders: readonly Contender[],
  rounds: number,
  backlog: Backlog,
  say: (line: string) => void,
): Promise<Standing[]> {
  const worked = new Map<string, Worked[]>(contenders.map(({ name }) => [name, []]));
  for (let round = 1; round <= rounds; round++) {
    for (const contender of contenders) {
      const result = await workOff(stage, contender, backlog);
      worked.get(contender.name)?.push(result);
      say(
        `round ${round}, ${contender.name}: ${result.perSecond.toFixed(0)}/s, ` +
          `${result.cpuMicrosPerUpdate.toFixed(0)} µs CPU per update, ` +
          `${result.sqsRequestsPerUpdate.toFixed(3)} SQS requests per update` +
          `${result.complete ? '' : ' (not complete in time)'}`,
      );
    }
  }
  return [...worked].map(([name, results]) => ({ name, ...medians(results) }));
}

function medians(results: readonly Worked[]): Omit<Standing, 'name'> {
  const of = (read: (worked: Worked) => number): number => median(results.map(read));
  return {
    perSecond: of((each) => each.perSecond),
    cpuMicrosPerUpdate: of((each) => each.cpuMicrosPerUpdate),
    sqsRequestsPerUpdate: of((each) => each.sqsRequestsPerUpdate),
    peakRssMb: of((each) => each.peakRssMb),
    startMs: of((each) => each.startMs),
    startCpuMs: of((each) => each.startCpuMs),
    wastedCalls: of((each) => each.wastedCalls),
    complete: results.every((each) => each.complete),
    rates: results.map((each) => each.perSecond),
    cpus: results.map((each) => each.cpuMicrosPerUpdate),
  };
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length / 2;
  if (!Number.isInteger(middle)) return sorted[Math.floor(middle)] ?? Number.NaN;
  return ((sorted[middle - 1] ?? Number.NaN) + (sorted[middle] ?? Number.NaN)) / 2;
}

/** The geometric mean of `ones` over `others`, round by round: what drifts from round to round cancels out. */
export function pairedRatio(ones: readonly number[], others: readonly number[]): number {
  const logarithms = ones.map((one, round) => Math.log(one / (others[round] ?? Number.NaN)));
  return Math.exp(logarithms.reduce((sum, each) => sum + each, 0) / logarithms.length);
}
