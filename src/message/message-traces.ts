/** Which spans a message comes from. PURE. */
import { readEarlierRecord } from './dead-letter.ts';
import { readPayload } from './envelopes.ts';
import type { Message } from './message.ts';
import { readTraceHeader, readTraceparent, type TraceContext } from './trace-context.ts';

export interface MessageTraces {
  /** In whose trace the work on the message is; undefined: one of its own. */
  readonly parent: TraceContext | undefined;
  /** Of whoever made the message: by its attribute, else by the CloudEvent that it is in; and by X-Ray's header. */
  readonly producers: readonly TraceContext[];
  /** Of the worker that has dead-lettered it before. */
  readonly earlier: TraceContext | undefined;
}

/** What of a message says where it comes from. */
export type TracedMessage = Pick<Message, 'attributes' | 'body'> & {
  readonly traceHeader?: string | undefined;
};

/** Reads the trace contexts of a message. Never throws; what is not well formed is left out. */
export function tracesOf(message: TracedMessage): MessageTraces {
  const { attributes, traceHeader } = message;
  const own =
    readTraceparent(attributes.traceparent?.stringValue, attributes.tracestate?.stringValue) ??
    cloudEventTrace(message.body);
  const header = readTraceHeader(traceHeader);
  const both = own?.traceId === header?.traceId && own?.spanId === header?.spanId;
  const producers = [own, both ? undefined : header].filter((each) => each !== undefined);
  const earlier = readTraceparent(readEarlierRecord(message).traceparent);
  // As a child of one that leaves it open it would count as not sampled.
  const parent = producers.find(({ undecided }) => undecided !== true) ?? earlier;
  return { parent, producers, earlier };
}

/** The extension attributes of CloudEvents' distributed tracing. A body is parsed once more only where it speaks of them. */
function cloudEventTrace(body: string): TraceContext | undefined {
  if (!body.includes('traceparent')) return undefined;
  const payload = readPayload(body);
  return payload.ok ? readTraceparent(payload.traceparent, payload.tracestate) : undefined;
}
