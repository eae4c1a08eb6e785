import { expect, test } from 'vitest';
import { STUCK_MS, StuckWatch } from '../../../src/jobs/run/stuck.ts';

test('a job is stuck when rows are in flight and none ends for long, once until one ends', () => {
  let now = 0;
  const watch = new StuckWatch(() => now);
  const after = (ms: number, ended: number, inFlight: number): boolean => {
    now += ms;
    return watch.look({ ended, inFlight });
  };
  // Nothing in flight: paused, or before its time.
  expect([after(0, 0, 0), after(2 * STUCK_MS, 0, 0), after(0, 0, 5)]).toEqual([false, false, false]);
  expect([after(STUCK_MS - 1, 0, 5), after(1, 0, 5), after(STUCK_MS, 0, 5)]).toEqual([false, true, false]);
  expect([after(0, 1, 4), after(STUCK_MS - 1, 1, 4), after(1, 1, 4)]).toEqual([false, false, true]);
  expect([after(0, 1, 0), after(0, 1, 4), after(STUCK_MS, 1, 4)]).toEqual([false, false, true]);
});
