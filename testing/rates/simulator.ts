/**
 * A deterministic simulator of workers calling an API with a limit: a virtual clock, latency, other callers, demand that
 * comes and goes, machines that stall. Time is in milliseconds. The controllers are the real ones.
 */
import { grantInterval, grantSize, MAX_MISSED_INTERVALS } from '../../src/ota/rate/limiter.ts';
import type { ObservedCall } from '../../src/ota/rate/rate-control.ts';
import { seeded } from '../random.ts';
import { EventQueue } from './event-queue.ts';

/** What is simulated: the part of RateControl that a simulation drives. */
export interface Controller {
  readonly rate: number;
  observe(call: ObservedCall): void;
}

export interface SimulatedWorker {
  readonly startMs: number;
  readonly stopMs?: number;
  readonly controller: Controller;
  /** Calls in flight at most. */
  readonly concurrency?: number;
  /** Calls per second that there is work for, always or at a time; unlimited when omitted. */
  readonly demand?: number | ((ms: number) => number);
  /** Connections that its calls take in turn; default 1. */
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
interface Second {
  readonly accepted: number;
  readonly throttled: number;
  /** The controller's rate at the end of the second. */
  readonly rate: number;
}

export interface SimulationResult {
  /** Per worker, per second from the start of the scenario. */
  readonly seconds: readonly (readonly Second[])[];
}

/** Runs a scenario to its end; the same seed gives the same result. */
export function simulate(scenario: Scenario): SimulationResult {
  const random = seeded(scenario.seed ?? 1);
  const thaw = freezer(scenario);
  const events = new EventQueue();
  const api = scenario.api?.(seeded((scenario.seed ?? 1) ^ 0x5bd1e995)) ?? tokenBucket(scenario);
  let underWay = 0;
  let nextConnection = 0;
  const count = Math.ceil(scenario.durationMs / 1_000);
  const seconds = scenario.workers.map(() =>
    Array.from({ length: count }, () => ({ accepted: 0, throttled: 0, rate: 0 })),
  );
  for (const [index, worker] of scenario.workers.entries()) {
    const { controller, concurrency = 1_000, stopMs = scenario.durationMs, connections = 1 } = worker;
    const second = (now: number) => seconds[index]?.[Math.min(count - 1, Math.floor(now / 1_000))];
    const demandAt = (now: number): number =>
      typeof worker.demand === 'function' ? worker.demand(now) : (worker.demand ?? Number.POSITIVE_INFINITY);
    const firstConnection = nextConnection;
    nextConnection += connections;
    let inFlight = 0;
    let calls = 0;
    const call = (now: number): void => {
      inFlight++;
      const latency = scenario.latencyMs(random(), underWay);
      const connection = firstConnection + (calls++ % connections);
      underWay++;
      // The limit is looked at when the request arrives, half way.
      events.add(thaw(now + latency / 2), (arrived) => {
        const accepted = api.admit(arrived, connection);
        const bucket = second(arrived);
        if (bucket !== undefined) bucket[accepted ? 'accepted' : 'throttled']++;
        events.add(thaw(arrived + latency / 2), (ended) => {
          inFlight--;
          underWay--;
          if (accepted) api.ended?.(ended);
          controller.observe({
            startedAt: now,
            endedAt: ended,
            ...(!accepted && { failure: { kind: 'throttled' } }),
          });
        });
      });
    };
    let dueAt = worker.startMs;
    const grant = (now: number): void => {
      if (now >= stopMs) return;
      const rate = Math.min(controller.rate, demandAt(now), FASTEST);
      // Little work, or none: looked at again soon, so that a backlog that comes is not missed.
      if (rate < SLOWEST) {
        dueAt = now + 1_000 / SLOWEST;
        events.add(thaw(dueAt), grant);
        return;
      }
      const interval = grantInterval(rate);
      // As the limiter does: whole intervals lost are made good, a few at most.
      const lost = Math.floor((now - dueAt) / interval);
      const permits = grantSize(rate) * (1 + Math.min(lost, MAX_MISSED_INTERVALS));
      for (let i = 0; i < permits && inFlight < concurrency; i++) call(now);
      dueAt += (lost + 1) * interval;
      events.add(thaw(dueAt), grant);
    };
    events.add(thaw(dueAt), grant);
    for (let i = 0; i < count; i++) {
      events.add((i + 1) * 1_000 - 1, (now) => {
        const bucket = second(now);
        if (bucket !== undefined) bucket.rate = now < worker.startMs ? 0 : controller.rate;
      });
    }
  }
  events.run(scenario.durationMs);
  return { seconds };
}

/** Calls per second that a machine makes at most, and below which a worker is taken for one without work. */
const FASTEST = 2_000;
const SLOWEST = 0.05;

/** The API of a scenario that names no other. */
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

/** When something that is due at a time can happen: at once, or at the end of the stall it falls in. */
function freezer({ stalls, durationMs, seed }: Scenario): (ms: number) => number {
  if (stalls === undefined) return (ms) => ms;
  const random = seeded(~(seed ?? 1));
  const spans: { readonly from: number; readonly to: number }[] = [];
  for (let at = 0; at < durationMs; ) {
    const from = at + 2 * stalls.meanApartMs * random();
    at = from + 2 * stalls.meanLengthMs * random();
    spans.push({ from, to: at });
  }
  let next = 0;
  return (ms) => {
    // Asked in nearly the order of time: a span is left behind once a second has passed since.
    while ((spans[next]?.to ?? ms) < ms - 1_000) next++;
    for (let i = next; i < spans.length; i++) {
      const span = spans[i];
      if (span === undefined || span.from > ms) return ms;
      if (ms < span.to) return span.to;
    }
    return ms;
  };
}

/** A controller that never changes: a stranger, or a fixed rate. */
export function fixedController(rate: number): Controller {
  return { rate, observe: () => {} };
}
