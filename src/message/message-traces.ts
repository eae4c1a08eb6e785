/** Which spans a message comes from. PURE. */
import { readEarlierRecord } from './dead-letter.ts';
import { readPayload } from './envelopes.ts';
import type { Message } from './message.ts';
import { readTraceHeader, readTraceparent, type TraceContext } from './trace-context.ts';

export interface MessageTraces {
  /** The trace to which the work on the message belongs; undefined: its own. */
  readonly parent: TraceContext | undefined;
  /**
   * The spans of the message's producers: from its attribute, else from the CloudEvent around it; and from X-Ray's header.
   */
  readonly producers: readonly TraceContext[];
  /** Of the worker that dead-lettered the message before. */
  readonly earlier: TraceContext | undefined;
}

/** The parts of a message that show where it comes from. */
export type TracedMessage = Pick<Message, 'attributes' | 'body'> & {
  readonly traceHeader?: string | undefined;
};

/** Reads the trace contexts of a message. Never throws; malformed ones are left out. */
export function tracesOf(message: TracedMessage): MessageTraces {
  const { attributes, traceHeader } = message;
  const own =
    readTraceparent(attributes.traceparent?.stringValue, attributes.tracestate?.stringValue) ??
    cloudEventTrace(message.body);
  const header = readTraceHeader(traceHeader);
  const both = own?.traceId === header?.traceId && own?.spanId === header?.spanId;
  const producers = [own, both ? undefined : header].filter((each) => each !== undefined);
  const earlier = readTraceparent(readEarlierRecord(message).traceparent);
  // A span below a context with an open sampling decision would count as not sampled.
  const parent = producers.find(({ undecided }) => undecided !== true) ?? earlier;
  return { parent, producers, earlier };
}

/** The extension attributes of CloudEvents' distributed tracing. A body is parsed once more only if it mentions them. */
function cloudEventTrace(body: string): TraceContext | undefined {
  if (!body.includes('traceparent')) return undefined;
  const payload = readPayload(body);
  return payload.ok ? readTraceparent(payload.traceparent, payload.tracestate) : undefined;
}
