/** What a simulation is made of: workers, an API with a limit, what comes of it. Times are milliseconds. */
import type { ObservedCall } from '../../src/ota/rate/rate-control.ts';

/** What is simulated: the part of RateControl that a simulation drives. */
export interface Controller {
  readonly rate: number;
  /** Calls in flight at most, besides; a controller of concurrency says it. */
  readonly concurrency?: number;
  /** @param inFlight calls of the worker that were in flight until now, with this one. */
  observe(call: ObservedCall, inFlight?: number): void;
}

export interface SimulatedWorker {
  readonly startMs: number;
  readonly stopMs?: number;
  readonly controller: Controller;
  /** Calls in flight at most. */
  readonly concurrency?: number;
  /** Calls per second that there is work for, always or at a time; unlimited when omitted. */
  readonly demand?: number | ((ms: number) => number);
  /** Connections that its calls take, as the worker's do, at most; default 1. More where more calls are in flight. */
  readonly connections?: number;
}

/** What limits the calls. */
export interface SimulatedApi {
  /** Whether a call is let through that arrives at `ms` over a connection. */
  admit(ms: number, connection: number): boolean;
  /** A call that was let through has been answered. */
  ended?(ms: number): void;
}

export interface Scenario {
  readonly durationMs: number;
  /** The API's limit at a time, in calls per second. */
  readonly limit: (ms: number) => number;
  /** Of the token bucket that the API is when `api` is omitted. */
  readonly burst: number;
  /** Makes the API anew for each run. */
  readonly api?: (random: () => number) => SimulatedApi;
  /** Of one call, from a random number in [0, 1) and the calls in flight at the API. */
  readonly latencyMs: (random: number, inFlight: number) => number;
  readonly workers: readonly SimulatedWorker[];
  readonly seed?: number;
  /** The machine stands still now and then, workers and API alike; it never does when omitted. */
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
  /** Per worker, per second from the start of the scenario. */
  readonly seconds: readonly (readonly Second[])[];
}
