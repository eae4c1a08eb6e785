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

test('a large answer is read when it is admitted; refused, its messages come again', async () => {
  stage = await setStage();
  const receive = (admit?: (bytes: number) => Promise<void>) =>
    stage.source.receive({ max: 10, waitSeconds: 0, visibilitySeconds: 1, ...(admit && { admit }) });
  await stage.send('small');
  expect(await receive(() => Promise.reject(new Error('not asked')))).toHaveLength(1);
  await stage.send('large'.padEnd(1_000_000));
  const sizes: number[] = [];
  const refuse = (bytes: number): Promise<void> => {
    sizes.push(bytes);
    return Promise.reject(new Error('no room'));
  };
  await expect(receive(refuse)).rejects.toThrow('no room');
  expect(sizes[0]).toBeGreaterThan(1_000_000);
  await expect.poll(async () => (await receive()).some(({ body }) => body.startsWith('large'))).toBe(true);
});
