/** What the worker has to know of its queues, read at start and again from time to time. */
import { MAX_PAYLOAD_BYTES, type Queue } from '../queue/queue.ts';

export interface QueueFacts {
  readonly retentionSeconds: number;
  readonly fifo: boolean;
  readonly deadLetter: { readonly maximumMessageBytes: number; readonly fifo: boolean };
}

/** SQS's default, assumed where the queue's own setting may not be read. */
const DEFAULT_RETENTION_SECONDS = 4 * 86_400;

/** How a look at one queue ended. */
export type QueueLook =
  | { readonly ok: true }
  /** The queue is there but its attributes may not be read: defaults are assumed. */
  | { readonly ok: true; readonly assumed: true; readonly error: unknown }
  | { readonly ok: false; readonly error: unknown };

export interface QueueFactsResult {
  readonly facts: QueueFacts;
  readonly source: QueueLook;
  readonly deadLetter: QueueLook;
}

/** Looks at both queues. Never throws: what could not be read is said in the result, and defaults stand for it. */
export async function readQueueFacts(source: Queue, deadLetter: Queue): Promise<QueueFactsResult> {
  const [first, second] = await Promise.allSettled([source.attributes(), deadLetter.attributes()]);
  return {
    facts: {
      retentionSeconds:
        (first.status === 'fulfilled' ? first.value.retentionSeconds : undefined) ??
        DEFAULT_RETENTION_SECONDS,
      fifo: source.url.endsWith('.fifo'),
      deadLetter: {
        maximumMessageBytes:
          (second.status === 'fulfilled' ? second.value.maximumMessageBytes : undefined) ?? MAX_PAYLOAD_BYTES,
        fifo: deadLetter.url.endsWith('.fifo'),
      },
    },
    source: look(first),
    deadLetter: look(second),
  };
}

const deniedNames: ReadonlySet<string> = new Set(['AccessDenied', 'AccessDeniedException']);

function look(result: PromiseSettledResult<unknown>): QueueLook {
  if (result.status === 'fulfilled') return { ok: true };
  const error: unknown = result.reason;
  const assumed = error instanceof Error && deniedNames.has(error.name);
  return assumed ? { ok: true, assumed, error } : { ok: false, error };
}
