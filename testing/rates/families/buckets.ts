/** Token buckets, from a burst of two calls to one of 100 s of the rate. */
import { family } from '../family.ts';

const ordinary = [2, 5, 20, 50, 100, 200, 500, 1_000].map((limit, i) =>
  family({
    group: 'bucket',
    name: `bucket ${limit}/s`,
    limit,
    burst: Math.max(5, limit / 100),
    ceiling: ([2, 4, 10][i % 3] ?? 2) * limit,
    seconds: limit < 20 ? 320 : 80,
    share: 0.97,
    throttled: limit < 100 ? 0.04 : 0.02,
    heldOut: limit === 50 || limit === 500,
  }),
);

const bigBursts = [1, 10, 100].map((seconds) =>
  family({
    group: 'bucket',
    name: `bucket 200/s, burst of ${seconds} s`,
    limit: 200,
    burst: 200 * seconds,
    seconds: 20 + 60 + 2 * seconds,
    fromSecond: 20 + 2 * seconds,
    share: 0.97,
    throttled: 0.02,
    heldOut: seconds === 10,
  }),
);

const noCeiling = family({
  group: 'bucket',
  name: 'bucket 200/s, no RATE_LIMIT',
  limit: 200,
  burst: 20,
  ceiling: Number.POSITIVE_INFINITY,
  share: 0.97,
  throttled: 0.02,
});

const smallBursts = [
  [20, 2],
  [50, 2],
  [200, 2],
  [500, 5],
  [1_000, 2],
].map(([limit = 0, burst = 0]) =>
  family({
    group: 'small burst',
    name: `bucket ${limit}/s, burst ${burst}`,
    limit,
    burst,
    share: 0.95,
    throttled: limit < 100 ? 0.04 : 0.02,
    heldOut: limit === 50,
  }),
);

export const buckets = [...ordinary, ...bigBursts, noCeiling, ...smallBursts];
