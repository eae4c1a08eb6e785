/** What a queue accepts and answers, in this service's own types. */
import type { MessageAttribute } from '../message/message.ts';

export interface ReceiveOptions {
  /** The most messages, 1-10. */
  readonly max: number;
  /** How long SQS waits for messages, in seconds, 0-20. */
  readonly waitSeconds: number;
  /** The visibility timeout. Default: the queue's own. */
  readonly visibilitySeconds?: number;
  readonly signal?: AbortSignal;
  /**
   * Called with the size of a large answer in bytes, before it is read. The answer is read when the promise resolves.
   * If it rejects, the receive fails, and its messages come again when their leases have run out.
   */
  readonly admit?: (bytes: number) => Promise<void>;
}

export interface VisibilityChange {
  readonly receiptHandle: string;
  readonly seconds: number;
}

export interface OutgoingMessage {
  /** The caller's name for the entry, which a failure carries too. It is not sent. */
  readonly key: string;
  readonly body: string;
  readonly attributes?: Readonly<Record<string, MessageAttribute>>;
  readonly groupId?: string;
  readonly deduplicationId?: string;
  readonly traceHeader?: string;
}

/** An entry of a batch that SQS did not carry out. */
export interface BatchFailure {
  /** The receipt handle, or the `key` of an outgoing message. */
  readonly key: string;
  /** The entry itself is at fault, by both SQS's flag and its code: it would be refused again. */
  readonly senderFault: boolean;
  readonly code: string;
  readonly message: string;
}

export interface SendAnswer {
  readonly failed: BatchFailure[];
  /** The ids of the messages that SQS accepted, by `key`. */
  readonly messageIds: ReadonlyMap<string, string>;
}

/** A queue's settings and counts; undefined if the answer held none. */
export interface QueueAttributes {
  readonly arn: string | undefined;
  readonly fifo: boolean;
  readonly retentionSeconds: number | undefined;
  readonly visibilitySeconds: number | undefined;
  readonly maximumMessageBytes: number | undefined;
  /** JSON as SQS gives it. */
  readonly redrivePolicy: string | undefined;
  /** Approximate, like the next two counts. */
  readonly visible: number | undefined;
  readonly notVisible: number | undefined;
  readonly delayed: number | undefined;
  readonly contentBasedDeduplication: boolean;
  /** Epoch seconds. A different time under the same name means a different queue. */
  readonly createdAt: number | undefined;
  /** The KMS key that the queue encrypts with, unless it is SQS's own. */
  readonly kmsKeyId: string | undefined;
}

/** What a queue's answers show besides their content. */
export type QueueNotice =
  /** A message was received that can neither be read nor settled. It is left to SQS, which delivers it again. */
  | {
      readonly type: 'message-left';
      readonly queueUrl: string;
      /** Empty if the message has no id. */
      readonly messageId: string;
      readonly reason: string;
      /** No readable message came with it. */
      readonly alone: boolean;
    }
  /** SQS accepted a message, but answered with a checksum that does not match. The message is not sent again. */
  | { readonly type: 'sent-checksum-differs'; readonly queueUrl: string; readonly messageId: string };
