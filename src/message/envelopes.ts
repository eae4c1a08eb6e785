/**
 * The envelopes in which an update may come: an SNS notification, an EventBridge event, a CloudEvent in its JSON format. PURE.
 */
import { parseInstant } from './instant.ts';

/** SNS may carry an EventBridge event or a CloudEvent, or the reverse. */
const MAX_ENVELOPES = 2;

/** The JSON inside a body's envelopes, not checked against the schema; or why there is none. Never throws. */
export function readPayload(body: string): Payload {
  let payload: unknown = body;
  let eventAt: number | undefined;
  let trace: EventTrace = {};
  for (let depth = 0; ; depth++) {
    if (typeof payload === 'string') {
      const json = parseJson(payload);
      if (!json.ok)
        return { ok: false, message: depth === 0 ? json.message : `in the envelope: ${json.message}` };
      payload = json.value;
    }
    const inner = depth < MAX_ENVELOPES ? unwrap(payload) : undefined;
    if (inner === undefined)
      return { ok: true, value: payload, ...(eventAt !== undefined && { eventAt }), ...trace };
    payload = inner.payload;
    if (inner.traceparent !== undefined)
      trace = { traceparent: inner.traceparent, tracestate: inner.tracestate };
    eventAt = earliest(eventAt, parseInstant(inner.time));
  }
}

/** Where an event came from, according to CloudEvents' extension attributes, not checked. */
interface EventTrace {
  readonly traceparent?: unknown;
  readonly tracestate?: unknown;
}

export type Payload =
  | (EventTrace & {
      readonly ok: true;
      readonly value: unknown;
      /** The earliest of the envelopes' times, in epoch milliseconds. */
      readonly eventAt?: number;
    })
  | { readonly ok: false; readonly message: string };

function parseJson(text: string): Payload {
  // Some producers write a byte order mark before it.
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

/** None of these services existed earlier: an earlier time must be wrong, and would make its update older than any other. */
const FIRST_EVENT = Date.UTC(2010, 0);

function earliest(one: number | undefined, other: number | undefined): number | undefined {
  if (other === undefined || other < FIRST_EVENT) return one;
  return one === undefined ? other : Math.min(one, other);
}

type Fields = Readonly<Record<string, unknown>>;

interface Envelope extends EventTrace {
  /** Text is JSON to be parsed again. */
  readonly payload: unknown;
  /** When the event happened, not checked. */
  readonly time: unknown;
}

/** Each returns the content of an envelope of its kind; undefined when the value is no such envelope. */
const kinds: readonly ((fields: Fields) => Envelope | undefined)[] = [
  snsNotification,
  eventBridgeEvent,
  cloudEvent,
];

function unwrap(value: unknown): Envelope | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  for (const kind of kinds) {
    const envelope = kind(value as Fields);
    if (envelope !== undefined) return envelope;
  }
  return undefined;
}

function snsNotification({ Type, Message, Timestamp }: Fields): Envelope | undefined {
  return Type === 'Notification' && typeof Message === 'string'
    ? { payload: Message, time: Timestamp }
    : undefined;
}

function eventBridgeEvent(fields: Fields): Envelope | undefined {
  const { 'detail-type': type, source, detail, time } = fields;
  return typeof type === 'string' && typeof source === 'string' && 'detail' in fields
    ? { payload: detail, time }
    : undefined;
}

/** Structured mode. In binary mode the body is the bare update, and the attributes hold nothing that is needed. */
function cloudEvent(fields: Fields): Envelope | undefined {
  const { specversion, id, source, type, data, data_base64: encoded, time, traceparent, tracestate } = fields;
  const named = [specversion, id, source, type].every((text) => typeof text === 'string');
  if (!named || !String(specversion).startsWith('1.')) return undefined;
  const trace = traceparent === undefined ? {} : { traceparent, tracestate };
  const at = typeof time === 'string' ? time.toUpperCase() : time;
  if ('data' in fields) return { payload: data, time: at, ...trace };
  return typeof encoded === 'string'
    ? { payload: Buffer.from(encoded, 'base64').toString('utf8'), time: at, ...trace }
    : undefined;
}
