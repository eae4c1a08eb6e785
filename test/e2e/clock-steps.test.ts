/** A worker process whose wall clock is stepped: the pace goes by monotonic time. */
import { afterEach, beforeEach, expect, onTestFinished, test } from 'vitest';
import { stepClock, steppable } from '../../testing/processes/clock.ts';
import { startOta } from '../../testing/processes/ota.ts';
import { type Stage, setStage } from '../../testing/stages/stage.ts';

const HOUR_MS = 3_600_000;

let stage: Stage;
beforeEach(async () => {
  stage = await setStage();
});
afterEach(() => stage.strike());

test('a worker goes on at its pace when the clock is set back by an hour, and forward by two', async () => {
  await stage.sendUpdates(60);
  const clock = steppable();
  const worker = startOta(['worker'], {
    ...clock,
    env: { ...stage.environment({ RATE_LIMIT: '100' }), ...clock.env },
  });
  onTestFinished(() => worker.end());
  // Once stepped back, Bottleneck alone would give the next permit in an hour.
  for (const [calls, ms] of [
    [20, -HOUR_MS],
    [40, 2 * HOUR_MS],
  ] as const) {
    await stage.api.waitFor(() => stage.api.stats().calls >= calls);
    await stepClock(worker, ms);
  }
  await stage.api.waitFor(() => stage.api.stats().applied >= 60);
  expect(stage.api.stats().calls).toBe(60);
});
