/** Moves letters to the source queue: sends first, and deletes after the confirmation. A crash in between duplicates letters. */

import { BATCH_SIZE, type PackedItem, packRequests, partitionBatch } from '../../queue/batch.ts';
import { entryError } from '../../queue/errors.ts';
import type { BatchFailure, OutgoingMessage, QueueAttributes, SendAnswer } from '../../queue/types.ts';
import type { Clock } from '../../time/clock.ts';
import type { Letter } from '../letters/letter.ts';
import type { HeldLetters } from '../pass/held.ts';
import type { LetterQueue } from '../pass/pass.ts';
import { type RetrySurroundings, retryBatch } from '../pass/retry.ts';
import { type Audit, audited } from './audit.ts';

/** The part of the source queue that a redrive needs. */
export interface SourceQueue {
  readonly url: string;
  sendForIds(messages: readonly OutgoingMessage[]): Promise<SendAnswer>;
  attributes(): Promise<QueueAttributes>;
}

/** A letter that is to be redriven. */
export interface Redriven {
  readonly letter: Letter;
  readonly message: OutgoingMessage;
  readonly bytes: number;
}

export interface MoverOptions extends RetrySurroundings {
  readonly source: SourceQueue;
  readonly dead: LetterQueue;
  readonly audit: Audit;
  readonly clock: Clock;
  /** Letters per second; Infinity for no limit. */
  readonly ratePerSecond: number;
  /** Aborts when the user interrupts: the request in progress is completed, and no other is begun. */
  readonly signal: AbortSignal;
  readonly onProgress: (sent: number) => void;
}

export class Mover {
  /** Letters that the source queue has confirmed. */
  sent = 0;
  /** The part of these letters that could not be deleted: they are on both queues. */
  notDeleted = 0;
  /** Letters that the source queue refused for a fault of their own: they stay. */
  refused: BatchFailure[] = [];
  readonly #options: MoverOptions;
  readonly #sentIds = new Set<string>();
  #nextAt = 0;

  constructor(options: MoverOptions) {
    this.#options = options;
  }

  /** Whether the letter was sent here and has been dead-lettered again. */
  knows({ message, record }: Letter): boolean {
    // A letter that SQS moved keeps its id; one that a worker sent contains the id.
    return this.#sentIds.has(message.messageId) || this.#sentIds.has(record?.sourceMessageId ?? '');
  }

  /** Moves letters in order. @throws if retries are exhausted for a request, or for a letter that is not at fault; confirmed letters are counted. */
  async move(letters: readonly Redriven[], held: HeldLetters): Promise<void> {
    for (const batch of packRequests(letters, measure, { items: this.#batchSize() })) {
      await this.#pace(batch.length);
      if (this.#options.signal.aborted) return;
      await this.#moveBatch(batch, held);
      this.#options.onProgress(this.sent);
    }
  }

  async #moveBatch(batch: readonly Redriven[], held: HeldLetters): Promise<void> {
    const { source, dead, audit } = this.#options;
    await audit({ event: 'letters', letters: batch.map(({ letter }) => audited(letter)) });
    const send = async (some: readonly Redriven[]): Promise<BatchFailure[]> => {
      const { failed, messageIds } = await source.sendForIds(some.map(({ message }) => message));
      for (const id of messageIds.values()) this.#sentIds.add(id);
      this.sent += messageIds.size;
      return failed;
    };
    const failures = await retryBatch(batch, ({ message }) => message.key, send, this.#options);
    this.refused.push(...failures.filter(({ senderFault }) => senderFault));
    const { taken: confirmed } = partitionBatch(batch, failures, ({ message }) => message.key);
    const handles = confirmed.flatMap(({ message }) => held.receiptHandle(message.key) ?? []);
    const stuck = await retryBatch(
      handles,
      (handle) => handle,
      (some) => dead.delete(some),
      this.#options,
    ).catch((error: unknown) => {
      this.notDeleted += handles.length;
      throw error;
    });
    this.notDeleted += stuck.length;
    for (const { message } of confirmed) held.forget(message.key);
    // These letters are not at fault: the next ones would fail, too.
    const failure = failures.find(({ senderFault }) => !senderFault);
    if (failure !== undefined) throw entryError(failure, source.url);
  }

  /** Small batches at low rates, so that letters are spread evenly. */
  #batchSize(): number {
    return Math.max(1, Math.min(BATCH_SIZE, Math.floor(this.#options.ratePerSecond)));
  }

  async #pace(count: number): Promise<void> {
    const { ratePerSecond, clock, sleep, signal } = this.#options;
    if (!Number.isFinite(ratePerSecond)) return;
    const now = clock.monotonic();
    const waitMs = this.#nextAt - now;
    this.#nextAt = Math.max(this.#nextAt, now) + (count * 1_000) / ratePerSecond;
    if (waitMs > 0) await sleep(waitMs, signal);
  }
}

/** Messages of a FIFO group need one request each; only they have a deduplication id. */
function measure({ message: { groupId, deduplicationId }, bytes }: Redriven): PackedItem {
  return { bytes, group: deduplicationId === undefined ? undefined : groupId };
}
