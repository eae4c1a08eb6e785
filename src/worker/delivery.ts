/**
 * One delivery of one message, from its receipt until it is settled or lost.
 *
 *   waiting ─► calling ─► backing-off ─► waiting ...            one round for each attempt
 *                              └───────► on-trial               a 403 that waits for evidence
 *   waiting, calling, backing-off, on-trial ─► publishing       its dead letter or its outcome is being sent
 *   waiting, ..., publishing ─► settling ─► settlement-sent     SQS is asked to delete it or to change its visibility
 *   any state but gone ─► crashed ─► publishing, settling       a bug of ours: it is decided anew what becomes of it
 *   any state ─► gone                                           settled, or the lease is lost
 *
 * An interruption ends what a delivery waits for. How far it reaches says which waits it ends; see {@link Reach}.
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
  /** Its last call failed: until the next attempt, or until it is decided what becomes of it. */
  | 'backing-off'
  | 'on-trial'
  | 'publishing'
  /** Its delete or visibility change waits for others to share a request. */
  | 'settling'
  /** SQS has been asked, and may have done it before its answer arrives. */
  | 'settlement-sent'
  /** A bug of ours interrupted its way. */
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

/** What an interruption ends. Each reaches as far as those before it, and further. */
export type Reach =
  /** Waits for a turn, a permit, a claim, the next attempt or evidence. */
  | 'waiting'
  /** The sending of its dead letter or its outcome. */
  | 'publishing'
  /** A call in flight. */
  | 'call'
  /** Its settlement: the message is not ours any more. */
  | 'everything';

const reaches: readonly Reach[] = ['waiting', 'publishing', 'call', 'everything'];

export class Delivery implements Waiter {
  readonly message: Message;
  readonly check: UpdateCheck;
  readonly ids: UpdateIds;
  /** What was thrown when the message was read, if anything was: a bug of ours. */
  readonly readError: unknown;
  /** When the update was decided on, epoch milliseconds: the newest wins. */
  readonly decidedAt: number;
  /** What its message takes in memory, at most. */
  readonly bytes: number;
  /** undefined: it is not traced. */
  readonly trace: DeliveryTrace | undefined;
  readonly tally: Tally = { attempts: 0, counted: 0, throttledInARow: 0 };
  readonly #cut: AbortController | undefined;
  #state: DeliveryState = 'waiting';
  /** Index of the furthest reach asked for; -1: none. */
  #reached = -1;
  #deferSeconds: number | undefined;
  /** Ends the latest wait; one wait at a time. */
  #cancel: (() => void) | undefined;
  #cancelledFrom = 0;

  /**
   * @param cut aborts this delivery's own call in flight. For FIFO queues only: the call of a message that is somebody
   * else's by now could take effect after that of its successor.
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

  /** Reads the update in `message`. Never throws: a bug in reading it comes out when the delivery is worked on. */
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

  /** The one place where the state changes. Throws for a change that the diagram above does not have. */
  enter(state: DeliveryState): void {
    if (!predecessors[state].includes(this.#state)) {
      throw new Error(`a delivery that is ${this.#state} cannot become ${state}`);
    }
    this.#state = state;
  }

  get gone(): boolean {
    return this.#state === 'gone';
  }

  /** Whether it is decided what becomes of the message: too late to give it up. */
  get decided(): boolean {
    return (
      this.#state === 'publishing' ||
      this.#state === 'settling' ||
      this.#state === 'settlement-sent' ||
      this.#state === 'crashed' ||
      this.#state === 'gone'
    );
  }

  /** SQS has been asked to settle it: a refusal to extend its lease may only mean that it has. */
  get settlementSent(): boolean {
    return this.#state === 'settlement-sent';
  }

  /** Aborts its call in flight, where it has a signal of its own. */
  get signal(): AbortSignal | undefined {
    return this.#cut?.signal;
  }

  get interrupted(): boolean {
    return this.#reached >= 0;
  }

  /** Seconds after which an interrupted delivery is to become visible again; undefined: at once. */
  get deferSeconds(): number | undefined {
    return this.#deferSeconds;
  }

  /**
   * Ends the present wait and all later ones up to `reach`. Of several interruptions the furthest counts, and the
   * first one's `deferSeconds`.
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
   * Lets an interruption that reaches `reach` end `wait`; one that came before ends it at once.
   * @param cancel makes `wait` resolve. It may still be called when `wait` is over, and must then do nothing.
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

/** V8 keeps a text in two bytes for each character when one of them does not fit into one. */
export const BYTES_PER_CHARACTER = 2;

/** What the parts of a message that a producer chooses take in memory, at most. */
export function bytesOf({ body, attributes }: Message): number {
  let bytes = BYTES_PER_CHARACTER * body.length;
  for (const name in attributes) {
    const { stringValue = '', binaryValue } = attributes[name] ?? {};
    bytes += BYTES_PER_CHARACTER * stringValue.length + (binaryValue?.byteLength ?? 0);
  }
  return bytes;
}
