/** Demand that varies: for a time there is less work than the API accepts, then more. */
import { backAfter } from '../asks.ts';
import { family } from '../family.ts';

const BACKLOG = Number.POSITIVE_INFINITY;

const onOff = [5, 20].map((seconds) =>
  family({
    group: 'demand',
    name: `200/s, work for ${seconds} s, none for ${seconds} s`,
    limit: 200,
    burst: 20,
    demand: () => (ms) => (Math.floor(ms / 1_000 / seconds) % 2 === 0 ? BACKLOG : 0),
    seconds: 140,
    share: 0.9,
    throttled: 0.05,
    heldOut: seconds === 5,
  }),
);

const swaying = [50, 500].map((limit) =>
  family({
    group: 'demand',
    name: `${limit}/s, work for a fifth to twice of it in 60 s`,
    limit,
    burst: limit / 10,
    ceiling: 4 * limit,
    demand: () => (ms) => limit * (1.1 - 0.9 * Math.cos((2 * Math.PI * ms) / 60_000)),
    seconds: 200,
    share: 0.9,
    throttled: 0.05,
  }),
);

const QUIET_SECONDS = 120;

/** A quiet queue, with an occasional 429 that says nothing about the rate; then a backlog, and no more noise. */
const quiet = [
  { limit: 200, perSecond: 2, ceiling: 400 },
  { limit: 200, perSecond: 10, ceiling: 2_000 },
  { limit: 200, perSecond: 2, ceiling: BACKLOG },
  { limit: 50, perSecond: 1, ceiling: 200 },
  { limit: 1_000, perSecond: 5, ceiling: 2_000 },
].map(({ limit, perSecond, ceiling }, i) =>
  family({
    group: 'demand',
    name: `${limit}/s, a quiet queue of ${perSecond}/s with one 429 in 20, then a backlog${ceiling === BACKLOG ? ', no RATE_LIMIT' : ''}`,
    limit,
    burst: Math.max(5, limit / 10),
    ceiling,
    noise: (ms) => (ms < QUIET_SECONDS * 1_000 ? 0.05 : 0),
    demand: () => (ms) => (ms < QUIET_SECONDS * 1_000 ? perSecond : BACKLOG),
    fromSecond: QUIET_SECONDS + 5,
    share: 0.95,
    throttled: limit < 100 ? 0.04 : 0.02,
    asks: [backAfter(QUIET_SECONDS, 5)],
    heldOut: i === 1,
  }),
);

/** Nothing is accepted for some seconds, after a quiet time and a backlog: this is not a spent window. */
const outages = [200, 20].map((limit) =>
  family({
    group: 'demand',
    name: `${limit}/s, nothing accepted for 10 s after a quiet time`,
    limit,
    burst: Math.max(5, limit / 10),
    ceiling: 4 * limit,
    noise: (ms) => (ms >= 110_000 && ms < 120_000 ? 1 : 0),
    demand: () => (ms) => (ms < 100_000 ? 1 : BACKLOG),
    fromSecond: 140,
    seconds: 240,
    share: 0.95,
    throttled: limit < 100 ? 0.04 : 0.02,
    asks: [backAfter(120, 20)],
    heldOut: limit === 20,
  }),
);

export const demands = [...onOff, ...swaying, ...quiet, ...outages];
