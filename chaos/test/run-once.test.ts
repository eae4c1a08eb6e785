/**
 * A short run of the chaos harness: workers are killed under faults, and nothing is lost. `npm run chaos` is the
 * long form.
 */
import { expect, test } from 'vitest';
import { HANGS_MS } from '../../testing/hangs.ts';
import { runOnce } from '../harness/run-once.ts';

test('among faults of every kind and a kill, every update ends in a place that can be looked up', async () => {
  const found = await runOnce({
    seed: 11,
    updates: 300,
    fifo: false,
    redis: false,
    // Only a safeguard: the run ends with the last update.
    seconds: HANGS_MS / 2_000,
    kills: 1,
    stops: 0,
    cuts: 1,
    cutMs: 600,
    clockSteps: 1,
    shortages: process.platform === 'linux' ? 1 : 0,
    workers: 2,
    denied: false,
    apiLimit: 250,
    say: () => undefined,
  });
  const { broken, missing, updates, applied, superseded, deadLettered, kills, faults } = found;
  expect(broken).toEqual([]);
  expect({ missing, kills }).toEqual({ missing: 0, kills: 1 });
  const dead = Object.values(deadLettered).reduce((sum, n) => sum + n, 0);
  expect(applied + superseded + dead).toBeGreaterThanOrEqual(updates);
  expect(Object.keys(faults.api ?? {}).length).toBeGreaterThan(5);
});
