/**
 * Sends messages in batches over several lanes.
 *
 * A lane takes the next batch, sends it until every message in it is sent or refused, and takes another. All lanes stop after
 * their current request when the run is interrupted, or when one of them gives up. On a FIFO queue there is one lane: the next
 * batch waits until the previous one is settled, so that no message overtakes an earlier one of its group.
 */
import { messageOf } from '../errors.ts';
import { attributesBytes } from '../message/dead-letter.ts';
import { partitionBatch, RequestPacker } from '../queue/batch.ts';
import { isUnconfirmed } from '../queue/entries.ts';
import { errorFacts } from '../queue/errors.ts';
import { explainEntry, explainSqsError, type RequestHints } from '../queue/explain.ts';
import { type SendFailure, sendFailureOf } from '../queue/send-failure.ts';
import type { OutgoingMessage, SendAnswer } from '../queue/types.ts';
import { isFifoUrl } from '../queue/urls.ts';
import { type BackoffSettings, fullJitter } from '../time/backoff.ts';

/** The most requests in flight, on a standard queue. */
export const LANES = 8;
/** Tries of one batch, without any progress, before the run gives up. */
export const MAX_TRIES = 6;

const backoff: BackoffSettings = { baseMs: 200, maxMs: 10_000 };

/** What callers of this folder pass to it. */
export interface SendContext {
  /** Makes one request; rejects when it failed as a whole. */
  readonly send: (messages: readonly OutgoingMessage[]) => Promise<SendAnswer>;
  /** Resolves after `ms`, or at once when `signal` aborts. */
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>;
  readonly random: () => number;
  /** Aborts when the user interrupts the run. */
  readonly signal: AbortSignal;
}

export interface SendOptions<Message extends OutgoingMessage> extends SendContext {
  readonly queueUrl: string;
  /** How sentences name the source of the queue's URL. Omitted: as `enqueue` names it. */
  readonly hints?: RequestHints;
  /** Messages that SQS has accepted, and the ids that it assigned, by `key`. */
  readonly onSent?: (messages: readonly Message[], messageIds: SendAnswer['messageIds']) => void;
  /** A message that SQS will never accept. */
  readonly onRefused: (message: Message, reason: string) => void;
  /** Called with the number of messages settled so far. */
  readonly onProgress?: (settled: number) => void;
}

export interface SendResult<Message> {
  readonly sent: number;
  readonly refused: number;
  /** Requests made, including failed ones. */
  readonly requests: number;
  /** The first message, in order, that is not known to be sent. Later ones may have been sent. */
  readonly firstUnsent: Message | undefined;
  /** The last message that a lane has taken. */
  readonly lastTaken: Message | undefined;
  /** Messages that may have arrived after all: the answer to a request was lost, or did not name them. */
  readonly uncertain: ReadonlySet<Message>;
  /** How often a message that may already have arrived was sent again. */
  readonly repeated: number;
  /** Why the run gave up, as a sentence without its full stop. */
  readonly failure: string | undefined;
}

/** Sends all messages. Never rejects because of SQS's answers: the result says how far it came. */
export async function sendMessages<Message extends OutgoingMessage>(
  messages: Iterable<Message> | AsyncIterable<Message>,
  options: SendOptions<Message>,
): Promise<SendResult<Message>> {
  return await new Run(options).send(messages);
}

interface FailedRequest extends SendFailure {
  readonly error: unknown;
}

class Run<Message extends OutgoingMessage> {
  readonly #options: SendOptions<Message>;
  readonly #fifo: boolean;
  readonly #gaveUp = new AbortController();
  readonly #stop: AbortSignal;
  /** What is left of each batch, by its position in the order. */
  readonly #left = new Map<number, readonly Message[]>();
  readonly #uncertain = new Set<Message>();
  /** Messages that were refused in a request of their own, and the refusal. */
  readonly #refusedAlone = new Map<Message, FailedRequest>();
  #batches = 0;
  #sent = 0;
  #refused = 0;
  #requests = 0;
  #repeated = 0;
  #failure: string | undefined;
  #lastTaken: Message | undefined;

  constructor(options: SendOptions<Message>) {
    this.#options = options;
    this.#fifo = isFifoUrl(options.queueUrl);
    this.#stop = AbortSignal.any([options.signal, this.#gaveUp.signal]);
  }

  async send(messages: Iterable<Message> | AsyncIterable<Message>): Promise<SendResult<Message>> {
    const batches = batchesOf(messages, this.#fifo);
    const lanes = Array.from({ length: this.#fifo ? 1 : LANES }, () => this.#lane(batches));
    await Promise.all(lanes);
    if (this.#stop.aborted) {
      const next = await batches.next();
      if (!next.done) this.#left.set(++this.#batches, next.value);
      await batches.return(undefined);
    }
    return {
      sent: this.#sent,
      refused: this.#refused,
      requests: this.#requests,
      firstUnsent: this.#left.get(Math.min(...this.#left.keys()))?.[0],
      lastTaken: this.#lastTaken,
      uncertain: this.#uncertain,
      repeated: this.#repeated,
      failure: this.#failure,
    };
  }

  async #lane(batches: AsyncGenerator<Message[], undefined>): Promise<void> {
    try {
      while (!this.#stop.aborted) {
        const { done, value: batch } = await batches.next();
        if (done) return;
        const number = ++this.#batches;
        this.#lastTaken = batch.at(-1);
        // The whole batch, because the report of refused rows may be unwritable: better sent twice than not at all.
        this.#left.set(number, batch);
        const left = this.#judge(await this.#deliver(batch));
        if (left.length > 0) this.#left.set(number, left);
        else this.#left.delete(number);
      }
    } catch (error) {
      // The input or the report failed: the other lanes finish their batches.
      this.#giveUp(messageOf(error));
    }
  }

  /** Sends until nothing is left, or until the run stops. @returns what is left. */
  async #deliver(batch: readonly Message[]): Promise<readonly Message[]> {
    const { queueUrl, hints, random, sleep } = this.#options;
    let left = batch;
    let tries = 0;
    while (!this.#stop.aborted) {
      tries++;
      const answer = await this.#request(left);
      if ('error' in answer && (answer.kind === 'message' || answer.kind === 'unclear'))
        return await this.#separate(left, answer);
      if ('failed' in answer) {
        const again = this.#settle(left, answer);
        if (again.length === 0) return again;
        if (again.length < left.length) tries = 0;
        left = again;
      }
      const refusal = 'failed' in answer ? answer.failed.find((entry) => !entry.senderFault) : undefined;
      const reason =
        'error' in answer
          ? explainSqsError(answer.error, queueUrl, hints)
          : `SQS did not accept some messages${refusal === undefined ? '' : `: ${explainEntry(refusal, queueUrl, hints)}`}`;
      if ('error' in answer && answer.kind === 'final') this.#giveUp(reason);
      else if (tries >= MAX_TRIES) this.#giveUp(`${reason}, ${MAX_TRIES} times in a row`);
      else await sleep(fullJitter(backoff, tries, random), this.#stop);
    }
    return left;
  }

  async #request(batch: readonly Message[]): Promise<SendAnswer | FailedRequest> {
    this.#requests++;
    this.#repeated += batch.filter((message) => this.#uncertain.has(message)).length;
    try {
      return await this.#options.send(batch);
    } catch (error) {
      const failure = sendFailureOf(error);
      if (failure.mayHaveArrived) for (const message of batch) this.#uncertain.add(message);
      return { ...failure, error };
    }
  }

  /** A request was refused, perhaps because of one unnamed message: sends each alone. @returns what is left. */
  async #separate(batch: readonly Message[], failure: FailedRequest): Promise<readonly Message[]> {
    if (batch.length === 1) {
      for (const message of batch) this.#refusedAlone.set(message, failure);
      return batch;
    }
    const left: Message[] = [];
    for (const message of batch) left.push(...(await this.#deliver([message])));
    return left;
  }

  /**
   * Decides about messages that were refused alone. They are at fault if the code says so or another message was accepted.
   * Otherwise nothing shows that they are, and the run gives up. @returns what is left.
   */
  #judge(left: readonly Message[]): readonly Message[] {
    return left.filter((message) => {
      const failure = this.#refusedAlone.get(message);
      if (failure === undefined) return true;
      const { kind, error } = failure;
      if (kind === 'unclear' && this.#sent === 0) {
        this.#giveUp(explainSqsError(error, this.#options.queueUrl, this.#options.hints));
        return true;
      }
      const { name: code, message: text } = errorFacts(error);
      this.#settle([message], {
        failed: [{ key: message.key, senderFault: true, code, message: text }],
        messageIds: new Map(),
      });
      return false;
    });
  }

  /** @returns the messages to send again. */
  #settle(batch: readonly Message[], { failed, messageIds }: SendAnswer): readonly Message[] {
    const { onSent, onRefused, onProgress } = this.#options;
    const { taken, atFault, again } = partitionBatch(batch, failed, ({ key }) => key);
    for (const message of taken) this.#uncertain.delete(message);
    this.#sent += taken.length;
    onSent?.(taken, messageIds);
    for (const { item, failure } of atFault) {
      this.#uncertain.delete(item);
      onRefused(item, `SQS: ${failure.code} ${failure.message}`.trim());
      this.#refused++;
    }
    onProgress?.(this.#sent + this.#refused);
    for (const { item, failure } of again) if (isUnconfirmed(failure)) this.#uncertain.add(item);
    return again.map(({ item }) => item);
  }

  #giveUp(reason: string): void {
    this.#failure ??= reason;
    this.#gaveUp.abort();
  }
}

/** Batches in order; on a FIFO queue with at most one message of a group (see RequestPacker). */
async function* batchesOf<Message extends OutgoingMessage>(
  messages: Iterable<Message> | AsyncIterable<Message>,
  fifo: boolean,
): AsyncGenerator<Message[], undefined> {
  const packer = new RequestPacker<Message>(({ body, attributes = {}, groupId }) => ({
    bytes: Buffer.byteLength(body) + attributesBytes(attributes),
    group: fifo ? groupId : undefined,
  }));
  for await (const message of messages) {
    const batch = packer.add(message);
    if (batch !== undefined) yield batch;
  }
  const rest = packer.takeRest();
  if (rest.length > 0) yield rest;
}
