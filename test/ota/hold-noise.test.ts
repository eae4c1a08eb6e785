/** What holds cost and save, in virtual time: calls at 200 a second for ten minutes. */
import { expect, test } from 'vitest';
import { accepted, free, throttled, timePassed } from '../../src/ota/hold-state.ts';
import { seeded } from '../../testing/random.ts';

const DURATION_MS = 600_000;
const EVERY_MS = 5;
const WINDOW_MS = 10_000;

interface World {
  /** Share of calls that are throttled whatever the rate; a second is named to them. */
  readonly noise: number;
  /** Calls let through in each window of 10 s; its end is named to the others. */
  readonly perWindow?: number;
  /** How long a refusal takes, in milliseconds; other answers take 20 to 80 ms. */
  readonly refusalMs: readonly [least: number, most: number];
}

interface Sent {
  readonly identifier: string;
  readonly startedAt: number;
  readonly endedAt: number;
  /** The time named; undefined: accepted. */
  readonly until: number | undefined;
}

/** @returns calls accepted, and throttled. */
function simulate({ noise, perWindow = Number.POSITIVE_INFINITY, refusalMs }: World): [number, number] {
  const random = seeded(1);
  let state = free;
  let open: Sent[] = [];
  const count: [number, number] = [0, 0];
  let window = -1;
  let left = 0;
  for (let now = 0; now < DURATION_MS; now += EVERY_MS) {
    for (const call of open.filter(({ endedAt }) => endedAt <= now).sort((a, b) => a.endedAt - b.endedAt)) {
      const { identifier, startedAt, endedAt, until } = call;
      open = open.filter((other) => other !== call);
      state = timePassed(state, endedAt);
      state =
        until === undefined
          ? accepted(state, startedAt)
          : throttled(state, { identifier, startedAt, until }, open, endedAt);
    }
    state = timePassed(state, now);
    if (state.held) continue;
    if (Math.floor(now / WINDOW_MS) > window) {
      window = Math.floor(now / WINDOW_MS);
      left = perWindow;
    }
    const spurious = random() < noise;
    const ok = !spurious && left > 0;
    if (ok) left--;
    count[ok ? 0 : 1]++;
    const [least, most] = ok ? [20, 80] : refusalMs;
    const endedAt = now + least + random() * (most - least);
    const until = ok ? undefined : spurious ? endedAt + 1_000 : (window + 1) * WINDOW_MS;
    open.push({ identifier: `task${now}`, startedAt: now, endedAt, until });
  }
  return count;
}

test.each([
  { noise: 0.01, refusalMs: [20, 80], least: 0.995 },
  { noise: 0.03, refusalMs: [20, 80], least: 0.995 },
  { noise: 0.1, refusalMs: [20, 80], least: 0.99 },
  { noise: 0.01, refusalMs: [5, 5], least: 0.995 },
  { noise: 0.03, refusalMs: [5, 5], least: 0.99 },
  // Refusals that are answered before the next call begins: three in a row are all there is to go by.
  { noise: 0.1, refusalMs: [5, 5], least: 0.8 },
] as const)(
  'spurious 429s cost little more than themselves: of $noise, answered in $refusalMs ms',
  ({ noise, refusalMs, least }) => {
    const [applied] = simulate({ noise, refusalMs });
    expect(applied / ((DURATION_MS / EVERY_MS) * (1 - noise))).toBeGreaterThan(least);
  },
);

test.each([
  [20, 80],
  [5, 5],
] as const)(
  'a window of half the calls is used, and hardly a call made in vain, with refusals in %i to %i ms',
  (...refusalMs) => {
    const perWindow = 1_000;
    const [applied, refused] = simulate({ noise: 0, perWindow, refusalMs });
    expect(applied).toBe((perWindow * DURATION_MS) / WINDOW_MS);
    expect(refused / (applied + refused)).toBeLessThan(0.03);
  },
);
