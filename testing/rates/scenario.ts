/** The parts of a simulation: workers, an API with a limit, and the results. Times are milliseconds. */
import type { ObservedCall } from '../../src/ota/rate/rate-control.ts';

/** The part of RateControl that a simulation drives. */
export interface Controller {
  readonly rate: number;
  /** Maximum calls in flight; set by a controller of concurrency. */
  readonly concurrency?: number;
  /** @param inFlight calls of the worker that were in flight until now, including this one. */
  observe(call: ObservedCall, inFlight?: number): void;
}

export interface SimulatedWorker {
  readonly startMs: number;
  readonly stopMs?: number;
  readonly controller: Controller;
  /** Maximum calls in flight. */
  readonly concurrency?: number;
  /** Calls per second for which there is work, constant or over time; unlimited if omitted. */
  readonly demand?: number | ((ms: number) => number);
  /** Maximum number of connections for its calls, as for the worker; default 1. More if more calls are in flight. */
  readonly connections?: number;
}

/** The limit on the calls. */
export interface SimulatedApi {
  /** Whether a call that arrives at `ms` over a connection is accepted. */
  admit(ms: number, connection: number): boolean;
  /** An accepted call was answered. */
  ended?(ms: number): void;
}

export interface Scenario {
  readonly durationMs: number;
  /** The API's limit at a time, in calls per second. */
  readonly limit: (ms: number) => number;
  /** Burst of the token bucket that the API is if `api` is omitted. */
  readonly burst: number;
  /** Creates a new API for each run. */
  readonly api?: (random: () => number) => SimulatedApi;
  /** Latency of one call, from a random number in [0, 1) and the calls in flight at the API. */
  readonly latencyMs: (random: number, inFlight: number) => number;
  readonly workers: readonly SimulatedWorker[];
  readonly seed?: number;
  /** Stalls of the machine, for workers and API alike; none if omitted. */
  readonly stalls?: Stalls;
}

/** Both are drawn evenly between 0 and twice the mean. */
export interface Stalls {
  readonly meanApartMs: number;
  readonly meanLengthMs: number;
}

/** One second of one worker. */
export interface Second {
  readonly accepted: number;
  readonly throttled: number;
  /** The controller's rate at the end of the second. */
  readonly rate: number;
}

export interface SimulationResult {
  /** By worker and by second from the start of the scenario. */
  readonly seconds: readonly (readonly Second[])[];
}
