/**
 * Converts between SQS's data shapes and ours. SQS's answers are read message by message, so that a fault in one message
 * does not affect the others.
 */
import { hash } from 'node:crypto';
import type { MessageAttributeValue } from '@aws-sdk/client-sqs';
import { ForeignAnswerError } from '../aws/foreign.ts';
import type { Message, MessageAttribute } from '../message/message.ts';
import { attributesChecksum } from './checksums.ts';

/**
 * A received message that cannot be handled: SQS could not be told which one it is, or it did not arrive as it was sent.
 */
interface LeftMessage {
  /** Empty if the message has no id that is text. */
  readonly messageId: string;
  readonly reason: string;
}

export interface Received {
  readonly messages: Message[];
  readonly left: readonly LeftMessage[];
}

type Fields = Readonly<Record<string, unknown>>;

/**
 * Reads the answer to a receive.
 *
 * The SDK's reader is not used: it loses the value of an attribute named `__proto__`, which SQS allows, and rejects the
 * whole answer for one malformed value.
 * @param text JSON.
 * @param receivedAt when the answer arrived, in epoch milliseconds; replaces a missing sent time.
 * @param response the answer's status and headers, for the error.
 * @throws ForeignAnswerError when the answer as a whole is not an answer to a receive.
 */
export function readReceived(text: string, receivedAt: number, response?: unknown): Received {
  const list = messagesOf(text);
  if (list === undefined) throw new ForeignAnswerError(response);
  const messages: Message[] = [];
  const left: LeftMessage[] = [];
  for (const value of list) {
    const read = readMessage(asFields(value) ?? {}, receivedAt);
    if ('reason' in read) left.push(read);
    else messages.push(read);
  }
  return { messages, left };
}

function messagesOf(text: string): readonly unknown[] | undefined {
  // SQS's answer when there is no message.
  if (text === '') return [];
  let answer: Fields | undefined;
  try {
    answer = asFields(JSON.parse(text));
  } catch {
    return undefined;
  }
  const list = answer?.Messages ?? [];
  return answer !== undefined && Array.isArray(list) ? list : undefined;
}

function readMessage(fields: Fields, receivedAt: number): Message | LeftMessage {
  const { MessageId, ReceiptHandle, Body } = fields;
  const messageId = typeof MessageId === 'string' ? MessageId : '';
  if (messageId === '') return { messageId, reason: 'it has no id' };
  if (typeof ReceiptHandle !== 'string' || ReceiptHandle === '')
    return { messageId, reason: 'it has no receipt handle' };
  if (typeof Body !== 'string') return { messageId, reason: 'it has no body' };
  if (differs(fields.MD5OfBody, () => bodyChecksum(Body)))
    return { messageId, reason: 'the checksum of its body does not match' };
  const { attributes, fault } = readAttributes(fields.MessageAttributes);
  if (fault === undefined && differs(fields.MD5OfMessageAttributes, () => attributesChecksum(attributes)))
    return { messageId, reason: 'the checksum of its attributes does not match' };
  const system = asFields(fields.Attributes) ?? {};
  // Without it, the update's age and order are unknown: treated as new, it would overwrite newer values.
  const sentAt = readTime(system.SentTimestamp);
  const why = fault ?? (sentAt === undefined ? 'its sent time is not a time' : undefined);
  const firstReceivedAt = readTime(system.ApproximateFirstReceiveTimestamp);
  return {
    messageId,
    receiptHandle: ReceiptHandle,
    body: Body,
    attributes,
    sentAt: sentAt ?? receivedAt,
    receiveCount: readCount(system.ApproximateReceiveCount),
    ...(why !== undefined && { fault: why }),
    ...optional('groupId', system.MessageGroupId),
    ...optional('deduplicationId', system.MessageDeduplicationId),
    ...optional('traceHeader', system.AWSTraceHeader),
    ...optional('deadLetterSourceArn', system.DeadLetterQueueSourceArn),
    ...(firstReceivedAt !== undefined && { firstReceivedAt }),
  };
}

/** The MD5 sum of a body; undefined if MD5 is unavailable: OpenSSL in FIPS mode. */
export function bodyChecksum(body: string): string | undefined {
  try {
    return hash('md5', body, 'hex');
  } catch {
    return undefined;
  }
}

/** Whether a received checksum differs from `ours`. A missing one, and one that cannot be computed, prove nothing. */
export function differs(theirs: unknown, ours: () => string | undefined): boolean {
  if (theirs === undefined || theirs === null) return false;
  const sum = ours();
  return sum !== undefined && sum !== theirs;
}

const none = {};

/** The attributes that can be read. `fault` names one that cannot. */
function readAttributes(value: unknown): {
  readonly attributes: Readonly<Record<string, MessageAttribute>>;
  readonly fault?: string;
} {
  if (value === undefined || value === null) return { attributes: none };
  const fields = asFields(value);
  if (fields === undefined) return { attributes: none, fault: 'its attributes cannot be read' };
  let fault: string | undefined;
  const entries: [string, MessageAttribute][] = [];
  for (const [name, each] of Object.entries(fields)) {
    const attribute = readAttribute(asFields(each) ?? {});
    if (attribute === undefined) fault = `its attribute ${JSON.stringify(name.slice(0, 256))} cannot be read`;
    else entries.push([name, attribute]);
  }
  // Creates an own property for each attribute, even for `__proto__`.
  return { attributes: Object.fromEntries(entries), ...(fault !== undefined && { fault }) };
}

function readAttribute({ DataType, StringValue, BinaryValue }: Fields): MessageAttribute | undefined {
  if (typeof DataType !== 'string' || DataType === '') return undefined;
  if (/^Binary(\.|$)/.test(DataType)) {
    const binaryValue = typeof BinaryValue === 'string' ? readBase64(BinaryValue) : undefined;
    return binaryValue && { dataType: DataType, binaryValue };
  }
  return typeof StringValue === 'string' ? { dataType: DataType, stringValue: StringValue } : undefined;
}

function readBase64(value: string): Uint8Array | undefined {
  const bytes = Buffer.from(value, 'base64');
  return bytes.toString('base64') === value ? new Uint8Array(bytes) : undefined;
}

/** The latest time of a Date, in epoch milliseconds. */
const MAX_TIME = 8.64e15;

function readTime(value: unknown): number | undefined {
  const time = /^\d+$/.test(asText(value)) ? Number(value) : Number.NaN;
  return time <= MAX_TIME ? time : undefined;
}

/** 1 if the value makes no sense, so that nothing is given up for having been received too often. */
function readCount(value: unknown): number {
  const count = Number(asText(value));
  return Number.isSafeInteger(count) && count > 1 ? count : 1;
}

/** Text and numbers as text, anything else as '': a list or an object may have its own conversion that throws. */
function asText(value: unknown): string {
  return typeof value === 'string' || typeof value === 'number' ? String(value) : '';
}

function optional<Name extends string>(name: Name, value: unknown): { readonly [Each in Name]?: string } {
  return typeof value === 'string' ? ({ [name]: value } as { [Each in Name]: string }) : none;
}

function asFields(value: unknown): Fields | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Fields) : undefined;
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
