/** What a worker holds is bounded in bytes, whatever the size of the bodies. */
import { afterEach, expect, test } from 'vitest';
import { type Stage, setStage } from '../../testing/stages/stage.ts';

let stage: Stage;
afterEach(() => stage.strike());

test('a worker holds few large messages at a time, and ends them all', async () => {
  let mostHeld = 0;
  stage = await setStage({
    env: { MAX_HELD_MB: '8' },
    api: { latency: { minMs: 20, maxMs: 20 } },
    listeners: [
      () => {
        mostHeld = Math.max(mostHeld, stage?.worker.snapshot().held ?? 0);
      },
    ],
  });
  for (let i = 0; i < 12; i++) {
    const update = { Identifier: `task${i}`, Description: 'large' };
    await stage.send(JSON.stringify(i === 7 ? { ...update, unknown: 1 } : update).padEnd(1_000_000));
  }
  await stage.worker.start();
  await stage.ended(12);
  expect([stage.settled('acknowledge').length, stage.settled('dead-letter').length]).toEqual([11, 1]);
  // 2 MB each in memory.
  expect(mostHeld).toBeLessThanOrEqual(4);
  expect(stage.left()).toEqual({ ready: 0, inFlight: 0 });
});
