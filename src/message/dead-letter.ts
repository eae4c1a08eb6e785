/** A dead letter: the original body and attributes, plus one attribute that records why. PURE. */
import { printableJson } from '../text/printable.ts';
import type { DeadLetterError, DeadLetterReason, DeadLetterRecord } from './dead-letter-record.ts';
import { parseInstant } from './instant.ts';
import type { Message, MessageAttribute } from './message.ts';
import { readTraceparent } from './trace-context.ts';
import type { UpdateIds } from './update.ts';

export const DEAD_LETTER_ATTRIBUTE = 'DeadLetter';
/** SQS's limit on attributes per message. */
export const MAX_ATTRIBUTES = 10;

/** A dead letter ready to send. `record` is complete; `fit` says how much of it the attribute holds. */
export interface DeadLetter {
  readonly body: string;
  readonly attributes: Readonly<Record<string, MessageAttribute>>;
  readonly record: DeadLetterRecord;
  readonly fit: 'complete' | 'message-cut' | 'optional-dropped' | 'left-off';
  /** Whether the message came with a `DeadLetter` attribute, which this one replaces. */
  readonly replaced: boolean;
}

/** What the `DeadLetter` attribute of a redriven message says about its past. */
export interface EarlierRecord {
  readonly sentAt?: string;
  readonly redriveCount?: number;
  readonly originalMessageId?: string;
  /** Of the span in which a worker gave the message up. */
  readonly traceparent?: string;
}

/** SQS's ids have 36 characters. */
const MAX_MESSAGE_ID = 100;

/**
 * Reads the `DeadLetter` attribute that a message came with. Anyone may have written it: a field that is invalid, or a
 * sent time later than the message's own, is left out. Never throws.
 */
export function readEarlierRecord(
  message: Pick<Message, 'attributes'> & { readonly sentAt?: number },
): EarlierRecord {
  const text = message.attributes[DEAD_LETTER_ATTRIBUTE]?.stringValue;
  if (text === undefined) return {};
  try {
    const { sentAt, redriveCount, originalMessageId, sourceMessageId, traceparent } = JSON.parse(
      text,
    ) as Record<string, unknown>;
    const original = [originalMessageId, sourceMessageId].find(isMessageId);
    const sent = parseInstant(sentAt);
    return {
      ...(sent !== undefined &&
        sent <= (message.sentAt ?? Number.POSITIVE_INFINITY) && { sentAt: new Date(sent).toISOString() }),
      ...(Number.isSafeInteger(redriveCount) &&
        (redriveCount as number) >= 0 && { redriveCount: redriveCount as number }),
      ...(original !== undefined && { originalMessageId: original }),
      ...(readTraceparent(traceparent) !== undefined && { traceparent: traceparent as string }),
    };
  } catch {
    return {};
  }
}

function isMessageId(value: unknown): value is string {
  return typeof value === 'string' && value !== '' && value.length <= MAX_MESSAGE_ID;
}

export interface DeadLetterFacts {
  readonly reason: DeadLetterReason;
  readonly error: DeadLetterError;
  readonly attempts: number;
  readonly ids: UpdateIds;
  readonly sourceQueueUrl: string;
  /** Epoch milliseconds. */
  readonly now: number;
  /** Of the worker's span for this delivery, if there is one. */
  readonly traceparent?: string | undefined;
}

export function deadLetterRecord(message: Message, facts: DeadLetterFacts): DeadLetterRecord {
  const earlier = readEarlierRecord(message);
  const { jobId, requestId } = facts.ids;
  const traceparent = facts.traceparent ?? earlier.traceparent;
  return {
    reason: facts.reason,
    error: facts.error,
    attempts: facts.attempts,
    receiveCount: message.receiveCount,
    sentAt: earlier.sentAt ?? new Date(message.sentAt).toISOString(),
    deadLetteredAt: new Date(facts.now).toISOString(),
    sourceMessageId: message.messageId,
    ...(earlier.originalMessageId !== undefined && { originalMessageId: earlier.originalMessageId }),
    sourceQueueUrl: facts.sourceQueueUrl,
    ...(jobId !== undefined && { jobId }),
    ...(requestId !== undefined && { requestId }),
    // A message with a record has been redriven once more since that record was written.
    redriveCount: earlier.redriveCount === undefined ? 0 : earlier.redriveCount + 1,
    ...(traceparent !== undefined && { traceparent }),
  };
}

/**
 * Makes the record fit SQS's limits: complete, else with `error.message` cut, else without its optional fields, else
 * omitted. The body and the other attributes stay as they are.
 * @param maxBytes limit on body and attributes together: the dead-letter queue's `MaximumMessageSize`.
 */
export function buildDeadLetter(message: Message, record: DeadLetterRecord, maxBytes: number): DeadLetter {
  const { [DEAD_LETTER_ATTRIBUTE]: earlier, ...attributes } = message.attributes;
  const replaced = earlier !== undefined;
  const letter = (fit: DeadLetter['fit'], value?: string): DeadLetter => ({
    body: message.body,
    attributes:
      value === undefined
        ? attributes
        : { ...attributes, [DEAD_LETTER_ATTRIBUTE]: { dataType: 'String', stringValue: value } },
    record,
    fit,
    replaced,
  });
  if (Object.keys(attributes).length >= MAX_ATTRIBUTES) return letter('left-off');
  const taken = Buffer.byteLength(message.body) + attributesBytes(attributes);
  const room = maxBytes - taken - DEAD_LETTER_ATTRIBUTE.length - 'String'.length;
  const whole = printableJson(record);
  if (Buffer.byteLength(whole) <= room) return letter('complete', whole);
  const cut = withMessageCut(record, room);
  if (cut !== undefined) return letter('message-cut', cut);
  const bare = printableJson(withoutOptional(record));
  return Buffer.byteLength(bare) <= room ? letter('optional-dropped', bare) : letter('left-off');
}

/** Bytes of attributes as SQS counts them: name, type and value. */
export function attributesBytes(attributes: Readonly<Record<string, MessageAttribute>>): number {
  let bytes = 0;
  for (const [name, { dataType, stringValue, binaryValue }] of Object.entries(attributes)) {
    bytes += Buffer.byteLength(name) + Buffer.byteLength(dataType);
    bytes += stringValue === undefined ? 0 : Buffer.byteLength(stringValue);
    bytes += binaryValue?.byteLength ?? 0;
  }
  return bytes;
}

/**
 * The record with the longest prefix of `error.message` that fits; undefined when even an empty message does not fit.
 */
function withMessageCut(record: DeadLetterRecord, room: number): string | undefined {
  const text = (length: number): string =>
    printableJson({
      ...record,
      error: { ...record.error, message: `${record.error.message.slice(0, length)}…` },
    });
  let low = 0;
  let high = record.error.message.length;
  if (high === 0 || Buffer.byteLength(text(0)) > room) return undefined;
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if (Buffer.byteLength(text(middle)) <= room) low = middle;
    else high = middle - 1;
  }
  return text(low);
}

function withoutOptional({
  jobId: _,
  requestId: __,
  traceparent: ___,
  ...record
}: DeadLetterRecord): DeadLetterRecord {
  const { name, status } = record.error;
  return { ...record, error: { name, ...(status !== undefined && { status }), message: '' } };
}
