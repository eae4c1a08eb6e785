/**
 * A kind of limiter as a scenario, with the requirements for a controller there. Rates are calls per second, times of
 * scenarios milliseconds, times of measures seconds.
 */
import type { LimitSettings } from '../../src/sandbox/simulated-api/limits/index.ts';
import { seeded } from '../random.ts';
import type { Candidate } from './candidates.ts';
import { familyApi } from './family-api.ts';
import { fixedController, type Scenario, type SimulatedWorker, type SimulationResult } from './simulator.ts';
import { wallAheadOf } from './wall-clock.ts';

type Create = Candidate['create'];

export interface Family {
  readonly name: string;
  readonly group: Group;
  /** Excluded from tuning: families never tuned for show whether a controller generalises. */
  readonly heldOut: boolean;
  /** What the judged callers may have together at a time. */
  readonly limit: (ms: number) => number;
  /** What each of them may have, if all are served by need and otherwise equally. */
  readonly parts: (ms: number) => readonly number[];
  /** Whether the limit or the need moves: the reference is then callers that follow it, otherwise the best fixed rate. */
  readonly moves: boolean;
  /** RATE_LIMIT of each worker. */
  readonly ceiling: number;
  /** Number of judged workers; rivals and strangers come after them. */
  readonly workers: number;
  /** Measuring goes from here to the end. */
  readonly fromSecond: number;
  readonly seconds: number;
  /** Minimum share of what could be had. */
  readonly share: number;
  /** Maximum share of 429s among the calls. */
  readonly throttled: number;
  /** Further requirements. */
  readonly asks: readonly Ask[];
  readonly scenario: (create: Create, seed: number) => Scenario;
  /** The same with callers that always call at their part of the true limit. */
  readonly known: (seed: number) => Scenario;
}

/** A simulation of a family, and the same with callers that know everything. */
export interface Run {
  readonly family: Family;
  readonly result: SimulationResult;
  readonly known: () => SimulationResult;
}

/** A requirement for a controller beyond goodput and 429s: a measure with a bound. */
export interface Ask {
  readonly name: string;
  readonly unit: 'seconds' | 'points' | 'index';
  /** One of the two is given; the bound itself is allowed. */
  readonly least?: number;
  readonly most?: number;
  /** `Infinity` for an event that did not happen. */
  readonly of: (run: Run) => number;
}

type Group =
  | 'bucket'
  | 'small burst'
  | 'noise'
  | 'front ends'
  | 'ticks'
  | 'windows'
  | 'in flight'
  | 'moving'
  | 'demand'
  | 'strangers'
  | 'fleet'
  | 'latency'
  | 'stalls';

/** Calls per second at a time. */
type Rate = (ms: number) => number;

export interface Setting {
  readonly group: Group;
  readonly name: string;
  readonly limit: number;
  readonly ceiling?: number;
  /** The API's limit; default: a token bucket with `burst`. */
  readonly api?: LimitSettings;
  readonly burst?: number;
  /** Share of calls that are throttled regardless of their rate, constant or over time. */
  readonly noise?: number | ((ms: number) => number);
  /** The limit over time, as a factor. */
  readonly factor?: (ms: number) => number;
  /** A mean, from which calls vary by a fifth; or as in {@link Scenario.latencyMs}. */
  readonly latencyMs?: number | Scenario['latencyMs'];
  readonly workers?: number;
  /** Seconds between the starts of two workers. */
  readonly apart?: number;
  /** The second in which a worker dies; default: none does. */
  readonly diesAt?: (worker: number) => number | undefined;
  /** The rate of a worker's work; default: more than the API accepts. */
  readonly demand?: (worker: number) => Rate;
  /** Other callers with the same controller, each with this demand. They have their part, but are not judged. */
  readonly rivals?: readonly Rate[];
  /** Other callers that call at this rate regardless of answers; the rest of the limit is left. */
  readonly strangers?: readonly Rate[];
  readonly fromSecond?: number;
  readonly seconds?: number;
  readonly share: number;
  readonly throttled: number;
  readonly asks?: readonly Ask[];
  readonly heldOut?: boolean;
  readonly stalls?: Scenario['stalls'];
  readonly connections?: number;
}

/** More than any API accepts. */
const BACKLOG: Rate = () => Number.POSITIVE_INFINITY;

/** Creates a family from its particular settings. */
export function family(setting: Setting): Family {
  const {
    limit,
    burst = Math.max(5, limit / 10),
    ceiling = 2 * limit,
    workers = 1,
    strangers = [],
  } = setting;
  const { fromSecond = 20, seconds = fromSecond + 60, connections = 1, latencyMs = 50 } = setting;
  const { apart = 2, rivals = [], diesAt = () => undefined } = setting;
  const api = setting.api ?? { kind: 'bucket', ratePerSecond: limit, burst, tickMs: 0 };
  const limitAt: Rate = (ms) => limit * (setting.factor?.(ms) ?? 1);
  const demands = [...Array.from({ length: workers }, (_, i) => setting.demand?.(i) ?? BACKLOG), ...rivals];
  const lives = demands.map((_, i) => {
    const dies = i < workers ? diesAt(i) : undefined;
    return {
      startMs: i < workers ? i * apart * 1_000 : 0,
      ...(dies !== undefined && { stopMs: dies * 1_000 }),
    };
  });
  const partsAt = (ms: number): number[] => {
    const needs = demands.map((demand, i) => {
      const { startMs = 0, stopMs = Number.POSITIVE_INFINITY } = lives[i] ?? {};
      return ms < startMs || ms >= stopMs ? 0 : demand(ms);
    });
    const taken = strangers.reduce((sum, stranger) => sum + stranger(ms), 0);
    return byNeed(Math.max(0, limitAt(ms) - taken), needs);
  };
  const scenario = (
    callers: readonly Pick<SimulatedWorker, 'controller' | 'demand'>[],
    seed: number,
  ): Scenario => {
    const random = seeded(seed);
    return {
      durationMs: seconds * 1_000,
      limit: limitAt,
      burst,
      api: familyApi(api, setting),
      latencyMs: typeof latencyMs === 'function' ? latencyMs : (drawn) => latencyMs * (0.8 + 0.4 * drawn),
      workers: [
        // No two workers are in step: otherwise it would depend on chance whether their calls coincide.
        ...callers.map((caller, i) => {
          const { startMs = 0, ...rest } = lives[i] ?? {};
          return { connections, ...rest, startMs: startMs + (i === 0 ? 0 : 1_000 * random()), ...caller };
        }),
        ...strangers.map((demand) => ({
          startMs: 0,
          demand,
          controller: fixedController(Number.POSITIVE_INFINITY),
        })),
      ],
      seed,
      ...(setting.stalls && { stalls: setting.stalls }),
    };
  };
  return {
    name: setting.name,
    group: setting.group,
    heldOut: setting.heldOut ?? false,
    limit: (ms) => partsAt(ms).reduce((sum, part, i) => (i < workers ? sum + part : sum), 0),
    parts: (ms) => partsAt(ms).slice(0, workers),
    moves: [setting.factor, setting.demand, setting.rivals, setting.strangers, setting.diesAt].some(
      (each) => each !== undefined,
    ),
    ceiling,
    workers,
    fromSecond,
    seconds,
    share: setting.share,
    throttled: setting.throttled,
    asks: setting.asks ?? [],
    scenario: (create, seed) => {
      const world = { part: limit / demands.length, wallAheadMs: wallAheadOf(seed) };
      return scenario(
        demands.map((demand) => ({ demand, controller: create(ceiling, world) })),
        seed,
      );
    },
    known: (seed) =>
      scenario(
        demands.map((_, i) => ({
          demand: (ms: number) => partsAt(ms)[i] ?? 0,
          controller: fixedController(ceiling),
        })),
        seed,
      ),
  };
}

/** Distributes what is available: each gets what it needs, but at most as much as any other that wants more. */
export function byNeed(available: number, needs: readonly number[]): number[] {
  const parts = needs.map(() => 0);
  let left = available;
  const order = needs.map((_, i) => i).sort((a, b) => (needs[a] ?? 0) - (needs[b] ?? 0));
  for (const [done, i] of order.entries()) {
    const part = Math.min(needs[i] ?? 0, left / (needs.length - done));
    parts[i] = part;
    left -= part;
  }
  return parts;
}
