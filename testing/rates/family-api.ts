/**
 * The API of a family: one of the simulated API's limits, which may move, and 429s that are independent of the rate.
 */
import { createLimit, type LimitSettings } from '../../src/sandbox/simulated-api/limits/index.ts';
import type { SimulatedApi } from './simulator.ts';

/**
 * The limit's clock starts at a random time within this period, so that windows and ticks have random phases. In
 * milliseconds.
 */
const LONGEST_PERIOD_MS = 60_000;
/** How often a moving limit is updated, in milliseconds. */
const MOVE_MS = 100;

interface Moves {
  /** The limit over time, as a factor. */
  readonly factor?: (ms: number) => number;
  /** Share of calls that are throttled regardless of their rate, constant or over time. */
  readonly noise?: number | ((ms: number) => number);
}

/** Creates an API with these settings and nothing used. Only buckets, and limits made of buckets, can move. */
export function familyApi(
  settings: LimitSettings,
  { factor, noise = 0 }: Moves,
): (random: () => number) => SimulatedApi {
  const noiseAt = typeof noise === 'function' ? noise : () => noise;
  return (random) => {
    const ahead = random() * LONGEST_PERIOD_MS;
    const limit = createLimit(settings, ahead, random);
    let setAt = 0;
    return {
      admit: (at, connection) => {
        if (factor !== undefined && at - setAt >= MOVE_MS) {
          setAt = at;
          limit.change(scaled(settings, factor(at)), ahead + at);
        }
        const share = noiseAt(at);
        if (share > 0 && random() < share) return false;
        return limit.admit({ at: ahead + at, connection });
      },
      ended: (at) => limit.ended(ahead + at),
    };
  };
}

function scaled(settings: LimitSettings, factor: number): LimitSettings {
  return settings.kind === 'bucket'
    ? { ...settings, ratePerSecond: settings.ratePerSecond * factor }
    : settings;
}
