/**
 * Messages that a collector leaves on the outcome queue: those that are no outcomes and, for a while, outcomes of jobs that its
 * ledger does not know, because another ledger may collect from the same queue.
 */
import { CommandError } from '../../errors.ts';
import type { Message } from '../../message/message.ts';
import { printable } from '../../text/printable.ts';

/** Up to this receive count a message becomes visible again within seconds, so that another active ledger gets it soon. */
const SOON_RECEIVES = 12;
const SOON_SECONDS = 10;
/** After that it becomes visible later and later: no ledger is collecting it, and each receive costs a request. */
const MAX_SECONDS = 240;
/** After this age in milliseconds, and that many receives, this ledger keeps an outcome that no ledger has taken. */
const ABANDONED_MS = 3_600_000;
const ABANDONED_RECEIVES = 8;
/** At this many messages that are no outcomes, the queue is not the outcome queue, or a person must look at it. */
const MAX_STRAYS = 10;
/** How many messages are remembered. Beyond that, a message counts as seen before. */
const MAX_REMEMBERED = 100_000;

/** Whether no other ledger will take the message. @param now epoch milliseconds, comparable with the times of SQS. */
export function isAbandoned({ receiveCount, sentAt }: Message, now: number): boolean {
  return receiveCount > ABANDONED_RECEIVES && now - sentAt > ABANDONED_MS;
}

/** Seconds until a message that is left is visible again: random, so that two ledgers do not keep getting the same ones. */
export function secondsLeft({ receiveCount }: Message, random: () => number): number {
  const soon = Math.min(SOON_SECONDS, 2 ** receiveCount);
  const late = SOON_SECONDS * 2 ** (receiveCount - SOON_RECEIVES);
  return Math.ceil((1 - random()) * Math.min(MAX_SECONDS, Math.max(soon, late)));
}

export class LeftMessages {
  readonly #ids = new Set<string>();
  /** Receipt handles of messages that are no outcomes, by message id; the latest handle counts. */
  readonly #strays = new Map<string, string>();

  /** Their receipt handles, to make these messages visible again to their owner. */
  get strays(): readonly string[] {
    return [...this.#strays.values()];
  }

  /** @returns whether the message is left for the first time. */
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
      `The queue of OUTCOME_QUEUE_URL holds messages that are not outcomes: ${this.#strays.size} so far, the last is ${printable(messageId)} ` +
        `(${printable(fault)}). They were left there. Set OUTCOME_QUEUE_URL to the queue that workers publish outcomes to, or remove them.`,
    );
  }
}
