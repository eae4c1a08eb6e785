/** One SQS queue, with one method per request. A request that fails as a whole throws; failed entries of a batch are data. */
import {
  ChangeMessageVisibilityBatchCommand,
  DeleteMessageBatchCommand,
  GetQueueAttributesCommand,
  type MessageSystemAttributeName,
  ReceiveMessageCommand,
  SendMessageBatchCommand,
  type SQSClient,
} from '@aws-sdk/client-sqs';
import { ForeignAnswerError } from '../aws/foreign.ts';
import { attachCall, OpenCalls } from '../aws/open-call.ts';
import type { Message } from '../message/message.ts';
import { sqsError } from './answer-error.ts';
import { bodyChecksum, differs, type Received, readReceived } from './convert.ts';
import { entriesIn, failures, sendAnswerOf, toEntry } from './entries.ts';
import { errorFacts, sqsErrorKind, withQueue } from './errors.ts';
import { attachAdmission, keptText } from './middleware.ts';
import type {
  BatchFailure,
  OutgoingMessage,
  QueueAttributes,
  QueueNotice,
  ReceiveOptions,
  SendAnswer,
  VisibilityChange,
} from './types.ts';
import { isFifoUrl } from './urls.ts';

/** The longest poll SQS allows, in seconds. */
export const MAX_WAIT_SECONDS = 20;

/** The attributes that `readReceived` reads. Each one costs time with every message. */
const SYSTEM_ATTRIBUTES: MessageSystemAttributeName[] = [
  'SentTimestamp',
  'ApproximateReceiveCount',
  'ApproximateFirstReceiveTimestamp',
  'MessageGroupId',
  'MessageDeduplicationId',
  'AWSTraceHeader',
  'DeadLetterQueueSourceArn',
];

/** How long a request may take in addition to the time that it asks SQS to wait, in milliseconds. */
export const REQUEST_TIMEOUT_MS = 10_000;

interface Answered<Output> {
  readonly output: Output;
  readonly response: unknown;
}

type Send<Input, Output> = (args: { input: Input }) => Promise<Answered<Output>>;

/** What the SDK's commands have in common. */
interface Command<Input, Output> {
  readonly input: Input & { readonly QueueUrl: string | undefined };
  resolveMiddleware(stack: unknown, config: unknown, options: unknown): Send<Input, Output>;
}

interface RequestBounds {
  /** From now to the last byte of the answer. */
  readonly timeoutMs: number;
  readonly signal?: AbortSignal | undefined;
}

/**
 * A queue by its URL. A method makes one request (except deletes and changes of visibility: see {@link separated}) and throws
 * the SDK's error when that request failed as a whole.
 */
export class Queue {
  readonly url: string;
  readonly fifo: boolean;
  readonly #client: SQSClient;
  readonly #calls = new OpenCalls();
  /** For each kind of command, its resolved middleware: the client's own `send` resolves it for every request. */
  readonly #resolved = new Map<unknown, Send<never, unknown>>();
  #onNotice: (notice: QueueNotice) => void = () => {};

  /** @param client made by `createSqsClient`. With any other, requests cannot be ended early, and messages cannot be read. */
  constructor(client: SQSClient, url: string) {
    this.#client = client;
    this.url = url;
    this.fifo = isFifoUrl(url);
  }

  /** Calls `listener` with every notice from now on. Replaces an earlier listener. */
  onNotice(listener: (notice: QueueNotice) => void): void {
    this.#onNotice = listener;
  }

  /**
   * Receives up to `max` messages (1-10). A faulty message does not affect the others: it has a `fault`, or is left out with
   * a notice. An abort can leave messages already on their way invisible for one visibility timeout.
   */
  async receive({ max, waitSeconds, visibilitySeconds, signal, admit }: ReceiveOptions): Promise<Message[]> {
    const command = new ReceiveMessageCommand({
      QueueUrl: this.url,
      MaxNumberOfMessages: max,
      WaitTimeSeconds: waitSeconds,
      ...(visibilitySeconds !== undefined && { VisibilityTimeout: visibilitySeconds }),
      MessageAttributeNames: ['All'],
      MessageSystemAttributeNames: SYSTEM_ATTRIBUTES,
    });
    if (admit !== undefined) attachAdmission(command, admit);
    const timeoutMs = waitSeconds * 1_000 + REQUEST_TIMEOUT_MS;
    const { response } = await this.#send(command, { timeoutMs, signal });
    const { messages, left } = this.#read(response);
    const alone = messages.length === 0;
    for (const each of left) this.#onNotice({ type: 'message-left', queueUrl: this.url, alone, ...each });
    return messages;
  }

  /** Deletes up to 10 messages. @returns failures by receipt handle. */
  delete(receiptHandles: readonly string[]): Promise<BatchFailure[]> {
    return separated(receiptHandles, String, async (handles) => {
      const command = new DeleteMessageBatchCommand({
        QueueUrl: this.url,
        Entries: handles.map((ReceiptHandle, i) => ({ Id: String(i), ReceiptHandle })),
      });
      const { output } = await this.#send(command, { timeoutMs: REQUEST_TIMEOUT_MS });
      return failures(output, handles);
    });
  }

  /**
   * Sets when up to 10 messages become visible again, in seconds from now; 0 means at once.
   * @param timeoutMs how long the answer may take.
   * @returns failures by receipt handle.
   */
  changeVisibility(
    changes: readonly VisibilityChange[],
    timeoutMs = REQUEST_TIMEOUT_MS,
  ): Promise<BatchFailure[]> {
    return separated(changes, handleOf, async (some) => {
      const command = new ChangeMessageVisibilityBatchCommand({
        QueueUrl: this.url,
        Entries: some.map(({ receiptHandle, seconds }, i) => ({
          Id: String(i),
          ReceiptHandle: receiptHandle,
          VisibilityTimeout: seconds,
        })),
      });
      const { output } = await this.#send(command, { timeoutMs });
      return failures(output, some.map(handleOf));
    });
  }

  /** Sends the messages of one request (see `packRequests`). @returns failures by `key`. */
  async send(messages: readonly OutgoingMessage[]): Promise<BatchFailure[]> {
    return (await this.sendForIds(messages)).failed;
  }

  /** As {@link send}. @returns also the message ids that SQS assigned, by `key`. */
  async sendForIds(messages: readonly OutgoingMessage[]): Promise<SendAnswer> {
    const command = new SendMessageBatchCommand({ QueueUrl: this.url, Entries: messages.map(toEntry) });
    const { output } = await this.#send(command, { timeoutMs: REQUEST_TIMEOUT_MS });
    for (const { Id, MessageId: messageId = '', MD5OfMessageBody } of entriesIn(output.Successful)) {
      const message = messages[Number(Id)];
      // The message is in the queue, whatever the checksum: sending it again would duplicate it.
      if (message !== undefined && differs(MD5OfMessageBody, () => bodyChecksum(message.body)))
        this.#onNotice({ type: 'sent-checksum-differs', queueUrl: this.url, messageId });
    }
    return sendAnswerOf(output, messages);
  }

  /** The queue's settings and counts. Needs `sqs:GetQueueAttributes`. */
  async attributes(signal?: AbortSignal): Promise<QueueAttributes> {
    const command = new GetQueueAttributesCommand({ QueueUrl: this.url, AttributeNames: ['All'] });
    const { output, response } = await this.#send(command, { timeoutMs: REQUEST_TIMEOUT_MS, signal });
    if (output.Attributes === undefined) throw withQueue(new ForeignAnswerError(response), this.url);
    const raw: Record<string, string | undefined> = output.Attributes;
    const number = (name: string): number | undefined =>
      /^\d+$/.test(raw[name] ?? '') ? Number(raw[name]) : undefined;
    return {
      arn: raw.QueueArn,
      fifo: raw.FifoQueue === 'true',
      retentionSeconds: number('MessageRetentionPeriod'),
      visibilitySeconds: number('VisibilityTimeout'),
      maximumMessageBytes: number('MaximumMessageSize'),
      redrivePolicy: raw.RedrivePolicy,
      visible: number('ApproximateNumberOfMessages'),
      notVisible: number('ApproximateNumberOfMessagesNotVisible'),
      delayed: number('ApproximateNumberOfMessagesDelayed'),
      contentBasedDeduplication: raw.ContentBasedDeduplication === 'true',
      createdAt: number('CreatedTimestamp'),
      kmsKeyId: raw.KmsMasterKeyId,
    };
  }

  #read(response: unknown): Received {
    try {
      return readReceived(keptText(response), Date.now(), response);
    } catch (error) {
      throw withQueue(error, this.url);
    }
  }

  /**
   * @throws DeadlineError or an error named `AbortError` when the request was ended early; else the SDK's error.
   * `failedQueue` gives the queue of each.
   */
  #send<Input extends object, Output>(
    command: Command<Input, Output>,
    { timeoutMs, signal }: RequestBounds,
  ): Promise<Answered<Output>> {
    const request = this.#calls.run(timeoutMs, signal, (call) =>
      this.#resolve(command)(attachCall(command, call)),
    );
    return request.catch((error: unknown) => {
      throw withQueue(sqsError(error), this.url);
    });
  }

  /** Resolving takes a tenth of a request's CPU. Cached by queue, because the SDK stores the endpoint with the middleware. */
  #resolve<Input, Output>(command: Command<Input, Output>): Send<Input, Output> {
    const known = this.#resolved.get(command.constructor);
    if (known !== undefined) return known as Send<Input, Output>;
    const { middlewareStack, config } = this.#client;
    const send = command.resolveMiddleware(middlewareStack, config, undefined);
    this.#resolved.set(command.constructor, send);
    return send;
  }
}

const handleOf = ({ receiptHandle }: VisibilityChange): string => receiptHandle;

/**
 * Makes a batch request. If SQS refuses it as a whole for the fault of one entry, which it does not name, a request is made
 * for each entry alone: the others must not wait forever for the faulty one.
 */
async function separated<Item>(
  items: readonly Item[],
  keyOf: (item: Item) => string,
  request: (items: readonly Item[]) => Promise<BatchFailure[]>,
): Promise<BatchFailure[]> {
  try {
    return await request(items);
  } catch (error) {
    const [only] = items;
    if (only === undefined || sqsErrorKind(error) !== 'parcel') throw error;
    if (items.length > 1)
      return (await Promise.all(items.map((item) => separated([item], keyOf, request)))).flat();
    const { name: code, message } = errorFacts(error);
    return [{ key: keyOf(only), senderFault: true, code, message }];
  }
}
