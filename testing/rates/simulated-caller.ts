/** One worker of a simulation: takes permits like the limiter, and makes calls. Times are milliseconds. */
import { Rotation } from '../../src/aws/rotation.ts';
import { GRANTS_BELOW_CEILING, grantInterval, grantSize, mostMissed } from '../../src/ota/rate/limiter.ts';
import type { EventQueue } from './event-queue.ts';
import type { Second, SimulatedApi, SimulatedWorker } from './scenario.ts';

/** What all callers of a simulation share. */
export interface Surroundings {
  readonly events: EventQueue;
  /** When something due at a time can happen. */
  readonly thaw: (ms: number) => number;
  readonly api: SimulatedApi;
  readonly latencyMs: (random: number, inFlight: number) => number;
  readonly random: () => number;
  readonly durationMs: number;
  /** Calls in flight of all callers. */
  inFlight: number;
  /** Number of connections assigned. */
  connections: number;
}

/** Maximum calls per second of a machine. */
const FASTEST = 2_000;
/** A wait for a grant of up to this length uses the rate at its start. */
const SHORT_WAIT_MS = 500;
/** How often a longer wait checks for another rate, and for work. */
const STEP_MS = 100;
/** Maximum calls in flight of a worker without its own limit. */
const CONCURRENCY = 1_000;

/** Starts a worker at its time. @returns its seconds, which are filled as the simulation runs. */
export function startCaller(worker: SimulatedWorker, surroundings: Surroundings): readonly Second[] {
  const caller = new Caller(worker, surroundings);
  caller.start();
  return caller.seconds;
}

class Caller {
  readonly #worker: SimulatedWorker;
  readonly #around: Surroundings;
  readonly #stopMs: number;
  readonly #connections: Rotation<number>;
  readonly seconds: { accepted: number; throttled: number; rate: number }[];
  #inFlight = 0;
  /** When the last grant was due, and the next. */
  #grantedAt: number;
  #dueAt: number;
  #waitsLong = false;
  /** Permits of the last grant that wait for a call to end, because the maximum is in flight. */
  #kept = 0;

  constructor(worker: SimulatedWorker, around: Surroundings) {
    this.#worker = worker;
    this.#around = around;
    this.#stopMs = worker.stopMs ?? around.durationMs;
    this.#connections = new Rotation({ most: worker.connections ?? 1, open: () => around.connections++ });
    this.seconds = Array.from({ length: Math.ceil(around.durationMs / 1_000) }, () => ({
      accepted: 0,
      throttled: 0,
      rate: 0,
    }));
    this.#grantedAt = worker.startMs;
    this.#dueAt = worker.startMs;
  }

  start(): void {
    this.#later(this.#worker.startMs, this.#look);
    this.#around.events.add(999, this.#sample);
  }

  #later(ms: number, run: (now: number) => void): void {
    this.#around.events.add(this.#around.thaw(ms), run);
  }

  readonly #sample = (now: number): void => {
    const second = this.#second(now);
    if (second !== undefined) second.rate = now < this.#worker.startMs ? 0 : this.#worker.controller.rate;
    this.#around.events.add(now + 1_000, this.#sample);
  };

  /** Grants what is due, and runs again when the next grant is due. */
  readonly #look = (now: number): void => {
    if (now >= this.#stopMs) return;
    const rate = Math.min(this.#worker.controller.rate, this.#demand(now), FASTEST);
    const interval = rate > 0 ? grantInterval(rate, GRANTS_BELOW_CEILING) : Number.POSITIVE_INFINITY;
    // A long wait uses the rate at its end, like the limiter; new work ends the wait.
    if (this.#waitsLong) this.#dueAt = this.#grantedAt + interval;
    if (this.#dueAt <= now && interval < Number.POSITIVE_INFINITY) {
      // Grants as below the ceiling, where the controllers are judged. Like the limiter: lost whole intervals are made up for, but only a few.
      const lost = Math.floor((now - this.#dueAt) / interval);
      const permits = grantSize(rate, GRANTS_BELOW_CEILING) * (1 + Math.min(lost, mostMissed(interval)));
      this.#kept = permits;
      this.#callWithKept(now);
      this.#grantedAt = this.#dueAt + lost * interval;
      this.#dueAt = this.#grantedAt + interval;
    }
    this.#waitsLong = this.#dueAt - this.#grantedAt > SHORT_WAIT_MS || interval === Number.POSITIVE_INFINITY;
    this.#later(this.#waitsLong ? Math.min(this.#dueAt, now + STEP_MS) : this.#dueAt, this.#look);
  };

  #call(now: number): void {
    const { latencyMs, random, api } = this.#around;
    const latency = latencyMs(random(), this.#around.inFlight);
    const connection = this.#connections.take(now);
    this.#inFlight++;
    this.#around.inFlight++;
    // The limit is checked when the request arrives, halfway.
    this.#later(now + latency / 2, (arrived) => {
      const accepted = api.admit(arrived, connection);
      const second = this.#second(arrived);
      if (second !== undefined) second[accepted ? 'accepted' : 'throttled']++;
      this.#later(arrived + latency / 2, (ended) => {
        this.#connections.put(connection, ended);
        this.#ended(now, ended, accepted);
      });
    });
  }

  #ended(startedAt: number, endedAt: number, accepted: boolean): void {
    this.#inFlight--;
    this.#around.inFlight--;
    if (accepted) this.#around.api.ended?.(endedAt);
    const { controller } = this.#worker;
    const failure = accepted ? {} : { failure: { kind: 'throttled' } };
    controller.observe({ startedAt, endedAt, ...failure }, this.#inFlight + 1);
    if (endedAt < this.#stopMs) this.#callWithKept(endedAt);
  }

  #callWithKept(now: number): void {
    for (; this.#kept > 0 && this.#inFlight < this.#concurrency; this.#kept--) this.#call(now);
  }

  get #concurrency(): number {
    const { concurrency = CONCURRENCY, controller } = this.#worker;
    return Math.min(concurrency, controller.concurrency ?? Number.POSITIVE_INFINITY);
  }

  #demand(now: number): number {
    const { demand = Number.POSITIVE_INFINITY } = this.#worker;
    return typeof demand === 'function' ? demand(now) : demand;
  }

  #second(now: number) {
    return this.seconds[Math.min(this.seconds.length - 1, Math.floor(now / 1_000))];
  }
}
