/** Reads an update from a message body: bare, in an SNS notification, or as the detail of an EventBridge event. PURE. */
import { DEAD_LETTER_ATTRIBUTE, readEarlierRecord } from './dead-letter.ts';
import { parseInstant } from './instant.ts';
import type { Message } from './message.ts';
import { checkUpdate, idsOf, type UpdateCheck } from './update.ts';

/** SNS may carry an EventBridge event, or the reverse. */
const MAX_ENVELOPES = 2;

/** The update in a message, or why there is none. Never throws. */
export function parseMessage(message: Message, sentAt = message.sentAt): UpdateCheck {
  const check = parseBody(message.body, sentAt);
  if (message.fault === undefined) return check;
  return { ok: false, message: `the message cannot be read: ${message.fault}`, ids: idsOf(check) };
}

/**
 * Reads the update in a message body.
 * @param body untrusted.
 * @param sentAt when the message was sent, in epoch milliseconds.
 * @returns the update, or why the body is not valid. Never throws.
 */
export function parseBody(body: string, sentAt: number): UpdateCheck {
  const payload = readPayload(body);
  if (!payload.ok) return { ...payload, ids: {} };
  const check = checkUpdate(payload.value, sentAt);
  return check.ok && payload.eventAt !== undefined ? { ...check, eventAt: payload.eventAt } : check;
}

/**
 * When an update was decided on, in epoch milliseconds: its `IssuedAt`, else when its message was first sent, which a
 * redrive keeps (see {@link readEarlierRecord}), else, where that is earlier, when the event around it happened: a replay of
 * EventBridge and a retry of SNS send it anew.
 */
export function decidedAt({ update, eventAt }: Extract<UpdateCheck, { ok: true }>, message: Message): number {
  const issued = update.IssuedAt === undefined ? Number.NaN : Date.parse(update.IssuedAt);
  if (!Number.isNaN(issued)) return issued;
  const sentAt = firstSentAt(message);
  return eventAt === undefined || eventAt >= sentAt ? sentAt : eventAt + withinSecond(eventAt, sentAt);
}

/**
 * EventBridge's times have no fraction of a second. Which of two events of one second came first, the sent times tell: a
 * tenth of how much later one was sent is how much later in its second it was.
 */
function withinSecond(eventAt: number, sentAt: number): number {
  return eventAt % 1_000 === 0 ? Math.min(999, Math.floor((sentAt - eventAt) / 10)) : 0;
}

function firstSentAt(message: Message): number {
  if (message.attributes[DEAD_LETTER_ATTRIBUTE] === undefined) return message.sentAt;
  const { sentAt } = readEarlierRecord(message);
  return sentAt === undefined ? message.sentAt : Date.parse(sentAt);
}

/** The JSON inside a body's envelopes, not checked against the schema; or why there is none. Never throws. */
export function readPayload(body: string): Payload {
  let payload: unknown = body;
  let eventAt: number | undefined;
  for (let depth = 0; ; depth++) {
    if (typeof payload === 'string') {
      const json = parseJson(payload);
      if (!json.ok)
        return { ok: false, message: depth === 0 ? json.message : `in the envelope: ${json.message}` };
      payload = json.value;
    }
    const inner = depth < MAX_ENVELOPES ? unwrap(payload) : undefined;
    if (inner === undefined) return { ok: true, value: payload, ...(eventAt !== undefined && { eventAt }) };
    payload = inner.payload;
    eventAt = earliest(eventAt, parseInstant(inner.time));
  }
}

export type Payload =
  | {
      readonly ok: true;
      readonly value: unknown;
      /** The earliest time of the envelopes, in epoch milliseconds. */
      readonly eventAt?: number;
    }
  | { readonly ok: false; readonly message: string };

function parseJson(text: string): Payload {
  // Some write a byte order mark before it.
  const json = text.startsWith('\uFEFF') ? text.slice(1) : text;
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch {
    // The engine's own message quotes the text, which is untrusted.
    return { ok: false, message: text.trim() === '' ? 'the body is empty' : 'the body is not JSON' };
  }
  return typeof value === 'string' && isJsonObject(value)
    ? { ok: false, message: 'the body is a JSON text inside a JSON string: it was encoded twice' }
    : { ok: true, value };
}

function isJsonObject(text: string): boolean {
  if (!text.trimStart().startsWith('{')) return false;
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

/** Neither service was there before: an earlier time is nobody's, and its update would count as older than any other. */
const FIRST_EVENT = Date.UTC(2010, 0);

function earliest(one: number | undefined, other: number | undefined): number | undefined {
  if (other === undefined || other < FIRST_EVENT) return one;
  return one === undefined ? other : Math.min(one, other);
}

/** The payload of an envelope and its time, or undefined when the value is not one. */
function unwrap(value: unknown): { readonly payload: unknown; readonly time: unknown } | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const envelope = value as Record<string, unknown>;
  if (envelope.Type === 'Notification' && typeof envelope.Message === 'string') {
    return { payload: envelope.Message, time: envelope.Timestamp };
  }
  if (
    typeof envelope['detail-type'] === 'string' &&
    typeof envelope.source === 'string' &&
    'detail' in envelope
  ) {
    return { payload: envelope.detail, time: envelope.time };
  }
  return undefined;
}
