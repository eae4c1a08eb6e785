/** Whether a letter may be redriven, and as which message. PURE. */
import { hash } from 'node:crypto';
import {
  attributesBytes,
  DEAD_LETTER_ATTRIBUTE,
  MAX_ATTRIBUTES,
  readEarlierRecord,
} from '../../message/dead-letter.ts';
import { readPayload } from '../../message/envelopes.ts';
import type { Message, MessageAttribute } from '../../message/message.ts';
import { decidedAt } from '../../message/parse.ts';
import { checkUpdate, type Update, type UpdateCheck } from '../../message/update.ts';
import type { OutgoingMessage } from '../../queue/types.ts';
import { sameQueueUrl } from '../../queue/urls.ts';
import type { Letter } from '../letters/letter.ts';

/** A letter that was already redriven this many times is redriven again only with `--force`. */
const MAX_REDRIVES = 3;

/** Fields that a redrive may change. Another Identifier would make it another update. Any change renews IssuedAt. */
export const settableFields = ['Description', 'TaskConfigurationId', 'JobId', 'RequestId'] as const;
export type SetFields = Readonly<Partial<Record<(typeof settableFields)[number], string>>>;

export interface RedriveRules {
  readonly set: SetFields;
  readonly force: boolean;
  readonly queueUrl: string;
  /** The source queue's ARN, if it could be read. */
  readonly queueArn: string | undefined;
  readonly fifo: boolean;
  /** Maximum size of body plus attributes on the source queue. */
  readonly maxBytes: number;
  /** Epoch milliseconds: the new `IssuedAt` of a changed update. */
  readonly now: number;
}

export type RedriveDecision =
  | { readonly redrive: true; readonly message: OutgoingMessage; readonly bytes: number }
  /** `why` is one of a few fixed sentences, by which letters are counted. `forcible`: `--force` overrules it. */
  | { readonly redrive: false; readonly why: string; readonly forcible: boolean };

/** Decides about a letter that matches the conditions. */
export function decideRedrive(letter: Letter, rules: RedriveRules): RedriveDecision {
  const changed = Object.keys(rules.set).length > 0;
  const body = changed ? changedBody(letter, rules) : letter.message.body;
  if (typeof body !== 'string') return refuse(`still not valid with --set: ${body.fault}`, false);
  const attributes = withRecord(letter);
  if (!rules.force) {
    const why = objection(letter, rules, changed, attributes);
    if (why !== undefined) return refuse(why, true);
  }
  const kept = attributes ?? letter.message.attributes;
  const bytes = Buffer.byteLength(body) + attributesBytes(kept);
  if (bytes > rules.maxBytes) return refuse(`larger than the queue accepts (${rules.maxBytes} bytes)`, false);
  return { redrive: true, message: toOutgoing(letter, body, kept, rules.fifo), bytes };
}

function refuse(why: string, forcible: boolean): RedriveDecision {
  return { redrive: false, why, forcible };
}

/** Why redriving the letter would be useless or wrong; undefined: no objection. */
function objection(
  letter: Letter,
  { queueUrl, queueArn }: RedriveRules,
  changed: boolean,
  attributes: Letter['message']['attributes'] | undefined,
): string | undefined {
  const { record, message, update, reason, redriveCount } = letter;
  if (record !== undefined && !sameQueueUrl(record.sourceQueueUrl, queueUrl))
    return `came from another queue: ${record.sourceQueueUrl.slice(0, 200)}`;
  const arn = message.deadLetterSourceArn;
  if (arn !== undefined && queueArn !== undefined && arn !== queueArn)
    return `came from another queue: ${arn.slice(0, 200)}`;
  if (redriveCount >= MAX_REDRIVES) return `already put back ${MAX_REDRIVES} times or more`;
  if (!changed && !update.ok) return 'not a valid update: it would come back as Invalid';
  if (!changed && reason === 'Rejected' && redriveCount > 0)
    return 'rejected again after it was put back unchanged';
  if (!changed && attributes === undefined && update.ok && !keepsItsTime(update, message))
    return 'has no IssuedAt and no room for its first sent time: its values could win over newer ones';
  return undefined;
}

/** Whether its decision time stays the same if it is sent again without a record. */
function keepsItsTime(update: Extract<UpdateCheck, { ok: true }>, message: Message): boolean {
  const decided = decidedAt(update, message);
  return decidedAt(update, { ...message, attributes: {}, sentAt: Number.POSITIVE_INFINITY }) === decided;
}

/**
 * The attributes with a record that keeps the first sent time and the first message id, and counts redrives; undefined if there is
 * no room for a record. A worker reads both, and increments the count (`readEarlierRecord`).
 */
function withRecord({ message, record, redriveCount }: Letter): Letter['message']['attributes'] | undefined {
  const former = readEarlierRecord(message);
  const { attributes } = message;
  if (former.redriveCount === redriveCount && former.sentAt !== undefined) return attributes;
  const known = attributes[DEAD_LETTER_ATTRIBUTE] !== undefined;
  if (!known && Object.keys(attributes).length >= MAX_ATTRIBUTES) return undefined;
  const sentAt = former.sentAt ?? new Date(message.sentAt).toISOString();
  // SQS keeps the id of a message that it moves.
  const originalMessageId = former.originalMessageId ?? message.messageId;
  const reason = record && { reason: record.reason };
  const trace = former.traceparent !== undefined && { traceparent: former.traceparent };
  const stringValue = JSON.stringify({ ...reason, sentAt, redriveCount, originalMessageId, ...trace });
  return { ...attributes, [DEAD_LETTER_ATTRIBUTE]: { dataType: 'String', stringValue } };
}

/** The update alone, without its envelope, with the new field values and a new IssuedAt, since it is a new decision. */
function changedBody(letter: Letter, { set, now }: RedriveRules): string | { readonly fault: string } {
  const payload = readPayload(letter.message.body);
  if (!payload.ok) return { fault: payload.message };
  if (typeof payload.value !== 'object' || payload.value === null) return { fault: 'not a JSON object' };
  const value: Partial<Update> = { ...payload.value, ...set, IssuedAt: new Date(now).toISOString() };
  const check = checkUpdate(value, now);
  return check.ok ? JSON.stringify(check.update) : { fault: check.message };
}

function toOutgoing(
  { message, identifier }: Letter,
  body: string,
  attributes: Readonly<Record<string, MessageAttribute>>,
  fifo: boolean,
): OutgoingMessage {
  const changed = body !== message.body;
  return {
    key: message.messageId,
    body,
    attributes,
    ...(message.traceHeader !== undefined && { traceHeader: message.traceHeader }),
    ...(message.groupId !== undefined && { groupId: message.groupId }),
    // A letter that comes back has a new message id, so SQS treats only a repetition of the same move as a duplicate.
    ...(fifo && {
      groupId: message.groupId ?? (identifier ?? message.messageId).slice(0, 128),
      deduplicationId: changed
        ? `${message.messageId}.${hash('sha256', body, 'hex').slice(0, 16)}`
        : message.messageId,
    }),
  };
}
