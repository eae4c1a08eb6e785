/** SQS requests of the dead-letter commands, retried as long as that may help. */

import { partitionBatch } from '../../queue/batch.ts';
import { errorFacts, isForOneMessage, isTransient } from '../../queue/errors.ts';
import type { BatchFailure } from '../../queue/types.ts';
import { type BackoffSettings, fullJitter } from '../../time/backoff.ts';

const MAX_TRIES = 6;
const backoff: BackoffSettings = { baseMs: 200, maxMs: 5_000 };

/** Runs `work`: a request with its retries. `onFailure` is called for each failed attempt. */
export type Watch = <T>(work: (onFailure: (error: unknown) => void) => Promise<T>) => Promise<T>;

const unwatched: Watch = (work) => work(() => {});

export interface RetrySurroundings {
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>;
  readonly random: () => number;
  /** Observes each request from its first attempt to the last. */
  readonly watch?: Watch;
}

/** For waits that must not be interrupted: a change that was begun is completed. */
const never = new AbortController().signal;

/**
 * Makes a request until it succeeds.
 * @param signal ends the retries, not the request.
 * @throws the error of the last attempt: an error that retrying does not help, or the sixth in a row.
 */
export async function retryRequest<T>(
  request: () => Promise<T>,
  { sleep, random, watch = unwatched }: RetrySurroundings,
  signal: AbortSignal = never,
): Promise<T> {
  return await watch(async (onFailure) => {
    for (let tries = 1; ; tries++) {
      try {
        return await request();
      } catch (error) {
        onFailure(error);
        if (tries >= MAX_TRIES || signal.aborted || !isTransient(error)) throw error;
        await sleep(fullJitter(backoff, tries, random), signal);
      }
    }
  });
}

/**
 * Makes a batch request until every entry is accepted or is itself at fault.
 * @param request gives the entries that failed, by the key from `keyOf`.
 * @returns the remaining failures: entries at fault, and entries not accepted in six attempts without progress.
 * @throws the error of a request that keeps failing as a whole.
 */
export async function retryBatch<Entry>(
  entries: readonly Entry[],
  keyOf: (entry: Entry) => string,
  request: (entries: readonly Entry[]) => Promise<readonly BatchFailure[]>,
  surroundings: RetrySurroundings,
): Promise<BatchFailure[]> {
  const failures: BatchFailure[] = [];
  let left = entries;
  // SQS refuses a request without entries.
  for (let tries = 1; left.length > 0; tries++) {
    const asked = left;
    const failed = await retryRequest(() => request(asked), surroundings).catch((error: unknown) =>
      askApart(asked, error, keyOf, request, surroundings),
    );
    const { atFault, again } = partitionBatch(asked, failed, keyOf);
    failures.push(...atFault.map(({ failure }) => failure));
    left = again.map(({ item }) => item);
    if (left.length === 0) break;
    if (left.length < asked.length) tries = 1;
    if (tries >= MAX_TRIES) return [...failures, ...again.map(({ failure }) => failure)];
    await surroundings.sleep(fullJitter(backoff, tries, surroundings.random), never);
  }
  return failures;
}

/**
 * Retries a refused request separately for each entry: one entry may be at fault, but the error does not name it.
 * @throws the error if it is not such a refusal, or if every entry is refused with a code that may concern all requests.
 */
async function askApart<Entry>(
  entries: readonly Entry[],
  error: unknown,
  keyOf: (entry: Entry) => string,
  request: (entries: readonly Entry[]) => Promise<readonly BatchFailure[]>,
  surroundings: RetrySurroundings,
): Promise<readonly BatchFailure[]> {
  const about = isForOneMessage(error);
  const { name: code, message } = errorFacts(error);
  const [only] = entries;
  if (about === 'no' || only === undefined) throw error;
  if (entries.length === 1) {
    if (about === 'unclear') throw error;
    return [{ key: keyOf(only), senderFault: true, code, message }];
  }
  const failures: BatchFailure[] = [];
  const refused: BatchFailure[] = [];
  for (const entry of entries) {
    const failed = await retryRequest(() => request([entry]), surroundings).catch((thrown: unknown) => {
      if (isForOneMessage(thrown) === 'no') throw thrown;
      const facts = errorFacts(thrown);
      refused.push({ key: keyOf(entry), senderFault: true, code: facts.name, message: facts.message });
      return [];
    });
    failures.push(...failed);
  }
  if (refused.length === entries.length && about === 'unclear') throw error;
  return [...failures, ...refused];
}
