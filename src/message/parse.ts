/** Reads an update from a message body: bare, in an SNS notification, or as the detail of an EventBridge event. PURE. */
import { DEAD_LETTER_ATTRIBUTE, readEarlierRecord } from './dead-letter.ts';
import type { Message } from './message.ts';
import { checkUpdate, idsOf, type Update, type UpdateCheck } from './update.ts';

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
  return payload.ok ? checkUpdate(payload.value, sentAt) : { ...payload, ids: {} };
}

/**
 * When an update was decided on, in epoch milliseconds: its `IssuedAt`, else when its message was first sent, which a
 * redrive keeps (see {@link readEarlierRecord}).
 */
export function decidedAt({ IssuedAt }: Update, message: Message): number {
  const issued = IssuedAt === undefined ? Number.NaN : Date.parse(IssuedAt);
  if (!Number.isNaN(issued)) return issued;
  if (message.attributes[DEAD_LETTER_ATTRIBUTE] === undefined) return message.sentAt;
  const { sentAt } = readEarlierRecord(message);
  return sentAt === undefined ? message.sentAt : Date.parse(sentAt);
}

/** The JSON inside a body's envelopes, not checked against the schema; or why there is none. Never throws. */
export function readPayload(body: string): Payload {
  let payload: unknown = body;
  for (let depth = 0; ; depth++) {
    if (typeof payload === 'string') {
      const json = parseJson(payload);
      if (!json.ok)
        return { ok: false, message: depth === 0 ? json.message : `in the envelope: ${json.message}` };
      payload = json.value;
    }
    const inner = depth < MAX_ENVELOPES ? unwrap(payload) : undefined;
    if (inner === undefined) return { ok: true, value: payload };
    payload = inner.payload;
  }
}

export type Payload =
  | { readonly ok: true; readonly value: unknown }
  | { readonly ok: false; readonly message: string };

function parseJson(text: string): Payload {
  try {
    return { ok: true, value: JSON.parse(text) };
  } catch {
    // The engine's own message quotes the text, which is untrusted.
    return { ok: false, message: text.trim() === '' ? 'the body is empty' : 'the body is not JSON' };
  }
}

/** The payload of an envelope, or undefined when the value is not one. */
function unwrap(value: unknown): { readonly payload: unknown } | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const envelope = value as Record<string, unknown>;
  if (envelope.Type === 'Notification' && typeof envelope.Message === 'string') {
    return { payload: envelope.Message };
  }
  if (
    typeof envelope['detail-type'] === 'string' &&
    typeof envelope.source === 'string' &&
    'detail' in envelope
  ) {
    return { payload: envelope.detail };
  }
  return undefined;
}
