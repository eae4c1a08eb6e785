import { expect, test } from 'vitest';
import { inOrder } from '../../../src/jobs/plan/read-tasks.ts';

test('answers in the order of the items, with so many under way at once and no more', async () => {
  const items = Array.from({ length: 20 }, (_, i) => i);
  const ends = items.map(() => Promise.withResolvers<number>());
  const started: number[] = [];
  const answers = inOrder(items, 5, (item) => {
    started.push(item);
    return ends[item]?.promise ?? Promise.reject(new Error('unknown'));
  });
  const all = Array.fromAsync(answers);
  await new Promise(setImmediate);
  expect(started).toEqual([0, 1, 2, 3, 4]);
  for (const i of items.toReversed()) ends[i]?.resolve(i * i);
  expect(await all).toEqual(items.map((i) => i * i));
});
