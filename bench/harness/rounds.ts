/** Interleaved rounds, A B C, then C B A, and the medians of their results. */
import { type Backlog, type Worked, workOff } from './backlog.ts';
import type { Contender } from './contenders.ts';
import { percent } from './result.ts';
import type { Stage } from './stage.ts';

export interface Standing extends Worked {
  readonly name: string;
  /** Every round's rate, in order: how much to trust the median. */
  readonly rates: readonly number[];
  /** Every round's CPU per update, in order. */
  readonly cpus: readonly number[];
}

/**
 * Every contender works off the same backlog, round by round; the median is taken of each figure separately. Every other round is
 * in reverse order, so that no contender always follows the same one.
 */
export async function playRounds(
  stage: Stage,
  contenders: readonly Contender[],
  rounds: number,
  backlog: Backlog,
  say: (line: string) => void,
): Promise<Standing[]> {
  const worked = new Map<string, Worked[]>(contenders.map(({ name }) => [name, []]));
  for (let round = 1; round <= rounds; round++) {
    for (const contender of round % 2 === 1 ? contenders : contenders.toReversed()) {
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

export interface Ratio {
  readonly value: number;
  /** The standard error of the value, as a share of it; NaN after one round. */
  readonly error: number;
}

/** The geometric mean of `ones` over `others`, round by round, so that drift between rounds cancels out. */
export function pairedRatio(ones: readonly number[], others: readonly number[]): Ratio {
  const logarithms = ones.map((one, round) => Math.log(one / (others[round] ?? Number.NaN)));
  const count = logarithms.length;
  const mean = logarithms.reduce((sum, each) => sum + each, 0) / count;
  const squares = logarithms.reduce((sum, each) => sum + (each - mean) ** 2, 0);
  return { value: Math.exp(mean), error: Math.sqrt(squares / (count - 1) / count) };
}

/** For display: `98.2% ± 0.4`. */
export function ratioText({ value, error }: Ratio): string {
  return Number.isNaN(error) ? percent(value) : `${percent(value)} ± ${(100 * error).toFixed(1)}`;
}
