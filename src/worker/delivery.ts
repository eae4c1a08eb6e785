/**
 * One delivery of one message, from its receipt until it is settled or lost.
 *
 *   waiting ─► calling ─► backing-off ─► waiting ...            one round for each attempt
 *                              └───────► on-trial               a 403 that waits for evidence
 *   waiting, calling, backing-off, on-trial ─► publishing       its dead letter or its outcome is being sent
 *   waiting, ..., publishing ─► settling ─► settlement-sent     SQS is asked to delete it or to change its visibility
 *   any state but gone ─► crashed ─► publishing, settling       a bug in this program: its disposition is decided anew
 *   any state ─► gone                                           settled, or the lease is lost
 *
 * An interruption ends what the delivery waits for. Its reach says which waits it ends; see {@link Reach}.
 */
import type { Tally } from '../message/disposition.ts';
import type { Message } from '../message/message.ts';
import { decidedAt, parseMessage } from '../message/parse.ts';
import { idsOf, type UpdateCheck, type UpdateIds } from '../message/update.ts';
import type { Waiter } from '../ota/call.ts';
import type { DeliveryTrace } from './tracing.ts';

export type DeliveryState =
  /** For its turn, a permit or a claim. */
  | 'waiting'
  | 'calling'
  /** Its last call failed: waits for the next attempt, or for the decision on its disposition. */
  | 'backing-off'
  | 'on-trial'
  | 'publishing'
  /** Its delete or visibility change waits for others to share a request. */
  | 'settling'
  /** The request is sent, and SQS may have carried it out before its answer arrives. */
  | 'settlement-sent'
  /** A bug in this program has interrupted the delivery. */
  | 'crashed'
  | 'gone';

const predecessors: Readonly<Record<DeliveryState, readonly DeliveryState[]>> = {
  waiting: ['backing-off'],
  calling: ['waiting'],
  'backing-off': ['calling'],
  'on-trial': ['backing-off'],
  publishing: ['waiting', 'calling', 'backing-off', 'on-trial', 'crashed'],
  settling: ['waiting', 'calling', 'backing-off', 'on-trial', 'publishing', 'crashed'],
  'settlement-sent': ['settling'],
  crashed: ['waiting', 'calling', 'backing-off', 'on-trial', 'publishing', 'settling', 'settlement-sent'],
  gone: [
    'waiting',
    'calling',
    'backing-off',
    'on-trial',
    'publishing',
    'settling',
    'settlement-sent',
    'crashed',
  ],
};

/** What an interruption ends. Each reach includes those listed before it. */
export type Reach =
  /** Waits for a turn, a permit, a claim, the next attempt or evidence. */
  | 'waiting'
  /** The sending of the dead letter or of the outcome. */
  | 'publishing'
  /** A call in flight. */
  | 'call'
  /** The settlement: the message is no longer ours. */
  | 'everything';

const reaches: readonly Reach[] = ['waiting', 'publishing', 'call', 'everything'];

export class Delivery implements Waiter {
  readonly message: Message;
  readonly check: UpdateCheck;
  readonly ids: UpdateIds;
  /** What was thrown while the message was read, if anything: a bug in this program. */
  readonly readError: unknown;
  /** When the update was decided on, epoch milliseconds. The newest update wins. */
  readonly decidedAt: number;
  /** The memory that the message takes, at most. */
  readonly bytes: number;
  /** undefined: not traced. */
  readonly trace: DeliveryTrace | undefined;
  readonly tally: Tally = { attempts: 0, counted: 0, throttledInARow: 0 };
  readonly #cut: AbortController | undefined;
  #state: DeliveryState = 'waiting';
  /** Index of the furthest reach asked for; -1: none. */
  #reached = -1;
  #deferSeconds: number | undefined;
  /** Ends the latest wait. There is only one wait at a time. */
  #cancel: (() => void) | undefined;
  #cancelledFrom = 0;

  /**
   * @param cut aborts this delivery's own call in flight. For FIFO queues only: once another consumer has the message,
   * our call could take effect after the call for its successor.
   */
  constructor(
    message: Message,
    check: UpdateCheck,
    cut?: AbortController,
    readError?: unknown,
    trace?: DeliveryTrace,
  ) {
    this.readError = readError;
    this.message = message;
    this.bytes = bytesOf(message);
    this.check = check;
    this.decidedAt = check.ok ? decidedAt(check, message) : message.sentAt;
    this.ids = idsOf(check);
    this.trace = trace;
    this.#cut = cut;
  }

  /** Reads the update in `message`. Never throws: a bug in reading is thrown when the delivery is worked on. */
  static read(message: Message, cut?: AbortController, trace?: DeliveryTrace): Delivery {
    try {
      return new Delivery(message, parseMessage(message), cut, undefined, trace);
    } catch (error) {
      return new Delivery(message, { ok: false, message: 'not read', ids: {} }, cut, error, trace);
    }
  }

  get state(): DeliveryState {
    return this.#state;
  }

  /** The only place where the state changes. @throws for a change that is not in the diagram above. */
  enter(state: DeliveryState): void {
    if (!predecessors[state].includes(this.#state)) {
      throw new Error(`a delivery that is ${this.#state} cannot become ${state}`);
    }
    this.#state = state;
  }

  get gone(): boolean {
    return this.#state === 'gone';
  }

  /** Whether the disposition is decided: too late to give the message up. */
  get decided(): boolean {
    return (
      this.#state === 'publishing' ||
      this.#state === 'settling' ||
      this.#state === 'settlement-sent' ||
      this.#state === 'crashed' ||
      this.#state === 'gone'
    );
  }

  /** SQS has been asked to settle the message. If it then refuses an extension, it may simply have done so. */
  get settlementSent(): boolean {
    return this.#state === 'settlement-sent';
  }

  /** Aborts the call in flight; undefined if the delivery has no signal of its own. */
  get signal(): AbortSignal | undefined {
    return this.#cut?.signal;
  }

  get interrupted(): boolean {
    return this.#reached >= 0;
  }

  /** Seconds after which an interrupted delivery becomes visible again; undefined: at once. */
  get deferSeconds(): number | undefined {
    return this.#deferSeconds;
  }

  /**
   * Ends the current wait and all later ones up to `reach`. Of several interruptions, the furthest reach counts, and
   * the `deferSeconds` of the first.
   */
  interrupt(reach: Reach, deferSeconds?: number): void {
    if (!this.interrupted) this.#deferSeconds = deferSeconds;
    this.#reached = Math.max(this.#reached, reaches.indexOf(reach));
    if (this.#reached >= reaches.indexOf('call')) this.#cut?.abort();
    if (this.#reached < this.#cancelledFrom) return;
    const cancel = this.#cancel;
    this.#cancel = undefined;
    cancel?.();
  }

  /**
   * Lets an interruption that reaches `reach` end `wait`; an earlier interruption ends it at once.
   * @param cancel makes `wait` resolve. It may be called after `wait` is over, and must then do nothing.
   * @returns `wait`.
   */
  until<T>(reach: Reach, wait: Promise<T>, cancel: () => void): Promise<T> {
    const from = reaches.indexOf(reach);
    if (this.#reached >= from) {
      cancel();
    } else {
      this.#cancel = cancel;
      this.#cancelledFrom = from;
    }
    return wait;
  }

  unlessInterrupted<T>(wait: Promise<T>, cancel: () => void): Promise<T> {
    return this.until('waiting', wait, cancel);
  }

  async sleep(ms: number): Promise<void> {
    if (ms <= 0 || this.interrupted) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, ms);
    await this.until('waiting', promise, () => {
      clearTimeout(timer);
      resolve();
    });
  }
}

/** V8 stores a string with two bytes per character as soon as one character does not fit into one byte. */
export const BYTES_PER_CHARACTER = 2;

/** The memory taken at most by the parts of a message that its producer chooses. */
export function bytesOf({ body, attributes }: Message): number {
  let bytes = BYTES_PER_CHARACTER * body.length;
  for (const name in attributes) {
    const { stringValue = '', binaryValue } = attributes[name] ?? {};
    bytes += BYTES_PER_CHARACTER * stringValue.length + (binaryValue?.byteLength ?? 0);
  }
  return bytes;
}
