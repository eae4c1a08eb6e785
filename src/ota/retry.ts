/** Trying again within one delivery: the one file that imports p-retry. */
import pRetry from 'p-retry';
import type { Failure } from '../message/failure.ts';

/** A failure on its way through p-retry, which takes thrown Errors only. It never leaves this folder. */
export class FailedCall extends Error {
  override readonly name = 'FailedCall';
  readonly failure: Failure;

  constructor(failure: Failure) {
    super(failure.message);
    this.failure = failure;
  }
}

/**
 * Calls `attempt` until it answers, or until `again` says no.
 * The waiting is done by `again`, because p-retry's own delays know neither Retry-After nor full jitter; p-retry's
 * count is not used either: throttling must be free, and `shouldConsumeRetry` does not make it so.
 * @param attempt throws FailedCall for a failure that may be tried again.
 * @param again waits as long as the failure wants; false ends it with that failure.
 * @returns the answer, or the last failure.
 */
export async function withRetry<T>(
  attempt: () => Promise<T>,
  again: (failure: Failure) => Promise<boolean>,
): Promise<T | FailedCall> {
  try {
    return await attempt();
  } catch (error) {
    if (!(error instanceof FailedCall)) throw error;
    if (!(await again(error.failure))) return error;
  }
  // Nearly every call succeeds at once: p-retry comes in with the first failure.
  try {
    return await pRetry(attempt, {
      retries: Number.POSITIVE_INFINITY,
      minTimeout: 0,
      shouldRetry: ({ error }) => error instanceof FailedCall && again(error.failure),
    });
  } catch (error) {
    if (error instanceof FailedCall) return error;
    throw error;
  }
}
