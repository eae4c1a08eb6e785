/** Trace context as a message carries it. PURE. */
import { isTracestate, readTraceparent } from '../../../src/message/trace-context.ts';
import type { OutgoingMessage } from '../../../src/queue/types.ts';
import type { TraceContext } from './types.ts';

/** As X-Ray writes it, `Root=1-…;Parent=…;Sampled=1`. */
const TRACE_HEADER = /^[\x21-\x7e]{1,256}$/;

/** The parts of a message that carry `trace`, as far as it is well formed. */
export function traceParts(
  trace: TraceContext | undefined,
): Pick<OutgoingMessage, 'attributes' | 'traceHeader'> {
  const { traceparent = '', tracestate = '', AWSTraceHeader = '' } = trace ?? {};
  const known = readTraceparent(traceparent) !== undefined;
  const texts = [
    ...(known ? [['traceparent', traceparent] as const] : []),
    ...(known && isTracestate(tracestate) ? [['tracestate', tracestate] as const] : []),
  ];
  const attributes = texts.map(([name, stringValue]) => [name, { dataType: 'String', stringValue }] as const);
  return {
    ...(attributes.length > 0 && { attributes: Object.fromEntries(attributes) }),
    ...(typeof AWSTraceHeader === 'string' &&
      TRACE_HEADER.test(AWSTraceHeader) && { traceHeader: AWSTraceHeader }),
  };
}
