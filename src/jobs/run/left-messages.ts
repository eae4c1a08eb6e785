/**
 * Messages that a collector leaves on the outcome queue: what is no outcome, and for a while outcomes of jobs that its ledger
 * does not know, because another ledger may collect from the same queue.
 */
import { CommandError } from '../../errors.ts';
import type { Message } from '../../message/message.ts';
import { printable } from '../../text/printable.ts';

/** Until then, what is left comes back within seconds: another ledger that collects now has it soon. */
const SOON_RECEIVES = 12;
const SOON_SECONDS = 10;
/** Afterwards later and later: nobody collects it now, and each receive is a request. */
const MAX_SECONDS = 240;
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

/** Seconds until a message that is left comes back: at random, so that two ledgers do not get the same ones again and again. */
export function secondsLeft({ receiveCount }: Message, random: () => number): number {
  const soon = Math.min(SOON_SECONDS, 2 ** receiveCount);
  const late = SOON_SECONDS * 2 ** (receiveCount - SOON_RECEIVES);
  return Math.ceil((1 - random()) * Math.min(MAX_SECONDS, Math.max(soon, late)));
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
