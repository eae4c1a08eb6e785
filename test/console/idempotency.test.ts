/** What a key of a request keeps: for whom, how many, how long, and after which end. */
import { expect, test } from 'vitest';
import { Idempotency } from '../../src/console/api/idempotency.ts';
import { NotDone, OutcomeUnknown, PageError, PartlyDone } from '../../src/console/pages/page-error.ts';

const DAY_MS = 86_400_000;

function setKeys() {
  const at = { ms: 0 };
  const keys = new Idempotency(() => at.ms);
  let done = 0;
  const ask = (who: string, key: string, work: () => Promise<unknown> = async () => ++done) =>
    keys.once(who, key, ['pauseJob', 'j'], {}, work);
  return { ask, at };
}

test('a change that is not over is found by its key, whatever comes meanwhile, and however long it takes', async () => {
  const { ask, at } = setKeys();
  const slow = Promise.withResolvers<string>();
  const first = ask('ann', 'slow', () => slow.promise);
  for (let i = 0; i < 20_000; i++) await ask('ann', `k${i}`);
  at.ms += 2 * DAY_MS;
  const second = ask('ann', 'slow');
  slow.resolve('done once');
  expect(await Promise.all([first, second])).toEqual(['done once', 'done once']);
  at.ms += DAY_MS - 1;
  expect(await ask('ann', 'slow')).toBe('done once');
  at.ms += 1;
  expect(await ask('ann', 'slow')).not.toBe('done once');
});

test('of one who asks the last 10,000 keys are kept, and nobody else takes their place', async () => {
  const { ask } = setKeys();
  const firstOf = { ann: await ask('ann', 'k0'), bob: await ask('bob', 'k0') };
  for (let i = 1; i < 10_000; i++) await ask('bob', `k${i}`);
  expect([await ask('ann', 'k0'), await ask('bob', 'k0')]).toEqual([firstOf.ann, firstOf.bob]);
  await ask('bob', 'one more');
  expect(await ask('ann', 'k0')).toBe(firstOf.ann);
  expect(await ask('bob', 'k0')).not.toBe(firstOf.bob);
});

test.each([
  ['of which it is not known whether it was done is not done again', new OutcomeUnknown('It was lost'), true],
  ['that was done in part is gone on with', new PartlyDone('It was lost'), false],
  ['that was not done, whatever the log says, is done', new NotDone('It was lost'), false],
  ['that was refused is done', new PageError('It is locked.', 503), false],
])('a change %s by the same key', async (_, error, isKept) => {
  const { ask } = setKeys();
  await expect(ask('ann', 'k', () => Promise.reject(error))).rejects.toBe(error);
  if (isKept) await expect(ask('ann', 'k')).rejects.toBe(error);
  else expect(await ask('ann', 'k')).toBe(1);
  expect(await ask('ann', 'another')).toBe(isKept ? 1 : 2);
});
