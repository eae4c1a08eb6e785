/**
 * A kind of limiter as a scenario, with what is asked of a controller there. Rates are calls per second, times of scenarios
 * milliseconds, times of measures seconds.
 */
import { createLimit, type LimitSettings } from '../../src/sandbox/simulated-api/limits/index.ts';
import {
  type Controller,
  fixedController,
  type Scenario,
  type SimulatedApi,
  type SimulatedWorker,
} from './simulator.ts';

export interface Family {
  readonly name: string;
  readonly group: Group;
  /** Kept out of tuning: what was never tuned for is what tells whether a controller generalises. */
  readonly heldOut: boolean;
  /** What the callers that are judged may have together at a time. */
  readonly limit: (ms: number) => number;
  /** Whether the limit moves: then a caller is the measure that follows it, else the best fixed rate. */
  readonly moves: boolean;
  /** RATE_LIMIT of each worker. */
  readonly ceiling: number;
  /** Workers that are judged; strangers come after them. */
  readonly workers: number;
  /** Measured from here to the end. */
  readonly fromSecond: number;
  readonly seconds: number;
  /** Least share of what could be had. */
  readonly share: number;
  /** Most 429s, as a share of the calls. */
  readonly throttled: number;
  readonly scenario: (create: (ceiling: number) => Controller, seed: number) => Scenario;
}

type Group =
  | 'bucket'
  | 'small burst'
  | 'noise'
  | 'front ends'
  | 'ticks'
  | 'windows'
  | 'moving'
  | 'strangers'
  | 'fleet'
  | 'latency';

interface Setting {
  readonly group: Group;
  readonly name: string;
  readonly limit: number;
  readonly ceiling?: number;
  /** The API's limit; default a token bucket with `burst`. */
  readonly api?: LimitSettings;
  readonly burst?: number;
  /** Share of calls that are throttled whatever their rate. */
  readonly noise?: number;
  /** The limit at a time, as a factor. */
  readonly factor?: (ms: number) => number;
  readonly latencyMs?: number;
  readonly workers?: number;
  /** Between the starts of two workers, in seconds. */
  readonly apart?: number;
  readonly strangers?: readonly Omit<SimulatedWorker, 'controller'>[];
  /** What strangers leave, as a factor on the limit; default all. */
  readonly left?: (ms: number) => number;
  readonly fromSecond?: number;
  readonly seconds?: number;
  readonly share: number;
  readonly throttled: number;
  readonly heldOut?: boolean;
  readonly stalls?: Scenario['stalls'];
  readonly connections?: number;
}

/** A family from what is particular to it. */
export function family(setting: Setting): Family {
  const {
    limit,
    burst = Math.max(5, limit / 10),
    ceiling = 2 * limit,
    noise = 0,
    factor,
    latencyMs = 50,
    workers = 1,
    apart = 2,
    strangers = [],
    left = () => 1,
    fromSecond = 20,
    seconds = fromSecond + 60,
    connections = 1,
  } = setting;
  const api = setting.api ?? { kind: 'bucket', ratePerSecond: limit, burst, tickMs: 0 };
  const limitAt = (ms: number): number => limit * (factor?.(ms) ?? 1);
  return {
    name: setting.name,
    group: setting.group,
    heldOut: setting.heldOut ?? false,
    limit: (ms) => limitAt(ms) * left(ms),
    moves: factor !== undefined || setting.left !== undefined,
    ceiling,
    workers,
    fromSecond,
    seconds,
    share: setting.share,
    throttled: setting.throttled,
    scenario: (create, seed) => ({
      durationMs: seconds * 1_000,
      limit: limitAt,
      burst,
      api: apiOf(api, noise, factor),
      latencyMs: (random) => latencyMs * (0.8 + 0.4 * random),
      workers: [
        ...Array.from({ length: workers }, (_, i) => ({
          startMs: i * apart * 1_000,
          controller: create(ceiling),
          connections,
        })),
        ...strangers.map((stranger) => ({ ...stranger, controller: fixedController(2_000) })),
      ],
      seed,
      ...(setting.stalls && { stalls: setting.stalls }),
    }),
  };
}

/** How often a moving limit is set anew, in milliseconds. */
const MOVE_MS = 100;

function apiOf(settings: LimitSettings, noise: number, factor: Setting['factor']) {
  return (random: () => number): SimulatedApi => {
    const limit = createLimit(settings, 0, random);
    let setAt = 0;
    return {
      admit: (at, connection) => {
        if (factor !== undefined && at - setAt >= MOVE_MS) {
          setAt = at;
          limit.change(scaled(settings, factor(at)), at);
        }
        if (noise > 0 && random() < noise) return false;
        return limit.admit({ at, connection });
      },
      ended: (at) => limit.ended(at),
    };
  };
}

function scaled(settings: LimitSettings, factor: number): LimitSettings {
  return settings.kind === 'bucket'
    ? { ...settings, ratePerSecond: settings.ratePerSecond * factor }
    : settings;
}
