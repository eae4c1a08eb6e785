/** The dead letter: original body, original attributes, and one record of why (design 2.3). */
import type { Message, MessageAttribute } from './message.ts';
import { toSqsJson } from './sqs-json.ts';
import type { UpdateIds } from './update.ts';

export type DeadLetterReason = 'Rejected' | 'Invalid' | 'RetriesExhausted' | 'Expiring' | 'InternalError';

export interface DeadLetterError {
  readonly name: string;
  readonly status?: number;
  readonly message: string;
  readonly requestId?: string;
}

/** What the `DeadLetter` attribute holds as JSON. Times are ISO 8601 UTC. */
export interface DeadLetterRecord {
  readonly reason: DeadLetterReason;
  readonly error: DeadLetterError;
  /** Calls made in the last delivery. */
  readonly attempts: number;
  readonly receiveCount: number;
  /** When the message was first sent, also after a redrive. */
  readonly sentAt: string;
  readonly deadLetteredAt: string;
  readonly sourceMessageId: string;
  readonly sourceQueueUrl: string;
  readonly jobId?: string;
  readonly requestId?: string;
  /** How often it was put back before this. */
  readonly redriveCount: number;
}

/** Name of the attribute that carries the record. */
export const DEAD_LETTER_ATTRIBUTE = 'DeadLetter';
/** SQS's limit of attributes per message. */
export const MAX_ATTRIBUTES = 10;

/** A dead letter ready to send, and how much of its record it carries. */
export interface DeadLetter {
  readonly body: string;
  readonly attributes: Readonly<Record<string, MessageAttribute>>;
  readonly record: DeadLetterRecord;
  readonly fit: 'complete' | 'message-cut' | 'optional-dropped' | 'left-off';
  /** The message came with a `DeadLetter` of its own, which this one replaces. */
  readonly replaced: boolean;
}

/** What a redriven message brings along from its former life; empty when it has none that can be read. */
export interface FormerLife {
  readonly sentAt?: string;
  readonly redriveCount?: number;
}

/** Reads what an earlier `DeadLetter` says of the message. Anyone may have written it: only checked values count. */
export function readFormerLife(message: Message): FormerLife {
  const text = message.attributes[DEAD_LETTER_ATTRIBUTE]?.stringValue;
  if (text === undefined) return {};
  try {
    const { sentAt, redriveCount } = JSON.parse(text) as Record<string, unknown>;
    const sent = typeof sentAt === 'string' ? Date.parse(sentAt) : Number.NaN;
    return {
      ...(sent <= message.sentAt && { sentAt: new Date(sent).toISOString() }),
      ...(Number.isSafeInteger(redriveCount) &&
        (redriveCount as number) >= 0 && { redriveCount: redriveCount as number }),
    };
  } catch {
    return {};
  }
}

export interface DeadLetterFacts {
  readonly reason: DeadLetterReason;
  readonly error: DeadLetterError;
  readonly attempts: number;
  readonly ids: UpdateIds;
  readonly sourceQueueUrl: string;
  /** Epoch milliseconds. */
  readonly now: number;
}

/** The record of a message that ends here. */
export function deadLetterRecord(message: Message, facts: DeadLetterFacts): DeadLetterRecord {
  const former = readFormerLife(message);
  const { jobId, requestId } = facts.ids;
  return {
    reason: facts.reason,
    error: facts.error,
    attempts: facts.attempts,
    receiveCount: message.receiveCount,
    sentAt: former.sentAt ?? new Date(message.sentAt).toISOString(),
    deadLetteredAt: new Date(facts.now).toISOString(),
    sourceMessageId: message.messageId,
    sourceQueueUrl: facts.sourceQueueUrl,
    ...(jobId !== undefined && { jobId }),
    ...(requestId !== undefined && { requestId }),
    // Who comes with a record has been put back once more.
    redriveCount: former.redriveCount === undefined ? 0 : former.redriveCount + 1,
  };
}

/**
 * Fits the record to what SQS takes: whole, else with `error.message` cut, else without its optional fields,
 * else left off. The body and the other attributes are never touched.
 * @param maxBytes body and attributes together at most: the dead-letter queue's `MaximumMessageSize`.
 */
export function buildDeadLetter(message: Message, record: DeadLetterRecord, maxBytes: number): DeadLetter {
  const { [DEAD_LETTER_ATTRIBUTE]: former, ...attributes } = message.attributes;
  const replaced = former !== undefined;
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
  const whole = toSqsJson(record);
  if (Buffer.byteLength(whole) <= room) return letter('complete', whole);
  const cut = withMessageCut(record, room);
  if (cut !== undefined) return letter('message-cut', cut);
  const bare = toSqsJson(withoutOptional(record));
  return Buffer.byteLength(bare) <= room ? letter('optional-dropped', bare) : letter('left-off');
}

/** What SQS counts for attributes: name, type and value, in bytes. */
export function attributesBytes(attributes: Readonly<Record<string, MessageAttribute>>): number {
  let bytes = 0;
  for (const [name, { dataType, stringValue, binaryValue }] of Object.entries(attributes)) {
    bytes += Buffer.byteLength(name) + Buffer.byteLength(dataType);
    bytes += stringValue === undefined ? 0 : Buffer.byteLength(stringValue);
    bytes += binaryValue?.byteLength ?? 0;
  }
  return bytes;
}

/** The longest prefix of `error.message` that fits, found by halving; undefined when not even none does. */
function withMessageCut(record: DeadLetterRecord, room: number): string | undefined {
  const text = (length: number): string =>
    toSqsJson({
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

function withoutOptional({ jobId: _, requestId: __, ...record }: DeadLetterRecord): DeadLetterRecord {
  const { name, status } = record.error;
  return { ...record, error: { name, ...(status !== undefined && { status }), message: '' } };
}
