/** The SQS envelope as the worker sees it. */

/** A message attribute as SQS defines it; exactly one of the two values is present. */
export interface MessageAttribute {
  readonly dataType: string;
  readonly stringValue?: string;
  readonly binaryValue?: Uint8Array;
}

/** One message of one delivery. Times are epoch milliseconds. */
export interface Message {
  readonly messageId: string;
  /** Names this delivery; the key of everything done to it (a redelivery has another). */
  readonly receiptHandle: string;
  readonly body: string;
  readonly attributes: Readonly<Record<string, MessageAttribute>>;
  readonly sentAt: number;
  /** How often SQS has handed the message out, this time included; 1 is the first. */
  readonly receiveCount: number;
  readonly receivedAt: number;
  readonly groupId?: string;
  readonly deduplicationId?: string;
  /** X-Ray's trace header, passed on to a dead letter. */
  readonly traceHeader?: string;
  /** On a dead-letter queue: the queue it was moved from by SQS's own redrive policy, as an ARN. */
  readonly deadLetterSourceArn?: string;
}
