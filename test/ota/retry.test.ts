import { describe, expect, test } from 'vitest';
import type { Failure } from '../../src/message/failure.ts';
import { retry } from '../../src/ota/retry.ts';

const failure = (message: string): Failure => ({
  kind: 'retryable',
  name: 'InternalServerException',
  message,
});

/** `failed: ` and the message of a failure, or the answer of an attempt that did not fail. */
type Result = string;

const failureOf = (result: Result): Failure | undefined =>
  result.startsWith('failed: ') ? failure(result.slice(8)) : undefined;

/** Gives the results one after the other, then `done`; an Error is thrown. */
function attempts(...results: (Result | Error)[]) {
  let made = 0;
  const attempt = async (): Promise<Result> => {
    const result = results[made++] ?? 'done';
    if (result instanceof Error) throw result;
    return result;
  };
  return { attempt, made: () => made };
}

const always = async (): Promise<boolean> => true;

describe('retry', () => {
  test('returns the result of the first attempt that does not fail', async () => {
    const { attempt, made } = attempts('failed: two', 'done');
    const asked: string[] = [];
    const again = async ({ message }: Failure): Promise<boolean> => {
      asked.push(message);
      return true;
    };
    expect(await retry('failed: one', { attempt, failureOf, again })).toBe('done');
    expect([made(), asked]).toEqual([2, ['one', 'two']]);
  });

  test('attempts nothing after a first attempt that did not fail', async () => {
    const { attempt, made } = attempts();
    expect(await retry('fine', { attempt, failureOf, again: () => expect.unreachable() })).toBe('fine');
    expect(made()).toBe(0);
  });

  test.each([
    ['one', 0],
    ['three', 2],
  ])('returns the last failure when there is to be no other attempt: %s', async (last, attempted) => {
    const { attempt, made } = attempts('failed: two', 'failed: three');
    const again = async ({ message }: Failure): Promise<boolean> => message !== last;
    expect(await retry('failed: one', { attempt, failureOf, again })).toBe(`failed: ${last}`);
    expect(made()).toBe(attempted);
  });

  test('has no limit of its own', async () => {
    const { attempt, made } = attempts(...Array<string>(500).fill('failed: x'));
    expect(await retry('failed: x', { attempt, failureOf, again: always })).toBe('done');
    expect(made()).toBe(501);
  });

  test('does not attempt before `again` has answered', async () => {
    const { attempt, made } = attempts();
    const answer = Promise.withResolvers<boolean>();
    const asked = Promise.withResolvers<void>();
    const again = (): Promise<boolean> => {
      asked.resolve();
      return answer.promise;
    };
    const result = retry('failed: one', { attempt, failureOf, again });
    await asked.promise;
    expect(made()).toBe(0);
    answer.resolve(true);
    expect(await result).toBe('done');
  });

  test.each([
    ['an Error', new Error('bug')],
    ['a TypeError', new TypeError('bug')],
    ['a TypeError that looks like the network', new TypeError('fetch failed')],
  ])('throws %s at once, without asking', async (_, error) => {
    const { attempt, made } = attempts(error);
    await expect(retry('failed: one', { attempt, failureOf, again: always })).rejects.toBe(error);
    expect(made()).toBe(1);
  });

  test('throws what `again` throws', async () => {
    const { attempt } = attempts('failed: two');
    const bug = new RangeError('bug');
    const again = ({ message }: Failure): Promise<boolean> =>
      message === 'two' ? Promise.reject(bug) : Promise.resolve(true);
    await expect(retry('failed: one', { attempt, failureOf, again })).rejects.toBe(bug);
  });
});
