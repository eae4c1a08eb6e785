/**
 * A deterministic simulator of workers calling an API with a limit: a virtual clock, a token bucket, latency, other
 * callers, and steps in the limit. Time is in milliseconds. The controllers are the real ones.
 */

import { grantInterval, grantSize, MAX_MISSED_INTERVALS } from '../../src/ota/rate/limiter.ts';
import type { ObservedCall } from '../../src/ota/rate/rate-control.ts';
import { seeded } from '../random.ts';

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
  /** Calls per second that there is work for; unlimited when omitted. */
  readonly demand?: number;
}

export interface Scenario {
  readonly durationMs: number;
  /** The API's limit at a time, in calls per second. */
  readonly limit: (ms: number) => number;
  readonly burst: number;
  /** Of one call, from a random number in [0, 1). */
  readonly latencyMs: (random: number) => number;
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

interface Event {
  readonly at: number;
  readonly run: () => void;
}

/** Runs a scenario to its end; the same seed gives the same result. */
export function simulate(scenario: Scenario): SimulationResult {
  const random = seeded(scenario.seed ?? 1);
  const thaw = freezer(scenario);
  const events = new EventQueue();
  let tokens = scenario.burst;
  let filledAt = 0;
  const take = (now: number): boolean => {
    tokens = Math.min(scenario.burst, tokens + ((now - filledAt) * scenario.limit(now)) / 1_000);
    filledAt = now;
    if (tokens < 1) return false;
    tokens -= 1;
    return true;
  };
  const count = Math.ceil(scenario.durationMs / 1_000);
  const seconds = scenario.workers.map(() =>
    Array.from({ length: count }, () => ({ accepted: 0, throttled: 0, rate: 0 })),
  );
  for (const [index, worker] of scenario.workers.entries()) {
    const {
      controller,
      concurrency = 1_000,
      demand = Number.POSITIVE_INFINITY,
      stopMs = scenario.durationMs,
    } = worker;
    const second = (now: number) => seconds[index]?.[Math.min(count - 1, Math.floor(now / 1_000))];
    let inFlight = 0;
    const call = (now: number): void => {
      inFlight++;
      const latency = scenario.latencyMs(random());
      // The limit is looked at when the request arrives, half way.
      events.add(thaw(now + latency / 2), (arrived) => {
        const accepted = take(arrived);
        const bucket = second(arrived);
        if (bucket !== undefined) bucket[accepted ? 'accepted' : 'throttled']++;
        events.add(thaw(arrived + latency / 2), (ended) => {
          inFlight--;
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
      const rate = Math.min(controller.rate, demand, 2_000);
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

/** What part of the limit was filled in the seconds [from, to), by all workers together. */
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

/** What part of these workers' calls was throttled in the seconds [from, to). */
export function shareThrottled(
  result: SimulationResult,
  workers: readonly number[],
  from: number,
  to: number,
): number {
  const { accepted, throttled } = total(result, workers, from, to);
  return throttled / (accepted + throttled);
}

/** The smaller part of what two workers got in the seconds [from, to) by the larger: 1 is fair. */
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

/** A binary heap of events by time; equal times in order of entry. */
class EventQueue {
  readonly #heap: (Event & { readonly order: number })[] = [];
  #order = 0;
  #now = 0;

  add(at: number, run: (now: number) => void): void {
    const heap = this.#heap;
    heap.push({ at, order: this.#order++, run: () => run(at) });
    let i = heap.length - 1;
    while (i > 0) {
      const parent = (i - 1) >> 1;
      if (!this.#before(i, parent)) break;
      this.#swap(i, parent);
      i = parent;
    }
  }

  run(until: number): void {
    for (let event = this.#pop(); event !== undefined && event.at <= until; event = this.#pop()) {
      this.#now = event.at;
      event.run();
    }
  }

  get now(): number {
    return this.#now;
  }

  #pop(): Event | undefined {
    const heap = this.#heap;
    const first = heap[0];
    const last = heap.pop();
    if (first === undefined || last === undefined || heap.length === 0) return first;
    heap[0] = last;
    for (let i = 0; ; ) {
      let least = i;
      for (const child of [2 * i + 1, 2 * i + 2])
        if (child < heap.length && this.#before(child, least)) least = child;
      if (least === i) return first;
      this.#swap(i, least);
      i = least;
    }
  }

  #before(i: number, j: number): boolean {
    const a = this.#heap[i];
    const b = this.#heap[j];
    if (a === undefined || b === undefined) return false;
    return a.at < b.at || (a.at === b.at && a.order < b.order);
  }

  #swap(i: number, j: number): void {
    const a = this.#heap[i];
    const b = this.#heap[j];
    if (a === undefined || b === undefined) return;
    this.#heap[i] = b;
    this.#heap[j] = a;
  }
}
