import { describe, expect, test } from 'vitest';
import { AskAhead, LEAD_MS } from '../../../src/ota/rate/ask-ahead.ts';
import { seeded } from '../../../testing/random.ts';

/** Uses permits until the number settles. */
function settled({
  roundTripMs = 0,
  ...use
}: {
  leadMs: number;
  rate: number;
  share: number;
  roundTripMs?: number;
}): number {
  const ahead = new AskAhead();
  for (let i = 0; i < 200; i++) {
    ahead.answered(roundTripMs);
    ahead.used({ permits: 1, ...use });
  }
  return ahead.permits;
}

describe('permits asked ahead', () => {
  test('are none at first, and then more with each use', () => {
    const ahead = new AskAhead();
    expect(ahead.permits).toBe(0);
    ahead.used({ permits: 2, leadMs: 0, rate: 1_000, share: 1_000 });
    expect(ahead.permits).toBe(2);
    ahead.used({ permits: 2, leadMs: 0, rate: 1_000, share: 1_000 });
    expect(ahead.permits).toBe(4);
  });

  test.each([
    { name: 'alone', rate: 100, share: 100, leadMs: 0, roundTripMs: 50, permits: 17.5 },
    {
      name: 'at a low rate: none before its time',
      rate: 5,
      share: 100,
      leadMs: 0,
      roundTripMs: 50,
      permits: 0.875,
    },
    {
      name: 'a fair part, once permits wait',
      rate: 100,
      share: 50,
      leadMs: 2 * LEAD_MS,
      roundTripMs: 0,
      permits: 6.25,
    },
    {
      name: 'a fair part is larger on a longer way',
      rate: 100,
      share: 50,
      leadMs: 2 * LEAD_MS,
      roundTripMs: 50,
      permits: 8.75,
    },
    {
      name: 'more than a fair part, where others leave some',
      rate: 100,
      share: 50,
      leadMs: 0,
      roundTripMs: 0,
      permits: 12.5,
    },
  ])('cover the way to Redis and the lead: $name', ({ permits, ...use }) => {
    expect(settled(use)).toBeCloseTo(permits, 5);
  });

  test('are fewer after some went unused', () => {
    const ahead = new AskAhead();
    for (let i = 0; i < 8; i++) ahead.used({ permits: 1, leadMs: 0, rate: 1_000, share: 1_000 });
    ahead.wasted();
    expect(ahead.permits).toBe(4);
  });
});

test.each([
  { name: 'in the long run as many as are worth it', rate: 100, share: 30, most: 3.75 },
  { name: 'never more, of a worker slower than its part', rate: 30, share: 100, most: 3 },
])('bookings are whole, and $name', ({ rate, share, most }) => {
  const ahead = new AskAhead();
  for (let i = 0; i < 50; i++) ahead.used({ permits: 1, leadMs: 2 * LEAD_MS, rate, share });
  expect(ahead.permits).toBeCloseTo(3.75, 9);
  let [underWay, sum] = [0, 0];
  for (let i = 0; i < 100; i++) {
    underWay += ahead.bookings(1, underWay, Number.POSITIVE_INFINITY);
    sum += underWay;
    underWay--;
  }
  expect(sum / 100).toBeCloseTo(most, 1);
  expect([ahead.bookings(1, 0, 2), ahead.bookings(1, 2, 2)]).toEqual([2, 0]);
});

/** Permits that workers at these distances from Redis take of a hundred a second, in simulated time. */
function shares(roundTripsMs: readonly number[], seconds: number): number[] {
  const intervalMs = 10;
  const rate = 1_000 / intervalMs;
  const random = seeded(1);
  const workers = roundTripsMs.map((roundTripMs) => ({
    ahead: new AskAhead(),
    roundTripMs,
    booked: [] as { readonly reachesRedis: number; readonly answered: number; dueAt: number | undefined }[],
    taken: 0,
    /** When it wants the next permit. */
    next: 0,
  }));
  let due = 0;
  for (let now = 0; now < seconds * 1_000; now += 0.5) {
    for (const worker of workers) {
      const { ahead, booked, roundTripMs } = worker;
      for (const each of booked) {
        if (each.dueAt !== undefined || each.reachesRedis > now) continue;
        due = Math.max(due, now);
        each.dueAt = each.answered + due - now;
        due += intervalMs;
      }
      if (now < worker.next) continue;
      worker.next = now + intervalMs * (0.9 + random() / 5);
      const [first] = booked;
      if (first?.dueAt !== undefined && Math.max(first.answered, first.dueAt) <= now) {
        booked.shift();
        worker.taken++;
        ahead.answered(roundTripMs);
        ahead.used({ permits: 1, leadMs: now - first.answered, rate, share: rate / workers.length });
      }
      const bookings = ahead.bookings(1, booked.length, Number.POSITIVE_INFINITY);
      for (let i = 0; i < Math.max(bookings, booked.length === 0 ? 1 : 0); i++) {
        const jitter = random();
        booked.push({
          reachesRedis: now + roundTripMs / 2 + jitter,
          answered: now + roundTripMs + 2 * jitter,
          dueAt: undefined,
        });
      }
    }
  }
  return workers.map(({ taken }) => taken);
}

test.each([{ ms: [0, 50] }, { ms: [10, 30] }, { ms: [0, 10, 50] }, { ms: [0, 0, 50, 50] }])(
  'workers at any distance from Redis get the same part: round trips of $ms ms',
  ({ ms }) => {
    const taken = shares(ms, 30);
    expect(Math.min(...taken) / Math.max(...taken)).toBeGreaterThan(0.93);
    expect(taken.reduce((sum, each) => sum + each)).toBeGreaterThan(30 * 98);
  },
);
