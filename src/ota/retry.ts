/** Retries within one delivery. The only file that imports p-retry. */
import pRetry from 'p-retry';
import type { Failure } from '../message/failure.ts';

/** Carries a failed result through p-retry, which handles only thrown Errors. It never leaves this file. */
class FailedAttempt<Result> extends Error {
  override readonly name = 'FailedAttempt';
  readonly result: Result;

  constructor(result: Result, failure: Failure) {
    super(failure.message);
    this.result = result;
  }
}

export interface RetryOptions<Result> {
  readonly attempt: () => Promise<Result>;
  /** The failure in a result that may be retried; undefined ends the retries. */
  readonly failureOf: (result: Result) => Failure | undefined;
  /** Waits as long as the failure requires; false ends the retries. */
  readonly again: (failure: Failure) => Promise<boolean>;
}

/**
 * Repeats a failed attempt until one does not fail or `again` returns false.
 *
 * `again` does the waiting, because p-retry's own delays support neither Retry-After nor full jitter. p-retry's count
 * is not used either: throttling must not count, and `shouldConsumeRetry` does not achieve that.
 * @param first the result of the first attempt. Nearly every call succeeds at once and is returned unchanged.
 * @returns the last result.
 * @throws what `attempt` throws.
 */
export async function retry<Result>(
  first: Result,
  { attempt, failureOf, again }: RetryOptions<Result>,
): Promise<Result> {
  const failure = failureOf(first);
  if (failure === undefined || !(await again(failure))) return first;
  const attemptOrThrow = async (): Promise<Result> => {
    const result = await attempt();
    const failed = failureOf(result);
    if (failed !== undefined) throw new FailedAttempt(result, failed);
    return result;
  };
  try {
    return await pRetry(attemptOrThrow, {
      retries: Number.POSITIVE_INFINITY,
      minTimeout: 0,
      shouldRetry: async ({ error }) => {
        const failed = error instanceof FailedAttempt ? failureOf(error.result) : undefined;
        return failed !== undefined && again(failed);
      },
    });
  } catch (error) {
    if (error instanceof FailedAttempt) return error.result;
    throw error;
  }
}
