/** What a queue takes and answers, in this service's own words. */
import type { MessageAttribute } from '../message/message.ts';

export interface ReceiveOptions {
  /** Messages at most, 1-10. */
  readonly max: number;
  /** 0-20. */
  readonly waitSeconds: number;
  /** The lease asked for; the queue's own when omitted. */
  readonly visibilitySeconds?: number;
  readonly signal?: AbortSignal;
}

export interface VisibilityChange {
  readonly receiptHandle: string;
  readonly seconds: number;
}

export interface OutgoingMessage {
  /** The caller's name of the entry, given back in a failure; not sent. */
  readonly key: string;
  readonly body: string;
  readonly attributes?: Readonly<Record<string, MessageAttribute>>;
  readonly groupId?: string;
  readonly deduplicationId?: string;
  readonly traceHeader?: string;
}

/** One entry of a batch that SQS did not carry out. */
export interface BatchFailure {
  /** The receipt handle, or the `key` of an outgoing message. */
  readonly key: string;
  /** True: the entry itself is at fault, and trying it again is no use. */
  readonly senderFault: boolean;
  readonly code: string;
  readonly message: string;
}

export interface SendAnswer {
  readonly failed: BatchFailure[];
  /** What SQS calls the messages that it took, by `key`. */
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
}
