/** Scenarios of the rate simulator: one worker, two, a limit that steps; and the adaptive rate as a candidate. */
import { defaultTuning, type Tuning } from '../../src/ota/rate/adaptive/tuning.ts';
import { AdaptiveRate } from '../../src/ota/rate/adaptive-rate.ts';
import type { Candidate } from './candidates.ts';
import { fixedController, type Scenario, type SimulationResult, type Stalls, simulate } from './simulator.ts';
import { wallAheadOf } from './wall-clock.ts';

/** The adaptive rate with other numbers. */
export const tuned = (name: string, tuning: Tuning): Candidate => ({
  name,
  create: (ceiling, { wallAheadMs } = {}) =>
    new AdaptiveRate({ ceiling, tuning, onChange: () => {}, ...(wallAheadMs && { wallAheadMs }) }),
});

export const ours = tuned('ours', defaultTuning);

/** Creates a new scenario, because controllers have memory. */
export type ScenarioOf = (candidate: Candidate, seed: number) => Scenario;

interface SingleWorker {
  readonly limit: number;
  readonly burst: number;
  /** RATE_LIMIT. */
  readonly ceiling: number;
  readonly latencyMs?: number;
  readonly seconds?: number;
  readonly concurrency?: number;
  readonly stalls?: Stalls;
}

/** Approximates a busy machine with two cores in real runs: six pauses per minute that cost calls. */
export const busyMachine: Stalls = { meanApartMs: 4_000, meanLengthMs: 40 };

/** One worker with more work than the API accepts. Latency varies by a fifth. */
export function singleWorker(setting: SingleWorker): ScenarioOf {
  const { limit, burst, ceiling, latencyMs = 50, seconds = 60, concurrency = 1_000, stalls } = setting;
  return ({ create }, seed) => ({
    durationMs: seconds * 1_000,
    limit: () => limit,
    burst,
    latencyMs: (random) => latencyMs * (0.8 + 0.4 * random),
    workers: [{ startMs: 0, controller: create(ceiling, { wallAheadMs: wallAheadOf(seed) }), concurrency }],
    seed,
    ...(stalls && { stalls }),
  });
}

/** Two workers, the second starting 30 s later; a stranger calls at a fixed rate if `stranger` is above 0. */
export function twoWorkers(setting: Omit<SingleWorker, 'seconds'> & { stranger: number }): ScenarioOf {
  const one = singleWorker({ ...setting, seconds: 120 });
  return (candidate, seed) => {
    const scenario = one(candidate, seed);
    const world = { wallAheadMs: wallAheadOf(seed) };
    const second = { startMs: 30_000, controller: candidate.create(setting.ceiling, world) };
    const stranger = { startMs: 0, controller: fixedController(setting.stranger) };
    const workers = [...scenario.workers, second, ...(setting.stranger > 0 ? [stranger] : [])];
    return { ...scenario, workers };
  };
}

/** The limit falls from 200 to 50 after 60 s, and rises again after 60 more. */
export const steps: ScenarioOf = (candidate, seed) => ({
  ...singleWorker({ limit: 200, burst: 20, ceiling: 400, seconds: 180 })(candidate, seed),
  limit: (ms) => (ms >= 60_000 && ms < 120_000 ? 50 : 200),
});

/** 75/s for each of the two workers is fair. */
export const twoAndAStranger = twoWorkers({ limit: 200, burst: 20, ceiling: 400, stranger: 50 });

/** Runs a scenario once for each seed from 1 to `seeds`. */
export function runs(
  of: ScenarioOf,
  candidate: Candidate,
  seeds: number,
): { scenario: Scenario; result: SimulationResult }[] {
  return Array.from({ length: seeds }, (_, i) => {
    const scenario = of(candidate, i + 1);
    return { scenario, result: simulate(scenario) };
  });
}

/** The middle value; the upper of two middle values. */
export function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}
