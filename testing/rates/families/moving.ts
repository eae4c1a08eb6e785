/** Limits that oscillate, step and drift. */
import { down, up } from '../asks.ts';
import { family, type Setting } from '../family.ts';

/** Between 1 and `least`, as a cosine. */
const sway =
  (seconds: number, least: number) =>
  (ms: number): number =>
    (1 + least) / 2 + ((1 - least) / 2) * Math.cos((2 * Math.PI * ms) / 1_000 / seconds);
/** From 1 to `other` in half the time, and back, evenly. */
const drift =
  (seconds: number, other: number) =>
  (ms: number): number =>
    1 + (other - 1) * (1 - Math.abs(1 - (((2 * ms) / 1_000 / seconds) % 2)));
/** 1, then `low` for a minute, then 1. */
const step =
  (low: number) =>
  (ms: number): number =>
    ms >= 60_000 && ms < 120_000 ? low : 1;

const of = (limit: number, name: string, rest: Partial<Setting>) =>
  family({
    group: 'moving',
    name: `${limit}/s, ${name}`,
    limit,
    burst: Math.max(2, limit / 5),
    share: 0.95,
    throttled: 0.05,
    ...rest,
  });

const swaying = [10, 50, 200, 1_000].map((limit) =>
  of(limit, 'swaying to a half in 60 s', { factor: sway(60, 0.5), seconds: 200, heldOut: limit === 50 }),
);

const stepping = [10, 50, 200, 1_000].flatMap((limit) =>
  [
    { low: 0.5, name: 'a half', heldOut: limit === 200 },
    { low: 0.2, name: 'a fifth', heldOut: limit === 10 },
  ].map(({ low, name, heldOut }) =>
    of(limit, `a step to ${name} and back`, {
      factor: step(low),
      seconds: 180,
      asks: [down(60, 120, low * limit), up(120, 180, limit)],
      heldOut,
    }),
  ),
);

const drifting = [
  of(2, 'drifting to a half and back in 10 min', { factor: drift(600, 0.5), seconds: 620 }),
  of(5, 'drifting to a half and back in 5 min', { factor: drift(300, 0.5), seconds: 320, heldOut: true }),
  of(20, 'drifting to three times as much and back in 4 min', {
    factor: drift(240, 3),
    ceiling: 100,
    seconds: 260,
  }),
  of(200, 'drifting to a third and back in 2 min', { factor: drift(120, 1 / 3), seconds: 260 }),
];

export const moving = [...swaying, ...stepping, ...drifting];
