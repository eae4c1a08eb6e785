/** What is away is asked by one at a time, and everybody else is told at once, since when. */
import { expect, onTestFinished, test } from 'vitest';
import { Reach } from '../../src/console/reach.ts';

class Gone extends Error {}

function setReach() {
  let now = Date.UTC(2026, 10, 29, 3);
  const state = { there: false, asked: 0, done: 0 };
  const sleeping: (() => void)[] = [];
  const reach = new Reach({
    whyAway: (error) => (error instanceof Gone ? 'no connection.' : undefined),
    clock: { wall: () => now, monotonic: () => now },
    sleep: (_ms, signal) =>
      new Promise((resolve) => {
        sleeping.push(resolve);
        signal.addEventListener('abort', () => resolve());
      }),
  });
  onTestFinished(() => reach.close());
  const ask = async (): Promise<void> => {
    state.asked++;
    if (!state.there) throw new Gone();
  };
  const work = async (): Promise<string> => {
    if (!state.there) throw new Gone();
    state.done++;
    return 'done';
  };
  return {
    state,
    reach,
    sleeping,
    use: () => reach.use(work, ask),
    tell: () => reach.tell(new Gone(), ask),
    pass: (ms: number) => {
      now += ms;
    },
    /** Lets the next try happen. */
    tryAgain: async () => {
      sleeping.shift()?.();
      await new Promise(setImmediate);
    },
  };
}

const since = 'cannot be read since 2026-11-29 03:00:00 UTC: no connection';

test('one asks whether it is back, however many come, and it is used again then', async () => {
  const { state, use, pass, tryAgain, sleeping } = setReach();
  await expect(use()).rejects.toThrow(since);
  pass(10_000);
  const many = await Promise.allSettled(Array.from({ length: 50 }, use));
  expect(many.map((one) => one.status === 'rejected' && String(one.reason))).toEqual(
    Array(50).fill(`AwayError: ${since}`),
  );
  expect([state.asked, sleeping.length]).toEqual([1, 1]);
  await tryAgain();
  expect(state.asked).toBe(2);
  state.there = true;
  await tryAgain();
  expect(await use()).toBe('done');
  state.there = false;
  await expect(use()).rejects.toThrow('since 2026-11-29 03:00:10 UTC');
});

test('it is left alone when nobody has asked for a minute; who comes then is told what is so now', async () => {
  const { state, use, pass, tryAgain, sleeping } = setReach();
  await expect(use()).rejects.toThrow(since);
  pass(61_000);
  await tryAgain();
  expect([state.asked, sleeping.length]).toEqual([1, 0]);
  await expect(use()).rejects.toThrow(since);
  pass(61_000);
  await tryAgain();
  state.there = true;
  expect(await use()).toBe('done');
});

test('whoever finds it away tells it: those who come are told at once, and since then', async () => {
  const { state, use, tell, pass, tryAgain } = setReach();
  tell();
  pass(10_000);
  await expect(use()).rejects.toThrow(since);
  tell();
  await expect(use()).rejects.toThrow(since);
  state.there = true;
  await tryAgain();
  expect(await use()).toBe('done');
});

test('another error is not that it is away', async () => {
  const { reach, sleeping } = setReach();
  const wrong = () =>
    reach.use(
      () => Promise.reject(new Error('wrong')),
      async () => {},
    );
  await expect(wrong()).rejects.toThrow(/^wrong$/);
  await expect(wrong()).rejects.toThrow(/^wrong$/);
  expect(sleeping).toEqual([]);
});
