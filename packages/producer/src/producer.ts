/** Sends updates. It stands on the worker's own modules: its check, its batches, its reading of SQS's errors, its backoff. */
import { randomUUID } from 'node:crypto';
import { setTimeout } from 'node:timers/promises';
import { SendMessageBatchCommand, type SQSClient } from '@aws-sdk/client-sqs';
import { checkUpdate } from '../../../src/message/update.ts';
import { sqsError } from '../../../src/queue/answer-error.ts';
import { sendAnswerOf, toEntry } from '../../../src/queue/entries.ts';
import type { RequestHints } from '../../../src/queue/explain.ts';
import type { OutgoingMessage, SendAnswer } from '../../../src/queue/types.ts';
import { isFifoUrl } from '../../../src/queue/urls.ts';
import { toMessage } from '../../../src/sending/messages.ts';
import { sendMessages } from '../../../src/sending/send.ts';
import { traceParts } from './trace.ts';
import type { SendOptions, SendReport, Update, UpdateResult } from './types.ts';

export interface ProducerOptions {
  /** Yours: its region, credentials and endpoint count, and you close it. */
  readonly client: SQSClient;
  readonly queueUrl: string;
  /** Epoch milliseconds. Default: the system's clock. */
  readonly now?: () => number;
  /** Uniform in [0, 1). Default: `Math.random`. */
  readonly random?: () => number;
  /** Resolves after so many milliseconds, or at once when the signal aborts. Default: a timer. */
  readonly sleep?: (ms: number, signal: AbortSignal) => Promise<void>;
}

const hints: RequestHints = { setting: 'queueUrl', permission: 'sqs:SendMessage', does: 'send' };

/** Sends updates to one queue. */
export class UpdateProducer {
  readonly #client: SQSClient;
  readonly #queueUrl: string;
  readonly #now: () => number;
  readonly #random: () => number;
  readonly #sleep: (ms: number, signal: AbortSignal) => Promise<void>;

  constructor({ client, queueUrl, now = Date.now, random = Math.random, sleep = pause }: ProducerOptions) {
    this.#client = client;
    this.#queueUrl = queueUrl;
    this.#now = now;
    this.#random = random;
    this.#sleep = sleep;
  }

  /**
   * Checks each update, and sends the valid ones, ten and 1 MiB to a request at most, eight requests at once; on a FIFO queue
   * one after the other. What SQS did not take for no fault of its own is sent again after a backoff with full jitter, six
   * times without progress at most.
   *
   * At least once: an update whose answer was lost is sent again. On a standard queue the order is nobody's: give `IssuedAt`
   * where two updates set the same field of one task.
   * @returns what became of each. Never rejects for what SQS answers, or for an update that is not valid.
   */
  async send(updates: Iterable<Update>, options: SendOptions = {}): Promise<SendReport> {
    const { signal = new AbortController().signal, sendId = randomUUID() } = options;
    const fifo = isFifoUrl(this.#queueUrl);
    const results: UpdateResult[] = [];
    const messages: OutgoingMessage[] = [];
    for (const [index, update] of [...updates].entries()) {
      const check = checkUpdate(update, this.#now());
      results.push(unsent);
      if (check.ok) {
        const message = toMessage(check.update, { key: String(index), fifo, run: sendId });
        messages.push({ ...message, ...partsOfTrace(options, check.update, index) });
      } else results[index] = { status: 'refused', reason: check.message };
    }
    const { requests, failure, uncertain } = await sendMessages(messages, {
      queueUrl: this.#queueUrl,
      hints,
      signal,
      random: this.#random,
      sleep: this.#sleep,
      send: (batch) => this.#request(batch),
      onSent: (sent, messageIds) => {
        for (const { key } of sent)
          results[Number(key)] = { status: 'sent', messageId: messageIds.get(key) ?? '' };
      },
      onRefused: ({ key }, reason) => {
        results[Number(key)] = { status: 'refused', reason };
      },
    });
    for (const { key } of uncertain) results[Number(key)] = { status: 'unsent', mayHaveArrived: true };
    const count = (status: UpdateResult['status']): number =>
      results.filter((result) => result.status === status).length;
    return {
      results,
      sent: count('sent'),
      refused: count('refused'),
      unsent: count('unsent'),
      requests,
      ...(failure !== undefined && { failure }),
    };
  }

  async #request(batch: readonly OutgoingMessage[]): Promise<SendAnswer> {
    const command = new SendMessageBatchCommand({ QueueUrl: this.#queueUrl, Entries: batch.map(toEntry) });
    let read: object | undefined;
    command.middlewareStack.add(
      (next) => async (args) => {
        const result = await next(args);
        read = result.output;
        return result;
      },
      { step: 'initialize', priority: 'low', name: 'keepAnswer' },
    );
    const output = await this.#client.send(command).catch((error: unknown) => {
      // For one checksum that does not match the SDK throws the whole answer away: what SQS has accepted is there all the same.
      if (read === undefined) throw sqsError(error);
      return read;
    });
    return sendAnswerOf(output, batch);
  }
}

const unsent: UpdateResult = { status: 'unsent', mayHaveArrived: false };

/** Where anything of the trace throws, there is none to go on with. */
function partsOfTrace(options: SendOptions, update: Update, index: number): ReturnType<typeof traceParts> {
  try {
    const { trace } = options;
    return traceParts(typeof trace === 'function' ? trace(update, index) : trace);
  } catch {
    return {};
  }
}

async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await setTimeout(ms, undefined, { signal }).catch(() => undefined);
}
