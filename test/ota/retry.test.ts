import { describe, expect, test } from 'vitest';
import type { Failure } from '../../src/message/failure.ts';
import { FailedCall, withRetry } from '../../src/ota/retry.ts';

const failure = (message: string): Failure => ({
  kind: 'retryable',
  name: 'InternalServerException',
  message,
});

/** Throws the errors one after the other, then answers. */
function attempts(...errors: unknown[]) {
  let made = 0;
  return {
    attempt: async () => {
      const error = errors[made++];
      if (error !== undefined) throw error;
      return 'done';
    },
    made: () => made,
  };
}

describe('withRetry', () => {
  test('gives back the answer of the first attempt that has one', async () => {
    const { attempt, made } = attempts(new FailedCall(failure('one')), new FailedCall(failure('two')));
    const asked: string[] = [];
    const result = await withRetry(attempt, async ({ message }) => {
      asked.push(message);
      return true;
    });
    expect(result).toBe('done');
    expect(made()).toBe(3);
    expect(asked).toEqual(['one', 'two']);
  });

  test('gives back the last failure when there is to be no other attempt', async () => {
    const { attempt, made } = attempts(new FailedCall(failure('one')), new FailedCall(failure('two')));
    const result = await withRetry(attempt, async ({ message }) => message !== 'two');
    expect(result).toBeInstanceOf(FailedCall);
    expect(result).toMatchObject({ failure: failure('two') });
    expect(made()).toBe(2);
  });

  test('has no bound of its own', async () => {
    const { attempt, made } = attempts(...Array.from({ length: 500 }, () => new FailedCall(failure('x'))));
    expect(await withRetry(attempt, async () => true)).toBe('done');
    expect(made()).toBe(501);
  });

  test('does not attempt again before it is told to', async () => {
    const { attempt, made } = attempts(new FailedCall(failure('one')));
    const answer = Promise.withResolvers<boolean>();
    const asked = Promise.withResolvers<void>();
    const result = withRetry(attempt, () => {
      asked.resolve();
      return answer.promise;
    });
    await asked.promise;
    expect(made()).toBe(1);
    answer.resolve(true);
    expect(await result).toBe('done');
  });

  test.each([
    ['an Error', new Error('bug')],
    ['a TypeError', new TypeError('bug')],
    ['a TypeError that looks like the network', new TypeError('fetch failed')],
  ])('throws %s at once, unasked', async (_, error) => {
    const { attempt, made } = attempts(error);
    await expect(withRetry(attempt, async () => true)).rejects.toBe(error);
    expect(made()).toBe(1);
  });

  test('throws what is thrown while it is decided', async () => {
    const { attempt } = attempts(new FailedCall(failure('one')));
    const bug = new RangeError('bug');
    await expect(withRetry(attempt, () => Promise.reject(bug))).rejects.toBe(bug);
  });
});
