import { seeded } from '../random.ts';

const DAY_MS = 86_400_000;

/**
 * How far wall time is ahead of virtual time. Dips follow the wall clock, so each seed begins at a moment of its own: otherwise all
 * runs would have the same dips.
 */
export function wallAheadOf(seed: number): () => number {
  const ms = Math.floor(DAY_MS * seeded(seed ^ 0x9e3779b9)());
  return () => ms;
}
