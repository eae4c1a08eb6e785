/** The API of a family: one of the simulated API's limits that may move, and 429s that are independent of the rate. */
import { createLimit, type LimitSettings } from '../../src/sandbox/simulated-api/limits/index.ts';
import type { SimulatedApi } from './simulator.ts';

/** Within this time the limit's clock begins at any: its windows and ticks begin when they like. In milliseconds. */
const LONGEST_PERIOD_MS = 60_000;
/** How often a moving limit is set anew, in milliseconds. */
const MOVE_MS = 100;

interface Moves {
  /** The limit at a time, as a factor. */
  readonly factor?: (ms: number) => number;
  /** Share of calls that are throttled whatever their rate, always or at a time. */
  readonly noise?: number | ((ms: number) => number);
}

/** Makes an API of these settings of which nothing is used. Only a bucket, and what is made of buckets, can move. */
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
