/**
 * A deterministic simulator of workers that call an API with a limit: a virtual clock, latency, other callers, varying
 * demand, machines that stall. Time is in milliseconds. The controllers are the real ones.
 */
import { seeded } from '../random.ts';
import { EventQueue } from './event-queue.ts';
import { freezer } from './freezer.ts';
import type { Controller, Scenario, SimulatedApi, SimulationResult } from './scenario.ts';
import { type Surroundings, startCaller } from './simulated-caller.ts';

export type {
  Controller,
  Scenario,
  SimulatedApi,
  SimulatedWorker,
  SimulationResult,
  Stalls,
} from './scenario.ts';

/** Runs a scenario to its end; the same seed gives the same result. */
export function simulate(scenario: Scenario): SimulationResult {
  const seed = scenario.seed ?? 1;
  const events = new EventQueue();
  const surroundings: Surroundings = {
    events,
    thaw: freezer(scenario),
    api: scenario.api?.(seeded(seed ^ 0x5bd1e995)) ?? tokenBucket(scenario),
    latencyMs: scenario.latencyMs,
    random: seeded(seed),
    durationMs: scenario.durationMs,
    inFlight: 0,
    connections: 0,
  };
  const seconds = scenario.workers.map((worker) => startCaller(worker, surroundings));
  events.run(scenario.durationMs);
  return { seconds };
}

/** The API of a scenario without its own. */
function tokenBucket({ burst, limit }: Scenario): SimulatedApi {
  let tokens = burst;
  let filledAt = 0;
  return {
    admit: (now) => {
      tokens = Math.min(burst, tokens + ((now - filledAt) * limit(now)) / 1_000);
      filledAt = now;
      if (tokens < 1) return false;
      tokens -= 1;
      return true;
    },
  };
}

/** A controller that never changes: a stranger, or a fixed rate. */
export function fixedController(rate: number): Controller {
  return { rate, observe: () => {} };
}
