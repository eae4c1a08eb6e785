/** Limits other than plain buckets: front ends with a share each, ticks, windows, calls in flight. */
import { family } from '../family.ts';

const SHARE = 0.9;
const THROTTLED = 0.05;

export const frontEnds = [4, 10, 30].flatMap((count) =>
  [false, true].map((sticky) =>
    family({
      group: 'front ends',
      name: `${count} front ends with a share of 200/s each, ${sticky ? 'by connection' : 'at random'}`,
      limit: 200,
      api: {
        kind: 'frontEnds',
        count,
        sticky,
        limit: { kind: 'bucket', ratePerSecond: 200, burst: 100, tickMs: 0 },
      },
      connections: 50,
      share: SHARE,
      throttled: THROTTLED,
      heldOut: count === 4,
    }),
  ),
);

export const ticks = [
  [200, 100],
  [500, 1_000],
  [100, 1_000],
  [200, 10_000],
].map(([limit = 0, tickMs = 0]) =>
  family({
    group: 'ticks',
    name: `${limit}/s in ticks of ${tickMs / 1_000} s`,
    limit,
    api: { kind: 'bucket', ratePerSecond: limit, burst: (limit * tickMs) / 1_000, tickMs },
    seconds: 20 + Math.max(60, (6 * tickMs) / 1_000),
    share: SHARE,
    throttled: THROTTLED,
    heldOut: limit === 100,
  }),
);

const single = [
  [200, 1],
  [20, 1],
  [2_000, 10],
  [500, 10],
  [600, 60],
  [6_000, 60],
].flatMap(([calls = 0, seconds = 0]) =>
  [false, true].map((sliding) =>
    family({
      group: 'windows',
      name: `${sliding ? 'sliding' : 'fixed'} window, ${calls} in ${seconds} s`,
      limit: calls / seconds,
      api: { kind: 'window', calls, periodMs: seconds * 1_000, sliding },
      ceiling: (4 * calls) / seconds,
      fromSecond: Math.max(20, 3 * seconds),
      seconds: Math.max(20, 3 * seconds) + Math.max(60, 4 * seconds),
      share: SHARE,
      throttled: THROTTLED,
      heldOut: calls === 500 || calls === 20,
    }),
  ),
);

/** A limit per second and one per minute, as many APIs have. */
const bucketAndWindow = family({
  group: 'windows',
  name: 'bucket 200/s and fixed window, 6000 in 60 s',
  limit: 100,
  api: {
    kind: 'all',
    limits: [
      { kind: 'bucket', ratePerSecond: 200, burst: 50, tickMs: 0 },
      { kind: 'window', calls: 6_000, periodMs: 60_000, sliding: false },
    ],
  },
  ceiling: 400,
  fromSecond: 180,
  seconds: 420,
  share: SHARE,
  throttled: THROTTLED,
});

export const windows = [...single, bucketAndWindow];

/**
 * A call is in flight at the API for half of its latency. With the long tail, some calls are slow: the mean is 100 ms. Each varies
 * by a fifth: with exact times, calls at certain rates would come just as others end.
 */
const TAIL = { share: 0.1, fastMs: 50, slowMs: 550 };
const tail = (random: number): number => {
  const slow = random < TAIL.share;
  const within = slow ? random / TAIL.share : (random - TAIL.share) / (1 - TAIL.share);
  return (slow ? TAIL.slowMs : TAIL.fastMs) * (0.8 + 0.4 * within);
};

export const inFlight = [
  family({
    group: 'in flight',
    name: '10 calls of 0.1 s in flight',
    limit: 200,
    api: { kind: 'concurrency', calls: 10 },
    latencyMs: 100,
    share: SHARE,
    throttled: THROTTLED,
  }),
  family({
    group: 'in flight',
    name: '3 calls of 0.06 s in flight',
    limit: 100,
    api: { kind: 'concurrency', calls: 3 },
    latencyMs: 60,
    share: SHARE,
    throttled: THROTTLED,
    heldOut: true,
  }),
  family({
    group: 'in flight',
    name: '100 calls of 1 s in flight',
    limit: 200,
    api: { kind: 'concurrency', calls: 100 },
    latencyMs: 1_000,
    fromSecond: 30,
    share: SHARE,
    throttled: THROTTLED,
  }),
  family({
    group: 'in flight',
    name: '10 calls in flight, one in ten takes eleven times as long',
    limit: 200,
    api: { kind: 'concurrency', calls: 10 },
    latencyMs: tail,
    share: SHARE,
    throttled: THROTTLED,
  }),
  family({
    group: 'in flight',
    name: '20 calls in flight, which take longer the more there are',
    limit: 190,
    api: { kind: 'concurrency', calls: 20 },
    latencyMs: (random, calls) => (50 + 4 * calls) * (0.8 + 0.4 * random),
    share: SHARE,
    throttled: THROTTLED,
    heldOut: true,
  }),
];
