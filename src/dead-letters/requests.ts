/** SQS requests of a triage, tried again while that may help. */

import { isTransient } from '../queue/errors.ts';
import type { BatchFailure } from '../queue/types.ts';
import { type BackoffSettings, fullJitter } from '../time/backoff.ts';

const MAX_TRIES = 6;
const backoff: BackoffSettings = { baseMs: 200, maxMs: 5_000 };

export interface RetrySurroundings {
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>;
  readonly random: () => number;
}

/** For waits that nothing cuts short: what was begun with a letter is brought to its end. */
const never = new AbortController().signal;

/**
 * Runs a request until it succeeds.
 * @throws the request's error when trying again is no use, or was none six times in a row.
 */
export async function insist<T>(
  request: () => Promise<T>,
  { sleep, random }: RetrySurroundings,
  signal: AbortSignal = never,
): Promise<T> {
  for (let tries = 1; ; tries++) {
    try {
      return await request();
    } catch (error) {
      if (tries >= MAX_TRIES || signal.aborted || !isTransient(error)) throw error;
      await sleep(fullJitter(backoff, tries, random), signal);
    }
  }
}

/**
 * Runs a batch request until every entry is through or has been refused.
 * @param request answers the entries that failed, by the key that `keyOf` gives.
 * @returns the failures left, for the entries' own fault or after six tries without progress.
 * @throws when the request fails as a whole and goes on doing so.
 */
export async function insistOnAll<Entry>(
  entries: readonly Entry[],
  keyOf: (entry: Entry) => string,
  request: (entries: readonly Entry[]) => Promise<readonly BatchFailure[]>,
  surroundings: RetrySurroundings,
): Promise<BatchFailure[]> {
  // SQS refuses a batch of none, and that would pass for a failure of those that were refused before.
  if (entries.length === 0) return [];
  const given: BatchFailure[] = [];
  let left = entries;
  for (let tries = 1; ; tries++) {
    const asked = left;
    const failed = await insist(() => request(asked), surroundings);
    given.push(...failed.filter((failure) => failure.senderFault));
    const again = new Map(failed.filter((failure) => !failure.senderFault).map((f) => [f.key, f]));
    left = asked.filter((entry) => again.has(keyOf(entry)));
    if (left.length === 0) return given;
    if (left.length < asked.length) tries = 1;
    if (tries >= MAX_TRIES) return [...given, ...again.values()];
    await surroundings.sleep(fullJitter(backoff, tries, surroundings.random), never);
  }
}
