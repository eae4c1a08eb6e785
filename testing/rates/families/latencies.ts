/** Calls that are fast, slow, or slower the more there are; and machines that stall. */
import { family } from '../family.ts';

const fixed = [5, 300, 2_000].map((latencyMs) =>
  family({
    group: 'latency',
    name: `bucket 200/s, latency ${latencyMs / 1_000} s`,
    limit: 200,
    burst: 20,
    latencyMs,
    fromSecond: 30,
    share: 0.95,
    throttled: 0.02,
    heldOut: latencyMs === 300,
  }),
);

/** An answer tells about the rate of five seconds ago: the requirement allows for that. */
const slowest = family({
  group: 'latency',
  name: 'bucket 100/s, latency 5 s',
  limit: 100,
  burst: 20,
  latencyMs: 5_000,
  fromSecond: 60,
  seconds: 240,
  share: 0.9,
  throttled: 0.05,
});

/** A server that takes 4 ms for each call, one after the other, behind a limit of 200/s. */
const queue = family({
  group: 'latency',
  name: 'bucket 200/s, latency 0.05 s and 4 ms more for each call in flight',
  limit: 200,
  burst: 20,
  latencyMs: (random, calls) => (50 + 4 * calls) * (0.8 + 0.4 * random),
  fromSecond: 30,
  share: 0.95,
  throttled: 0.02,
});

const knee = family({
  group: 'latency',
  name: 'bucket 50/s, latency 0.1 s, up to 5 s above ten calls in flight',
  limit: 50,
  burst: 10,
  ceiling: 200,
  latencyMs: (random, calls) => Math.min(5_000, 100 + 50 * Math.max(0, calls - 10)) * (0.8 + 0.4 * random),
  fromSecond: 30,
  share: 0.95,
  throttled: 0.04,
});

const secondKnee = family({
  group: 'latency',
  name: 'bucket 100/s, latency 0.2 s, up to 3 s above 30 calls in flight',
  limit: 100,
  burst: 20,
  ceiling: 500,
  latencyMs: (random, calls) => Math.min(3_000, 200 + 40 * Math.max(0, calls - 30)) * (0.8 + 0.4 * random),
  fromSecond: 30,
  share: 0.95,
  throttled: 0.04,
  heldOut: true,
});

export const latencies = [...fixed, slowest, queue, knee, secondKnee];

const busy = [200, 500].map((limit) =>
  family({
    group: 'stalls',
    name: `bucket ${limit}/s, a busy machine`,
    limit,
    burst: 20,
    stalls: { meanApartMs: 4_000, meanLengthMs: 40 },
    share: 0.95,
    throttled: 0.02,
  }),
);

const stalled = [
  [200, 20],
  [50, 100],
].map(([limit = 0, burst = 0]) =>
  family({
    group: 'stalls',
    name: `bucket ${limit}/s, burst ${burst}, a machine that stalls for a second`,
    limit,
    burst,
    stalls: { meanApartMs: 10_000, meanLengthMs: 1_000 },
    seconds: 140,
    share: 0.95,
    throttled: 0.04,
    heldOut: limit === 50,
  }),
);

export const stalls = [...busy, ...stalled];
