/**
 * The limiters that APIs really have, in a table. The figures that are asked for are issue 15's: the share of what could be
 * had, and the most 429s. They are measured once a controller has had time to find the limit.
 */
import { type Family, family } from './family.ts';

/** 1 and 0 in turn. */
const onOff =
  (seconds: number) =>
  (ms: number): number =>
    Math.floor(ms / 1_000 / seconds) % 2 === 0 ? 1 : 0;
/** Between 1 and `least`, as a cosine. */
const sway =
  (seconds: number, least: number) =>
  (ms: number): number =>
    (1 + least) / 2 + ((1 - least) / 2) * Math.cos((2 * Math.PI * ms) / 1_000 / seconds);
/** 1, then `low` for a minute, then 1. */
const step =
  (low: number) =>
  (ms: number): number =>
    ms >= 60_000 && ms < 120_000 ? low : 1;

const buckets = [2, 5, 20, 50, 100, 200, 500, 1_000].map((limit, i) =>
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

const smallBursts = [
  [20, 2],
  [200, 2],
  [500, 5],
].map(([limit = 0, burst = 0]) =>
  family({
    group: 'small burst',
    name: `bucket ${limit}/s, burst ${burst}`,
    limit,
    burst,
    share: 0.95,
    throttled: limit < 100 ? 0.04 : 0.02,
  }),
);

/** The noise is told from a limit after 40 s, or 8,000 calls at lower rates. */
const noises = [
  [200, 0.002],
  [200, 0.01],
  [200, 0.03],
  [200, 0.1],
  [500, 0.01],
  [500, 0.1],
  [50, 0.01],
  [50, 0.03],
  [20, 0.03],
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
    heldOut: (limit === 500 && noise === 0.01) || (limit === 50 && noise === 0.03),
  }),
);
const onlyNoise = [0.01, 0.03, 0.1].map((noise) =>
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

const frontEnds = [4, 10, 30].flatMap((count) =>
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
      share: 0.9,
      throttled: 0.05,
      heldOut: count === 4,
    }),
  ),
);

const ticks = [
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
    share: 0.9,
    throttled: 0.05,
    heldOut: limit === 100,
  }),
);

const windows = [
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
      share: 0.9,
      throttled: 0.05,
      heldOut: calls === 500 || calls === 20,
    }),
  ),
);

const moving = [10, 50, 200, 1_000].flatMap((limit) => {
  const of = (name: string, factor: (ms: number) => number, seconds: number, heldOut: boolean) =>
    family({
      group: 'moving',
      name: `${limit}/s, ${name}`,
      limit,
      burst: Math.max(2, limit / 5),
      factor,
      seconds,
      share: 0.95,
      throttled: 0.05,
      heldOut,
    });
  return [
    of('swaying to a half in 60 s', sway(60, 0.5), 200, limit === 50),
    of('a step to a half and back', step(0.5), 180, limit === 200),
    of('a step to a fifth and back', step(0.2), 180, limit === 10),
  ];
});

const strangers = [10, 30].map((seconds) =>
  family({
    group: 'strangers',
    name: `200/s, a stranger takes half, ${seconds} s on and off`,
    limit: 200,
    burst: 20,
    strangers: [{ startMs: 0, demand: (ms) => 100 * onOff(seconds)(ms) }],
    left: (ms) => 1 - onOff(seconds)(ms) / 2,
    seconds: 200,
    share: 0.93,
    throttled: 0.05,
    heldOut: seconds === 30,
  }),
);

const fleets = [
  [2, 50],
  [4, 20],
  [4, 200],
  [8, 200],
  [32, 200],
  [32, 500],
  [10, 500],
].map(([workers = 0, limit = 0]) => {
  const good = limit / workers >= 3;
  return family({
    group: 'fleet',
    name: `${workers} workers on ${limit}/s`,
    limit,
    burst: Math.max(20, limit / 10),
    workers,
    fromSecond: 2 * workers + 120,
    seconds: 2 * workers + 240,
    share: good ? 0.95 : 0.9,
    throttled: good ? 0.04 : 0.06,
    heldOut: workers === 10 || limit === 50,
  });
});

const latencies = [5, 300, 2_000].map((latencyMs) =>
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

const busy = [200, 500].map((limit) =>
  family({
    group: 'latency',
    name: `bucket ${limit}/s, a busy machine`,
    limit,
    burst: 20,
    stalls: { meanApartMs: 4_000, meanLengthMs: 40 },
    share: 0.95,
    throttled: 0.02,
  }),
);

export const families: readonly Family[] = [
  ...buckets,
  ...bigBursts,
  ...smallBursts,
  ...noises,
  ...onlyNoise,
  ...frontEnds,
  ...ticks,
  ...windows,
  ...moving,
  ...strangers,
  ...fleets,
  ...latencies,
  ...busy,
];
