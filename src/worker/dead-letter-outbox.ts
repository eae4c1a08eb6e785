/**
 * The outbox of dead letters: sends, and tells when SQS has confirmed; only then is the source message deleted.
 *
 *   reachable   letters go out in batches as they come
 *   away        the dead-letter queue refuses or is away: everything is kept and tried again with backoff
 */
import { sleep } from '../clock.ts';
import { fullJitter } from '../message/backoff.ts';
import {
  attributesBytes,
  buildDeadLetter,
  type DeadLetter,
  type DeadLetterRecord,
} from '../message/dead-letter.ts';
import type { Disposition } from '../message/disposition.ts';
import type { BatchFailure, OutgoingMessage } from '../queue/types.ts';
import type { Delivery } from './delivery.ts';

export type DeadLetterDisposition = Extract<Disposition, { action: 'dead-letter' }>;

export interface DeadLetterOutboxOptions {
  readonly send: (messages: readonly OutgoingMessage[]) => Promise<BatchFailure[]>;
  readonly record: (delivery: Delivery, disposition: DeadLetterDisposition) => DeadLetterRecord;
  /** What the dead-letter queue takes, and what kind it is. */
  readonly target: () => { readonly maximumMessageBytes: number; readonly fifo: boolean };
  readonly random: () => number;
  /** Aborted when the worker has stopped: nothing is tried again. */
  readonly ended: AbortSignal;
  readonly onSent: (delivery: Delivery, letter: DeadLetter) => void;
  /** SQS finds fault with a letter itself, and nothing is left to leave off; told once per letter. */
  readonly onRefused: (delivery: Delivery, error: unknown) => void;
  readonly onReachable: (reachable: boolean, error?: unknown) => void;
  readonly backoff?: { readonly baseMs: number; readonly maxMs: number };
}

const BATCH = 10;
/** SQS's limit for one request, in bytes. */
const MAX_REQUEST_BYTES = 1_048_576;
const defaultBackoff = { baseMs: 1_000, maxMs: 30_000 };

interface Entry {
  readonly delivery: Delivery;
  readonly then: () => void;
  letter: DeadLetter;
  refused: boolean;
  readonly bytes: number;
}

export class DeadLetterOutbox {
  readonly #options: DeadLetterOutboxOptions;
  readonly #entries = new Map<Delivery, Entry>();
  #sending = false;
  #reachable = true;
  /** One at a time after a request failed as a whole: one letter may be why. */
  #batchSize = BATCH;

  constructor(options: DeadLetterOutboxOptions) {
    this.#options = options;
  }

  get reachable(): boolean {
    return this.#reachable;
  }

  /** Sends the letter of `delivery`, again and again until it is confirmed; then calls `then`. */
  add(delivery: Delivery, disposition: DeadLetterDisposition, then: () => void): void {
    const record = this.#options.record(delivery, disposition);
    const letter = buildDeadLetter(delivery.message, record, this.#options.target().maximumMessageBytes);
    const bytes = Buffer.byteLength(letter.body) + attributesBytes(letter.attributes);
    this.#entries.set(delivery, { delivery, then, letter, refused: false, bytes });
    if (!this.#sending) void this.#sendAll();
  }

  /** Takes back the letter of `delivery`, if it is still here. One already under way may arrive all the same. */
  withdraw(delivery: Delivery): Delivery[] {
    return this.#entries.delete(delivery) ? [delivery] : [];
  }

  withdrawAll(): Delivery[] {
    const deliveries = [...this.#entries.keys()];
    this.#entries.clear();
    return deliveries;
  }

  async #sendAll(): Promise<void> {
    this.#sending = true;
    // Letters decided in the same turn share a request.
    await Promise.resolve();
    for (let failures = 0; this.#entries.size > 0 && !this.#options.ended.aborted; ) {
      const ok = await this.#send(this.#nextBatch());
      failures = ok ? 0 : failures + 1;
      if (!ok) {
        const waitMs = fullJitter(this.#options.backoff ?? defaultBackoff, failures, this.#options.random);
        await sleep(waitMs, this.#options.ended);
      }
    }
    this.#sending = false;
    // With nothing left to send there is nothing to find out by: the next letter will tell.
    this.#setReachable(true);
  }

  #nextBatch(): Entry[] {
    const batch: Entry[] = [];
    let bytes = 0;
    for (const entry of this.#entries.values()) {
      if (batch.length === this.#batchSize || (batch.length > 0 && bytes + entry.bytes > MAX_REQUEST_BYTES))
        break;
      batch.push(entry);
      bytes += entry.bytes;
    }
    return batch;
  }

  async #send(batch: readonly Entry[]): Promise<boolean> {
    let failures: BatchFailure[];
    try {
      failures = await this.#options.send(batch.map((entry) => this.#toMessage(entry)));
    } catch (error) {
      this.#batchSize = 1;
      const [only] = batch;
      if (batch.length === 1 && only !== undefined && blamesLetter(error)) {
        if (this.#leaveOffRecord(only)) return true;
        this.#refuse(only, error);
        return false;
      }
      for (const entry of batch) this.#toEnd(entry);
      this.#setReachable(false, error);
      return false;
    }
    this.#batchSize = BATCH;
    const failed = new Map(failures.map((failure) => [failure.key, failure]));
    let refused: BatchFailure | undefined;
    let stuck = false;
    for (const entry of batch) {
      const failure = failed.get(entry.delivery.message.receiptHandle);
      if (failure === undefined) {
        this.#sent(entry);
      } else if (!failure.senderFault) {
        refused ??= failure;
        this.#toEnd(entry);
      } else if (!this.#leaveOffRecord(entry)) {
        stuck = true;
        this.#refuse(entry, failure);
      }
    }
    this.#setReachable(refused === undefined, refused);
    return refused === undefined && !stuck;
  }

  /** Letters that SQS finds fault with whatever is left off: kept, tried again, and no reason to stop the others. */
  refused(): Delivery[] {
    return [...this.#entries.values()].filter((entry) => entry.refused).map((entry) => entry.delivery);
  }

  #refuse(entry: Entry, error: unknown): void {
    this.#toEnd(entry);
    if (entry.refused) return;
    entry.refused = true;
    this.#options.onRefused(entry.delivery, error);
  }

  #sent(entry: Entry): void {
    // A letter withdrawn meanwhile has arrived all the same: a duplicate, never a loss.
    if (!this.#entries.delete(entry.delivery)) return;
    this.#options.onSent(entry.delivery, entry.letter);
    entry.then();
  }

  /** SQS finds fault with the letter itself: once more without the record, which then stands in the log alone. */
  #leaveOffRecord(entry: Entry): boolean {
    if (entry.letter.fit === 'left-off') return false;
    entry.letter = buildDeadLetter(entry.delivery.message, entry.letter.record, 0);
    return true;
  }

  /** A letter that cannot be sent must not hold up the others. */
  #toEnd(entry: Entry): void {
    if (this.#entries.delete(entry.delivery)) this.#entries.set(entry.delivery, entry);
  }

  #toMessage({ delivery, letter }: Entry): OutgoingMessage {
    const { message } = delivery;
    const { fifo } = this.#options.target();
    return {
      key: message.receiptHandle,
      body: letter.body,
      attributes: letter.attributes,
      ...(message.traceHeader !== undefined && { traceHeader: message.traceHeader }),
      ...(message.groupId !== undefined && { groupId: message.groupId }),
      // A message moved here a second time within five minutes must not be swallowed: its receive count tells it apart.
      ...(fifo && {
        groupId: message.groupId ?? message.messageId,
        deduplicationId: `${message.messageId}.${message.receiveCount}`,
      }),
    };
  }

  #setReachable(reachable: boolean, error?: unknown): void {
    if (reachable === this.#reachable) return;
    this.#reachable = reachable;
    this.#options.onReachable(reachable, error);
  }
}

/** Errors of a whole request that one letter in it can cause. */
const letterFaults: ReadonlySet<string> = new Set([
  'BatchRequestTooLong',
  'InvalidMessageContents',
  'InvalidParameterValue',
  'InvalidParameterCombination',
]);

function blamesLetter(error: unknown): boolean {
  return error instanceof Error && letterFaults.has(error.name);
}
