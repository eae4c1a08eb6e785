/** Trace context as a message carries it. PURE. */
import type { OutgoingMessage } from '../../../src/queue/types.ts';
import type { TraceContext } from './types.ts';

/** W3C Trace Context, version 00 and those to come. */
const TRACEPARENT = /^[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$/;
/** Characters that W3C allows, as many as it has everyone pass on. */
const TRACESTATE = /^[\x20-\x7e]{1,512}$/;
/** As X-Ray writes it, `Root=1-…;Parent=…;Sampled=1`. */
const TRACE_HEADER = /^[\x21-\x7e]{1,256}$/;

/** The parts of a message that carry `trace`, as far as it is well formed. */
export function traceParts(
  trace: TraceContext | undefined,
): Pick<OutgoingMessage, 'attributes' | 'traceHeader'> {
  const { traceparent = '', tracestate = '', AWSTraceHeader = '' } = trace ?? {};
  const texts = [
    ...(TRACEPARENT.test(traceparent) ? [['traceparent', traceparent] as const] : []),
    ...(TRACEPARENT.test(traceparent) && TRACESTATE.test(tracestate)
      ? [['tracestate', tracestate] as const]
      : []),
  ];
  const attributes = texts.map(([name, stringValue]) => [name, { dataType: 'String', stringValue }] as const);
  return {
    ...(attributes.length > 0 && { attributes: Object.fromEntries(attributes) }),
    ...(TRACE_HEADER.test(AWSTraceHeader) && { traceHeader: AWSTraceHeader }),
  };
}
