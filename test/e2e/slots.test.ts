/** A worker takes what it can start soon; the rest is left to others. */
import { afterEach, expect, test } from 'vitest';
import { type Stage, type StageOptions, setStage } from '../../testing/stages/stage.ts';

let stage: Stage;
afterEach(() => stage.strike());

test.each<[string, StageOptions, number, number]>([
  // A whole receive is worth a third of the lease, and no more; before, it held 20.
  [
    'makes slow calls one at a time',
    { env: { MAX_CONCURRENCY: '1' }, api: { latency: { minMs: 1_000, maxMs: 1_000 } } },
    2,
    12,
  ],
  // Before, it held all 80; 20 wait, and a second's calls wait for others to share their delete.
  ['has a tenth of a rate that is shared', { env: { RATE_LIMIT: '100' }, share: 10 }, 20, 45],
])('a worker that %s holds little', async (_what, options, calls, most) => {
  stage = await setStage(options);
  await stage.sendUpdates(80);
  await stage.worker.start();
  await stage.until(() => stage.events.filter(({ type }) => type === 'attempt').length >= calls);
  const held: number[] = [];
  await stage.until(() => {
    held.push(stage.worker.snapshot().held);
    return stage.events.filter(({ type }) => type === 'attempt').length > calls;
  });
  expect(Math.max(...held)).toBeLessThanOrEqual(most);
  // Released ones are there again, but for those whose release is under way.
  expect(stage.left().ready).toBeGreaterThan(0);
});
