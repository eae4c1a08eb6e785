/**
 * A fleet that finds its rate together, in virtual time. It uses the real members, rate controls and asking ahead, and models
 * of Redis, of the budget on it and of each worker's limiter. Times are milliseconds, rates calls per second.
 */
import type { Tuning } from '../../src/ota/rate/adaptive/tuning.ts';
import { AdaptiveRate } from '../../src/ota/rate/adaptive-rate.ts';
import { AskAhead } from '../../src/ota/rate/ask-ahead.ts';
import { type Answer, type Found, LEASE_MS, type Message } from '../../src/ota/rate/fleet/board.ts';
import { fleetControl, nextExchangeMs } from '../../src/ota/rate/fleet/fleet-rate.ts';
import { FleetMember } from '../../src/ota/rate/fleet/member.ts';
import { grantInterval, grantSize } from '../../src/ota/rate/limiter.ts';
import { bookingSize } from '../../src/ota/rate/limiter-redis.ts';
import { createLimit, type LimitSettings } from '../../src/sandbox/simulated-api/limits/index.ts';
import { seeded } from '../random.ts';
import { EventQueue } from './event-queue.ts';
import type { Second, SimulatedWorker } from './scenario.ts';
import { type Surroundings, startCaller } from './simulated-caller.ts';
import { wallAheadOf } from './wall-clock.ts';

export interface FleetWorker {
  /** Workers with the same number share a Redis; default: 0. */
  readonly fleet?: number;
  readonly startMs: number;
  /** When it is killed. */
  readonly stopMs?: number;
  /** Calls per second for which there is work at a time; default: more than can be done. */
  readonly demand?: (ms: number) => number;
}

export interface FleetScenario {
  readonly durationMs: number;
  readonly limit: LimitSettings;
  /** The limit from given times on. */
  readonly changes?: readonly { readonly atMs: number; readonly limit: LimitSettings }[];
  /** RATE_LIMIT of each worker. */
  readonly ceiling: number;
  readonly workers: readonly FleetWorker[];
  /** Callers at the same limit that have no Redis. */
  readonly others?: readonly SimulatedWorker[];
  readonly seed: number;
  /** Share of calls that are throttled regardless of their rate; they use nothing of the limit. */
  readonly noise?: number;
  /** Mean latency of one call. */
  readonly latencyMs?: number;
  /** Round trip to Redis, for each worker. */
  readonly redisMs?: number;
  /** Default: that of fleets. */
  readonly tuning?: Tuning;
}

/** One second of one worker. */
interface FleetSecond {
  accepted: number;
  throttled: number;
}

export interface FleetResult {
  /** By worker and by second from the start of the scenario. */
  readonly seconds: readonly (readonly FleetSecond[])[];
  /** The same of {@link FleetScenario.others}. */
  readonly others: readonly (readonly Second[])[];
  /** The leader of fleet 0 at the end of each second; -1 for none. */
  readonly leaders: readonly number[];
}

export function simulateFleet(scenario: FleetScenario): FleetResult {
  const random = seeded(scenario.seed);
  const events = new EventQueue();
  const api = createLimit(scenario.limit, 0, random);
  const { ceiling, durationMs } = scenario;
  const first = new SimulatedRedis(ceiling);
  const fleets = new Map([[0, first]]);
  const redisOf = (fleet: number): SimulatedRedis => {
    const redis = fleets.get(fleet) ?? new SimulatedRedis(ceiling);
    fleets.set(fleet, redis);
    return redis;
  };
  const latencyMs = (drawn: number): number => (scenario.latencyMs ?? 50) * (0.8 + 0.4 * drawn);
  const admit = (at: number, connection: number): boolean => {
    const noisy = scenario.noise !== undefined && random() < scenario.noise;
    return !noisy && api.admit({ at, connection });
  };
  const count = Math.ceil(scenario.durationMs / 1_000);
  const seconds = scenario.workers.map(() =>
    Array.from({ length: count }, () => ({ accepted: 0, throttled: 0 })),
  );
  const leaders: number[] = [];
  for (const [index, setting] of scenario.workers.entries()) {
    const redis = redisOf(setting.fleet ?? 0);
    const call = (worker: SimulatedMember, now: number, bookedAt: number): void => {
      const latency = latencyMs(random());
      events.add(now + latency / 2, (arrived) => {
        const accepted = admit(arrived, index);
        const second = seconds[index]?.[Math.min(count - 1, Math.floor(arrived / 1_000))];
        if (second !== undefined) second[accepted ? 'accepted' : 'throttled']++;
        events.add(arrived + latency / 2, (ended) => worker.ended(bookedAt, ended, accepted));
      });
    };
    events.add(setting.startMs, (now) => {
      new SimulatedMember({ setting, scenario, redis, events, index, call }).start(now);
    });
  }
  const around: Surroundings = {
    events,
    thaw: (ms) => ms,
    api: { admit },
    latencyMs,
    random,
    durationMs,
    inFlight: 0,
    connections: scenario.workers.length,
  };
  const others = scenario.others?.map((other) => startCaller(other, around)) ?? [];
  for (const { atMs, limit } of scenario.changes ?? []) events.add(atMs, (now) => api.change(limit, now));
  for (let second = 1; second <= count; second++)
    events.add(second * 1_000 - 1, (now) => leaders.push(first.leaderAt(now)));
  events.run(scenario.durationMs);
  return { seconds, others, leaders };
}

/** How long unused permits may still be granted, as in the budget. */
const BURST_MS = 20;
const WANTS_FOR_MS = 1_000;
/** Margin with which the local pace makes up for a stall, as in the limiter. */
const CATCH_UP = 1.05;

/** The two keys of a fleet, and what the scripts do. */
class SimulatedRedis {
  readonly #ceiling: number;
  readonly #wanted = new Map<number, number>();
  #due = 0;
  #leader: { readonly worker: number; readonly until: number } | undefined;
  #found: { readonly rate: number; readonly foundAt: number; readonly provedAt: number } | undefined;
  #reports: { readonly at: number; readonly calls: string }[] = [];

  constructor(ceiling: number) {
    this.#ceiling = ceiling;
  }

  get rate(): number {
    return Math.min(this.#ceiling, this.#found?.rate ?? Number.POSITIVE_INFINITY);
  }

  leaderAt(now: number): number {
    return this.#leader !== undefined && this.#leader.until > now ? this.#leader.worker : -1;
  }

  wanting(now: number): number {
    return Math.max(1, [...this.#wanted.values()].filter((at) => at > now - WANTS_FOR_MS).length);
  }

  /** A worker still waits for permits that it has booked. */
  wait(worker: number, now: number): void {
    this.#wanted.set(worker, now);
  }

  /** @returns when the permits may be used. */
  book(worker: number, permits: number, now: number): number {
    this.#wanted.set(worker, now);
    const start = Math.max(this.#due, now - BURST_MS);
    this.#due = start + (1_000 * permits) / this.rate;
    return Math.max(now, start);
  }

  exchange(worker: number, { calls, leads }: Message, now: number): Answer {
    const leader = this.#leader;
    const before = leader === undefined ? 'none' : leader.worker === worker ? 'self' : 'other';
    if (before === 'other' && (leader?.until ?? 0) > now) {
      if (calls !== '') this.#reports.push({ at: now, calls });
      return { leads: false, before, found: this.#known(now), reports: [] };
    }
    this.#leader = { worker, until: now + LEASE_MS };
    if (leads !== undefined && before !== 'other') {
      const rise = this.rate / (leads.found?.rate ?? this.rate);
      if (this.#due > now && rise < 1) this.#due = now + (this.#due - now) * rise;
      this.#found = leads.found && {
        rate: leads.found.rate,
        foundAt: now - leads.found.foundMs,
        provedAt: now - leads.found.provedMs,
      };
    }
    const reports = this.#reports.map((report) => ({ agoMs: now - report.at, calls: report.calls }));
    this.#reports = [];
    return { leads: true, before, found: this.#known(now), reports };
  }

  #known(now: number): Found | undefined {
    return (
      this.#found && {
        rate: this.#found.rate,
        foundMs: now - this.#found.foundAt,
        provedMs: now - this.#found.provedAt,
      }
    );
  }
}

interface MemberSetting {
  readonly setting: FleetWorker;
  readonly scenario: FleetScenario;
  readonly redis: SimulatedRedis;
  readonly events: EventQueue;
  readonly index: number;
  readonly call: (worker: SimulatedMember, now: number, bookedAt: number) => void;
}

interface Booked {
  permits: number;
  readonly at: number;
  rate: number;
  dueAt: number;
  /** When this worker learns of them. */
  readonly knownAt: number;
}

/** How often a worker without work looks for some. */
const LOOK_EVERY_MS = 50;
/** Looks while waiting for permits, and the factor from which a rise brings permits forward, as in the limiter. */
const LOOK_MS = 500;
const RISE = 1.5;

class SimulatedMember {
  readonly #at: MemberSetting;
  readonly #member: FleetMember;
  readonly #askAhead = new AskAhead();
  readonly #booked: Booked[] = [];
  readonly #redisMs: number;
  #localDueAt = 0;
  #work = 0;
  #workAt = 0;
  #exchangeAt = Number.POSITIVE_INFINITY;
  #busyAt = Number.NEGATIVE_INFINITY;

  constructor(at: MemberSetting) {
    this.#at = at;
    const { redisMs = 1, tuning, seed } = at.scenario;
    const wallAheadMs = wallAheadOf(seed);
    this.#redisMs = redisMs;
    this.#member = new FleetMember({
      begin: { ceiling: at.scenario.ceiling },
      control: (start, onChange) =>
        new AdaptiveRate({ ...start, onChange, wallAheadMs, ...fleetControl, ...(tuning && { tuning }) }),
      onChange: () => {},
    });
  }

  start(now: number): void {
    this.#workAt = now;
    this.#exchange(now);
    // By then it knows of the fleet.
    this.#at.events.add(now + 2 * this.#redisMs, (at) => this.#grant(at));
  }

  ended(startedAt: number, endedAt: number, accepted: boolean): void {
    if (this.#isOver(endedAt)) return;
    this.#member.observe({ startedAt, endedAt, ...(!accepted && { failure: { kind: 'throttled' } }) });
    this.#exchangeBy(endedAt + nextExchangeMs(this.#member, endedAt - this.#busyAt));
  }

  #isOver(now: number): boolean {
    return now >= (this.#at.setting.stopMs ?? Number.POSITIVE_INFINITY);
  }

  #exchangeBy(at: number): void {
    if (at >= this.#exchangeAt) return;
    this.#exchangeAt = at;
    this.#at.events.add(at, (now) => {
      if (now === this.#exchangeAt) this.#exchange(now);
    });
  }

  #exchange(now: number): void {
    this.#exchangeAt = Number.NEGATIVE_INFINITY;
    if (this.#isOver(now)) return;
    const { events, redis, index } = this.#at;
    const message = this.#member.write(now);
    events.add(now + this.#redisMs / 2, (arrived) => {
      const answer = redis.exchange(index, message, arrived);
      events.add(arrived + this.#redisMs / 2, (at) => {
        if (this.#isOver(at)) return;
        if (this.#member.read(answer, arrived) > 0) this.#busyAt = at;
        this.#hear(at);
        this.#exchangeAt = Number.POSITIVE_INFINITY;
        this.#exchangeBy(at + nextExchangeMs(this.#member, at - this.#busyAt));
      });
    });
  }

  #hear(now: number): void {
    const { redis, scenario } = this.#at;
    for (const booked of this.#booked) {
      if (booked.rate * RISE >= redis.rate) continue;
      booked.dueAt = now + (Math.max(0, booked.dueAt - now) * booked.rate) / redis.rate;
      booked.rate = redis.rate;
    }
    this.#member.hear({ ceiling: scenario.ceiling, rate: redis.rate, wanting: redis.wanting(now) });
  }

  /** One turn of the limiter: asks ahead, waits for its own pace, and takes what is due. */
  #grant(now: number): void {
    if (this.#isOver(now)) return;
    const { events, redis } = this.#at;
    const wanted = this.#wanted(now);
    if (wanted < 1) {
      events.add(now + LOOK_EVERY_MS, (at) => this.#grant(at));
      return;
    }
    const size = Math.min(wanted, bookingSize({ rate: redis.rate, wanting: redis.wanting(now) }));
    const underWay = this.#booked.reduce((sum, { permits }) => sum + permits, 0);
    const bookings = this.#askAhead.bookings(size, underWay, wanted);
    for (let i = 0; i < Math.max(bookings, underWay === 0 ? 1 : 0); i++) this.#book(size, now);
    if (now < this.#localDueAt) {
      events.add(this.#localDueAt, (at) => this.#grant(at));
      return;
    }
    const taken = this.#take(now, Math.min(wanted, grantSize(redis.rate * CATCH_UP)));
    if (taken > 0) this.#localDueAt = now + grantInterval(redis.rate * CATCH_UP);
    const [first] = this.#booked;
    const due = first === undefined ? this.#localDueAt : Math.max(first.dueAt, first.knownAt);
    const next = Math.max(Math.min(due, now + LOOK_MS), this.#localDueAt, now + 0.1);
    events.add(next, (at) => {
      if (first !== undefined && first.dueAt > at && due > now + LOOK_MS) {
        redis.wait(this.#at.index, at);
        this.#hear(at);
      }
      this.#grant(at);
    });
  }

  #book(permits: number, now: number): void {
    const { redis, index } = this.#at;
    const dueAt = redis.book(index, permits, now + this.#redisMs / 2);
    this.#askAhead.answered(this.#redisMs);
    this.#booked.push({ permits, at: now, rate: redis.rate, dueAt, knownAt: now + this.#redisMs });
    this.#hear(now);
  }

  #take(now: number, most: number): number {
    const { redis, call } = this.#at;
    let taken = 0;
    for (let [first] = this.#booked; first !== undefined && taken < most; [first] = this.#booked) {
      if (first.dueAt > now || first.knownAt > now) break;
      const permits = Math.min(first.permits, most - taken);
      first.permits -= permits;
      if (first.permits === 0) this.#booked.shift();
      taken += permits;
      this.#work -= permits;
      const share = redis.rate / redis.wanting(now);
      this.#askAhead.used({ permits, leadMs: now - first.knownAt, rate: redis.rate, share });
      for (let i = 0; i < permits; i++) call(this, now, first.at);
    }
    return taken;
  }

  /** Number of calls that could be made at once. */
  #wanted(now: number): number {
    const { demand } = this.#at.setting;
    if (demand === undefined) return Number.POSITIVE_INFINITY;
    // No more than a worker would hold.
    this.#work = Math.min(50, this.#work + (demand(now) * (now - this.#workAt)) / 1_000);
    this.#workAt = now;
    return Math.floor(this.#work);
  }
}
