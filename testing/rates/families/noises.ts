/**
 * 429s that do not depend on the rate. They are distinguished from a limit after 40 s, or 8,000 calls at lower
 * rates.
 */
import { family } from '../family.ts';

const limited = [
  [200, 0.002],
  [200, 0.01],
  [200, 0.03],
  [200, 0.1],
  [500, 0.01],
  [500, 0.1],
  [1_000, 0.03],
  [100, 0.1],
  [50, 0.01],
  [50, 0.03],
  [50, 0.1],
  [20, 0.01],
  [20, 0.03],
  [20, 0.1],
].map(([limit = 0, noise = 0]) =>
  family({
    group: 'noise',
    name: `bucket ${limit}/s, noise ${noise * 100}%`,
    limit,
    noise,
    burst: Math.max(5, limit / 20),
    fromSecond: Math.max(40, 8_000 / limit),
    share: 0.95,
    throttled: noise + 0.02,
    heldOut: (limit === 500 && noise === 0.01) || (limit === 50 && noise === 0.03) || limit === 100,
  }),
);

const unlimited = [0.01, 0.03, 0.1].map((noise) =>
  family({
    group: 'noise',
    name: `no limit below 200/s, noise ${noise * 100}%`,
    limit: 200,
    ceiling: 200,
    burst: 2_000,
    noise,
    fromSecond: 40,
    share: 0.97,
    throttled: noise + 0.02,
    heldOut: noise === 0.03,
  }),
);

export const noises = [...limited, ...unlimited];
