/** Measures of a simulation: shares of the limit and of throttled calls, fairness, seconds to a new limit. */
import type { Scenario, SimulationResult } from './simulator.ts';

/** Sums over workers and seconds [from, to). */
export function total(
  result: SimulationResult,
  workers: readonly number[],
  from: number,
  to: number,
): { accepted: number; throttled: number } {
  let accepted = 0;
  let throttled = 0;
  for (const worker of workers) {
    for (const each of result.seconds[worker]?.slice(from, to) ?? []) {
      accepted += each.accepted;
      throttled += each.throttled;
    }
  }
  return { accepted, throttled };
}

/** The share of the limit that all workers together used in the seconds [from, to). */
export function shareOfLimit(
  result: SimulationResult,
  { limit }: Scenario,
  from: number,
  to: number,
): number {
  let allowed = 0;
  for (let second = from; second < to; second++) allowed += limit(second * 1_000);
  return total(result, [...result.seconds.keys()], from, to).accepted / allowed;
}

/** The share of these workers' calls that was throttled in the seconds [from, to). */
export function shareThrottled(
  result: SimulationResult,
  workers: readonly number[],
  from: number,
  to: number,
): number {
  const { accepted, throttled } = total(result, workers, from, to);
  return throttled / (accepted + throttled);
}

/** What two workers got in the seconds [from, to), the smaller part divided by the larger: 1 is fair. */
export function evenness(result: SimulationResult, from: number, to: number): number {
  const [one, other] = [0, 1].map((worker) => total(result, [worker], from, to).accepted);
  return Math.min(one ?? 0, other ?? 0) / Math.max(one ?? 0, other ?? 0);
}

/** Seconds from `from` until a worker's rate stays within 10% of the limit for three seconds; `Infinity`: never. */
export function secondsToWithin10Percent(
  result: SimulationResult,
  worker: number,
  limit: number,
  from: number,
  to: number,
): number {
  const rates = result.seconds[worker]?.slice(from, to).map(({ rate }) => rate) ?? [];
  const near = (rate: number | undefined): boolean =>
    rate !== undefined && Math.abs(rate - limit) <= limit / 10;
  const index = rates.findIndex((_, i) => near(rates[i]) && near(rates[i + 1]) && near(rates[i + 2]));
  return index === -1 ? Number.POSITIVE_INFINITY : index + 1;
}
