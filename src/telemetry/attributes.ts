/** The attributes of spans about a queue, by OpenTelemetry's conventions for messaging and for SQS. */
import {
  type Attributes,
  type Context,
  createTraceState,
  type Link,
  ROOT_CONTEXT,
  type SpanContext,
  TraceFlags,
  trace,
} from '@opentelemetry/api';
import { ATTR_SERVER_ADDRESS, ATTR_SERVER_PORT } from '@opentelemetry/semantic-conventions';
import {
  ATTR_AWS_SQS_QUEUE_URL,
  ATTR_MESSAGING_DESTINATION_NAME,
  ATTR_MESSAGING_OPERATION_NAME,
  ATTR_MESSAGING_OPERATION_TYPE,
  ATTR_MESSAGING_SYSTEM_NAME,
  MESSAGING_SYSTEM_NAME_VALUE_AWS_SQS,
} from '@opentelemetry/semantic-conventions/incubating';
import type { TraceContext } from '../message/trace-context.ts';
import { printableUrl } from '../text/urls.ts';

/** A queue in the form that spans name it. */
export interface TracedQueue {
  readonly name: string;
  readonly attributes: Attributes;
}

export function tracedQueue(url: string): TracedQueue {
  const { hostname, port, protocol, pathname } = new URL(url);
  const name = pathname.split('/').findLast((part) => part !== '') ?? '';
  return {
    name,
    attributes: {
      [ATTR_MESSAGING_SYSTEM_NAME]: MESSAGING_SYSTEM_NAME_VALUE_AWS_SQS,
      [ATTR_MESSAGING_DESTINATION_NAME]: name,
      [ATTR_AWS_SQS_QUEUE_URL]: printableUrl(url),
      [ATTR_SERVER_ADDRESS]: hostname,
      [ATTR_SERVER_PORT]: Number(port) || (protocol === 'http:' ? 80 : 443),
    },
  };
}

/** The attributes of one operation on a queue. */
export function operation(queue: TracedQueue, type: string, name = type): Attributes {
  return {
    ...queue.attributes,
    [ATTR_MESSAGING_OPERATION_NAME]: name,
    [ATTR_MESSAGING_OPERATION_TYPE]: type,
  };
}

/** A span in another process, for a parent or a link. */
function spanContextOf({ traceId, spanId, sampled, state }: TraceContext): SpanContext {
  return {
    traceId,
    spanId,
    traceFlags: sampled ? TraceFlags.SAMPLED : TraceFlags.NONE,
    isRemote: true,
    ...(state !== undefined && { traceState: createTraceState(state) }),
  };
}

export function linkTo(context: TraceContext): Link {
  return { context: spanContextOf(context) };
}

/** Below a span in another process; without one, the start of a new trace. */
export function contextBelow(parent: TraceContext | undefined): Context {
  return parent === undefined ? ROOT_CONTEXT : trace.setSpanContext(ROOT_CONTEXT, spanContextOf(parent));
}
