/** What the worker has to know of its queues, read at start. */

import { MAX_PAYLOAD_BYTES } from '../../queue/batch.ts';
import { sqsErrorKind } from '../../queue/errors.ts';
import type { Queue } from '../../queue/queue.ts';
import { type BackoffSettings, fullJitter } from '../../time/backoff.ts';
import { sleep } from '../../time/clock.ts';
import type { WorkerListener } from '../events.ts';

export interface QueueFacts {
  readonly retentionSeconds: number;
  readonly fifo: boolean;
  readonly deadLetter: { readonly maximumMessageBytes: number; readonly fifo: boolean };
  /** undefined: no outcomes are published. */
  readonly outcome?: { readonly fifo: boolean };
}

/** SQS's default, assumed where the queue's own setting may not be read. */
const DEFAULT_RETENTION_SECONDS = 4 * 86_400;

/** How a look at one queue ended. */
type QueueLook =
  | { readonly ok: true }
  /** The queue is there but its attributes may not be read: defaults are assumed. */
  | { readonly ok: true; readonly assumed: true; readonly error: unknown }
  | { readonly ok: false; readonly error: unknown };

/** The worker's queues. */
export interface WorkerQueues {
  readonly source: Queue;
  readonly deadLetter: Queue;
  readonly outcome?: Queue;
}

export interface QueueFactsResult {
  readonly facts: QueueFacts;
  readonly source: QueueLook;
  readonly deadLetter: QueueLook;
  readonly outcome?: QueueLook;
}

/** Looks at every queue. Never throws: what could not be read is said in the result, and defaults stand for it. */
export async function readQueueFacts(
  { source, deadLetter, outcome }: WorkerQueues,
  signal?: AbortSignal,
): Promise<QueueFactsResult> {
  const [first, second, third] = await Promise.allSettled([
    source.attributes(signal),
    deadLetter.attributes(signal),
    outcome?.attributes(signal),
  ]);
  return {
    facts: {
      retentionSeconds:
        (first.status === 'fulfilled' ? first.value.retentionSeconds : undefined) ??
        DEFAULT_RETENTION_SECONDS,
      fifo: source.fifo,
      deadLetter: {
        maximumMessageBytes:
          (second.status === 'fulfilled' ? second.value.maximumMessageBytes : undefined) ?? MAX_PAYLOAD_BYTES,
        fifo: deadLetter.fifo,
      },
      ...(outcome !== undefined && { outcome: { fifo: outcome.fifo } }),
    },
    source: look(first),
    deadLetter: look(second),
    ...(outcome !== undefined && { outcome: look(third) }),
  };
}

function look(result: PromiseSettledResult<unknown>): QueueLook {
  if (result.status === 'fulfilled') return { ok: true };
  const error: unknown = result.reason;
  return sqsErrorKind(error) === 'denied' ? { ok: true, assumed: true, error } : { ok: false, error };
}

export interface FindQueuesOptions extends WorkerQueues {
  readonly backoff: BackoffSettings;
  readonly random: () => number;
  /** Ends the search. */
  readonly signal: AbortSignal;
  readonly emit: WorkerListener;
}

/** Looks for the queues until all are found; undefined when `signal` ended the search. */
export async function findQueues(options: FindQueuesOptions): Promise<QueueFacts | undefined> {
  const { source, deadLetter, outcome, backoff, random, signal, emit } = options;
  for (let failures = 1; !signal.aborted; failures++) {
    const result = await readQueueFacts(options, signal);
    if (signal.aborted) return undefined;
    const looks = [
      { queueUrl: source.url, look: result.source },
      { queueUrl: deadLetter.url, look: result.deadLetter },
      ...(outcome !== undefined && result.outcome !== undefined
        ? [{ queueUrl: outcome.url, look: result.outcome }]
        : []),
    ];
    const retryInMs = Math.max(250, fullJitter(backoff, failures, random));
    for (const { queueUrl, look: found } of looks) {
      if (!found.ok) emit({ type: 'queues-unresolved', queueUrl, error: found.error, retryInMs });
      else if ('assumed' in found) emit({ type: 'queue-assumed', queueUrl, error: found.error });
    }
    if (looks.every(({ look: found }) => found.ok)) return result.facts;
    await sleep(retryInMs, signal);
  }
  return undefined;
}
