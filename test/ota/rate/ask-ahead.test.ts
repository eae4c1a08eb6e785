import { describe, expect, test } from 'vitest';
import { AskAhead, LEAD_MS } from '../../../src/ota/rate/ask-ahead.ts';

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
    { name: 'alone', rate: 100, share: 100, leadMs: 0, roundTripMs: 50, permits: 15 },
    {
      name: 'at a low rate: none before its time',
      rate: 5,
      share: 100,
      leadMs: 0,
      roundTripMs: 50,
      permits: 0.75,
    },
    {
      name: 'a fair part, once permits wait',
      rate: 100,
      share: 50,
      leadMs: 2 * LEAD_MS,
      roundTripMs: 0,
      permits: 5,
    },
    {
      name: 'a fair part is larger on a longer way',
      rate: 100,
      share: 50,
      leadMs: 2 * LEAD_MS,
      roundTripMs: 50,
      permits: 7.5,
    },
    {
      name: 'more than a fair part, where others leave some',
      rate: 100,
      share: 50,
      leadMs: 0,
      roundTripMs: 0,
      permits: 10,
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
