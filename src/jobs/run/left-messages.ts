/**
 * Messages that a collector leaves on the outcome queue: what is no outcome, and for a while outcomes of jobs that its ledger
 * does not know, because another ledger may collect from the same queue.
 */
import { CommandError } from '../../errors.ts';
import type { Message } from '../../message/message.ts';
import { printable } from '../../text/printable.ts';

/** What is left comes back after the first receive's time, doubling with each: the other ledger must not wait long. */
const MAX_SECONDS = 120;
/** An outcome that no ledger has taken for so long, and that was received so often, is kept by this one; in milliseconds. */
const ABANDONED_MS = 3_600_000;
const ABANDONED_RECEIVES = 8;
/** From so many messages that are no outcomes on, this is not the outcome queue, or somebody must look. */
const MAX_STRAYS = 10;
/** Messages that are remembered: beyond them, one is taken for known. */
const MAX_REMEMBERED = 100_000;

/** Whether no other ledger will take it. @param now epoch milliseconds, as SQS has them. */
export function isAbandoned({ receiveCount, sentAt }: Message, now: number): boolean {
  return receiveCount > ABANDONED_RECEIVES && now - sentAt > ABANDONED_MS;
}

/** Seconds until a message that is left comes back. @param first after its first receive. */
export function secondsLeft({ receiveCount }: Message, first: number): number {
  return Math.min(MAX_SECONDS, first * 2 ** (receiveCount - 1));
}

export class LeftMessages {
  readonly #ids = new Set<string>();
  /** Receipt handles of what is no outcome, by message id: the latest counts. */
  readonly #strays = new Map<string, string>();

  /** To make what is no outcome visible again to those whose it is. */
  get strays(): readonly string[] {
    return [...this.#strays.values()];
  }

  /** @returns whether the message was not left before. */
  add({ messageId }: Message): boolean {
    if (this.#ids.has(messageId) || this.#ids.size >= MAX_REMEMBERED) return false;
    this.#ids.add(messageId);
    return true;
  }

  /**
   * Counts a message that is no outcome.
   * @returns the error to end with, once there are too many.
   */
  addStray({ messageId, receiptHandle }: Message, fault: string): CommandError | undefined {
    this.#strays.set(messageId, receiptHandle);
    if (this.#strays.size < MAX_STRAYS) return undefined;
    return new CommandError(
      `The queue of OUTCOME_QUEUE_URL holds messages that are no outcomes: ${this.#strays.size} so far, the last is ${printable(messageId)} ` +
        `(${printable(fault)}). They were left there. Set OUTCOME_QUEUE_URL to the queue that workers publish outcomes to, or remove them.`,
    );
  }
}
