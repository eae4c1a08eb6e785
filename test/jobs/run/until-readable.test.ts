/** A service that begins while its queues cannot be read. */
import { expect, test } from 'vitest';
import { OutcomesUnreadable } from '../../../src/jobs/run/unreadable.ts';
import { untilReadable } from '../../../src/jobs/run/until-readable.ts';

const away = new OutcomesUnreadable(
  'Outcomes cannot be read: SQS answered InternalFailure. Nothing was sent.',
);

async function look(errors: readonly unknown[], signal = new AbortController().signal) {
  const said: string[] = [];
  const slept: number[] = [];
  let looks = 0;
  const looking = untilReadable(
    async () => {
      const error = errors[looks++];
      if (error !== undefined) throw error;
    },
    {
      sleep: async (ms) => void slept.push(ms),
      random: () => 0.5,
      signal,
      say: (sentence) => said.push(sentence),
    },
  );
  const error: unknown = await looking.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  return { said, slept, looks, error };
}

test('one that can read them says nothing', async () => {
  expect(await look([])).toEqual({ said: [], slept: [], looks: 1, error: undefined });
});

test('it looks again, later each time, until they can be read, and says so once', async () => {
  const { said, slept, looks, error } = await look([away, away, away]);
  expect(error).toBeUndefined();
  expect(looks).toBe(4);
  expect(slept).toEqual([500, 1_000, 2_000]);
  expect(said).toEqual([
    'Outcomes cannot be read: SQS answered InternalFailure. Nothing was sent. Trying again',
    'The queues answer again',
  ]);
});

test('what is wrong for good ends it at once', async () => {
  const wrong = new Error('two settings name one queue');
  expect(await look([away, wrong])).toMatchObject({ looks: 2, error: wrong });
});

test('one that is to end looks no more, and says what it has waited for', async () => {
  expect(await look([away], AbortSignal.abort())).toMatchObject({ looks: 1, said: [], error: away });
});
