/** From a message body to an update: bare, inside an SNS notification, or as the detail of an EventBridge event. */
import { checkUpdate, type UpdateCheck } from './update.ts';

/** SNS may carry an EventBridge event, or the reverse; deeper nesting is nobody's envelope. */
const MAX_ENVELOPES = 2;

/**
 * Reads the update out of a message body.
 * @param body the body as SQS gave it; hostile until checked.
 * @param sentAt when the message was sent, in epoch milliseconds.
 * @returns the update, or why it is none. Never throws.
 */
export function parseBody(body: string, sentAt: number): UpdateCheck {
  const payload = readPayload(body);
  return payload.ok ? checkUpdate(payload.value, sentAt) : { ...payload, ids: {} };
}

/** What a body holds once its envelopes are taken off, not checked yet; or why it holds nothing. Never throws. */
export function readPayload(body: string): Json {
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

export type Json =
  | { readonly ok: true; readonly value: unknown }
  | { readonly ok: false; readonly message: string };

function parseJson(text: string): Json {
  try {
    return { ok: true, value: JSON.parse(text) };
  } catch {
    // The engine's own message quotes the text, which is hostile.
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
