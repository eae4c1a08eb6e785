/** Between SQS's shapes and ours. */
import type { MessageAttributeValue, Message as SqsMessage } from '@aws-sdk/client-sqs';
import type { Message, MessageAttribute } from '../message/message.ts';

/**
 * @param receivedAt when the answer arrived, in epoch milliseconds; stands in for a sent time that is missing.
 */
export function fromSqsMessage(message: SqsMessage, receivedAt: number): Message {
  const system: Record<string, string | undefined> = message.Attributes ?? {};
  return {
    messageId: message.MessageId ?? '',
    receiptHandle: message.ReceiptHandle ?? '',
    body: message.Body ?? '',
    attributes: message.MessageAttributes === undefined ? {} : fromSqsAttributes(message.MessageAttributes),
    sentAt: Number(system.SentTimestamp ?? receivedAt),
    receiveCount: Number(system.ApproximateReceiveCount ?? 1),
    receivedAt,
    ...(system.MessageGroupId !== undefined && { groupId: system.MessageGroupId }),
    ...(system.MessageDeduplicationId !== undefined && { deduplicationId: system.MessageDeduplicationId }),
    ...(system.AWSTraceHeader !== undefined && { traceHeader: system.AWSTraceHeader }),
    ...(system.DeadLetterQueueSourceArn !== undefined && {
      deadLetterSourceArn: system.DeadLetterQueueSourceArn,
    }),
  };
}

function fromSqsAttributes(
  attributes: Record<string, MessageAttributeValue>,
): Record<string, MessageAttribute> {
  const entries = Object.entries(attributes).map(([name, value]): [string, MessageAttribute] => [
    name,
    {
      dataType: value.DataType ?? 'String',
      ...(value.StringValue !== undefined && { stringValue: value.StringValue }),
      ...(value.BinaryValue !== undefined && { binaryValue: value.BinaryValue }),
    },
  ]);
  return Object.fromEntries(entries);
}

export function toSqsAttributes(
  attributes: Readonly<Record<string, MessageAttribute>>,
): Record<string, MessageAttributeValue> {
  const entries = Object.entries(attributes).map(([name, value]): [string, MessageAttributeValue] => [
    name,
    {
      DataType: value.dataType,
      ...(value.stringValue !== undefined && { StringValue: value.stringValue }),
      ...(value.binaryValue !== undefined && { BinaryValue: value.binaryValue }),
    },
  ]);
  return Object.fromEntries(entries);
}
