/**
 * Fleets without Redis: workers that do not know each other and share a limit. Measured for 240 s from 120 s after the
 * last start. If each has at least 3/s and the burst is large, the requirements are stricter than elsewhere.
 */
import { backAfter, even } from '../asks.ts';
import { family, type Setting } from '../family.ts';

function fleet(workers: number, limit: number, rest: Partial<Setting> = {}) {
  const { burst = Math.max(20, limit / 10), apart = 2 } = rest;
  const good = limit / workers >= 3 && burst >= Math.max(20, limit / 10);
  const fromSecond = apart * (workers - 1) + 120;
  return family({
    group: 'fleet',
    name: `${workers} workers on ${limit}/s`,
    limit,
    burst,
    workers,
    apart,
    fromSecond,
    seconds: fromSecond + 240,
    share: good ? 0.95 : 0.9,
    throttled: good ? 0.04 : 0.06,
    asks: good ? [even()] : [],
    ...rest,
  });
}

const alike = [
  [2, 50],
  [4, 20],
  [4, 200],
  [8, 200],
  [32, 200],
  [32, 500],
  [10, 500],
].map(([workers = 0, limit = 0]) => fleet(workers, limit, { heldOut: workers === 10 || limit === 50 }));

const slow = [
  [4, 20, 2],
  [8, 10, 5],
  [32, 50, 5],
].map(([workers = 0, limit = 0, burst = 0]) =>
  fleet(workers, limit, {
    name: `${workers} workers on ${limit}/s, burst ${burst}`,
    burst,
    heldOut: workers === 8,
  }),
);

const started = [
  fleet(8, 200, { name: '8 workers on 200/s, started at once', apart: 0 }),
  fleet(4, 100, { name: '4 workers on 100/s, started 30 s apart', apart: 30, heldOut: true }),
];

const BACKLOG = Number.POSITIVE_INFINITY;

/** Shares by need: a worker with little work gets all of it done, the others share the rest. */
const uneven = [
  fleet(4, 200, {
    name: '4 workers on 200/s, two with work for 10/s and 30/s',
    demand: (worker) => () => [10, 30][worker] ?? BACKLOG,
  }),
  fleet(8, 200, {
    name: '8 workers on 200/s, work of four comes and goes in 30 s',
    demand: (worker) => (ms) => (worker % 2 === 0 || Math.floor(ms / 30_000) % 2 === 0 ? BACKLOG : 0),
    share: 0.9,
    heldOut: true,
  }),
];

const DEATH = 180;

/** Half of the workers die. The others have their part within half a minute, as for a limit that steps up. */
const dying = [
  [8, 200],
  [4, 50],
].map(([workers = 0, limit = 0]) =>
  fleet(workers, limit, {
    name: `${workers} workers on ${limit}/s, of which half die`,
    diesAt: (worker) => (worker % 2 === 0 ? DEATH : undefined),
    share: 0.9,
    asks: [even(), backAfter(DEATH, 30)],
    heldOut: limit === 50,
  }),
);

export const fleets = [...alike, ...slow, ...started, ...uneven, ...dying];
