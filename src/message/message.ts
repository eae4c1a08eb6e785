/** A message of SQS. */
/** A message attribute; exactly one of the two values is present. */
export interface MessageAttribute {
  readonly dataType: string;
  readonly stringValue?: string;
  readonly binaryValue?: Uint8Array;
}

/** One delivery of a message. Times are epoch milliseconds. */
export interface Message {
  readonly messageId: string;
  /** Identifies this delivery in requests to SQS; each redelivery has a different one. */
  readonly receiptHandle: string;
  readonly body: string;
  readonly attributes: Readonly<Record<string, MessageAttribute>>;
  readonly sentAt: number;
  /** How often SQS has delivered the message, from 1. */
  readonly receiveCount: number;
  /** When SQS first delivered it, by SQS's clock; absent if SQS did not say. */
  readonly firstReceivedAt?: number;
  readonly groupId?: string;
  readonly deduplicationId?: string;
  /** X-Ray's trace header. */
  readonly traceHeader?: string;
  /**
   * What could not be read in the message, such as `its attribute "x" cannot be read`. The message did not arrive as it
   * was sent, so no update is taken from it. The fields above hold what could be read.
   */
  readonly fault?: string;
  /** ARN of the queue from which SQS's own redrive policy moved the message. */
  readonly deadLetterSourceArn?: string;
}
