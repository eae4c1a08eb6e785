/** What a queue accepts and answers, in this service's own types. */
import type { MessageAttribute } from '../message/message.ts';

export interface ReceiveOptions {
  /** Messages at most, 1-10. */
  readonly max: number;
  /** 0-20. */
  readonly waitSeconds: number;
  /** The visibility timeout; default: the queue's own. */
  readonly visibilitySeconds?: number;
  readonly signal?: AbortSignal;
  /**
   * Called with the size of a large answer before it is read, in bytes. It is read when the promise resolves; when that
   * rejects, the receive fails, and its messages come again when their leases have run out.
   */
  readonly admit?: (bytes: number) => Promise<void>;
}

export interface VisibilityChange {
  readonly receiptHandle: string;
  readonly seconds: number;
}

export interface OutgoingMessage {
  /** The caller's name of the entry: a failure has it too. It is not sent. */
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
  /** The entry itself is at fault, by SQS's flag and by its code: it would be refused again. */
  readonly senderFault: boolean;
  readonly code: string;
  readonly message: string;
}

export interface SendAnswer {
  readonly failed: BatchFailure[];
  /** The ids of the messages that SQS accepted, by `key`. */
  readonly messageIds: ReadonlyMap<string, string>;
}

/** A queue's settings and counts; undefined where the answer held none. */
export interface QueueAttributes {
  readonly arn: string | undefined;
  readonly fifo: boolean;
  readonly retentionSeconds: number | undefined;
  readonly visibilitySeconds: number | undefined;
  readonly maximumMessageBytes: number | undefined;
  /** JSON as SQS gives it. */
  readonly redrivePolicy: string | undefined;
  /** The three counts are approximate. */
  readonly visible: number | undefined;
  readonly notVisible: number | undefined;
  readonly delayed: number | undefined;
  readonly contentBasedDeduplication: boolean;
  /** Epoch seconds: another time under the same name is another queue. */
  readonly createdAt: number | undefined;
  /** The KMS key that the queue encrypts with, where it is not SQS's own. */
  readonly kmsKeyId: string | undefined;
}

/** What is to be known of a queue's answers besides their content. */
export type QueueNotice =
  /** It was received, and can neither be read nor settled: it is left to SQS, which delivers it again. */
  | {
      readonly type: 'message-left';
      readonly queueUrl: string;
      /** Empty where it has none. */
      readonly messageId: string;
      readonly reason: string;
      /** No message that can be read came with it. */
      readonly alone: boolean;
    }
  /** SQS has accepted a message, and answered with a checksum that is not the message's: it is not sent again. */
  | { readonly type: 'sent-checksum-differs'; readonly queueUrl: string; readonly messageId: string };
