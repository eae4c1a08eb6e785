/**
 * The spans of a worker:
 *
 *   receive QUEUE    one receive that brought messages; linked to the producers of all
 *   process QUEUE    one delivery, from its receipt to its settlement; in the trace of the message's producer, or of the worker
 *                    that dead-lettered it before, and linked to both
 *     UpdateOtaTask            each call
 *     send QUEUE               its dead letter, its outcome
 *     delete QUEUE, change_visibility QUEUE    its settlement
 */
import { type Context, type Span, SpanKind, SpanStatusCode, type Tracer, trace } from '@opentelemetry/api';
import { ATTR_ERROR_TYPE, ATTR_HTTP_RESPONSE_STATUS_CODE } from '@opentelemetry/semantic-conventions';
import {
  ATTR_AWS_REQUEST_ID,
  ATTR_HTTP_REQUEST_RESEND_COUNT,
  ATTR_MESSAGING_BATCH_MESSAGE_COUNT,
  ATTR_MESSAGING_MESSAGE_ID,
  ATTR_RPC_METHOD,
  ATTR_RPC_SYSTEM_NAME,
  MESSAGING_OPERATION_TYPE_VALUE_PROCESS,
  MESSAGING_OPERATION_TYPE_VALUE_RECEIVE,
  MESSAGING_OPERATION_TYPE_VALUE_SEND,
  MESSAGING_OPERATION_TYPE_VALUE_SETTLE,
} from '@opentelemetry/semantic-conventions/incubating';
import type { Message } from '../message/message.ts';
import { tracesOf } from '../message/message-traces.ts';
import { traceparentOf } from '../message/trace-context.ts';
import type { Attempt } from '../ota/call.ts';
import type { Clock } from '../time/clock.ts';
import type { DeliveryEnd, DeliveryTrace, QueueStep, SpanIds, Tracing } from '../worker/tracing.ts';
import { contextBelow, linkTo, operation, type TracedQueue, tracedQueue } from './attributes.ts';

/** The queues of a worker, by their URLs. */
export interface TracedQueues {
  readonly queueUrl: string;
  readonly deadLetterQueueUrl: string;
  readonly outcomeQueueUrl: string | undefined;
}

export interface WorkerSpansOptions extends TracedQueues {
  readonly tracer: Tracer;
  readonly clock: Clock;
}

const RECEIVE = MESSAGING_OPERATION_TYPE_VALUE_RECEIVE;
const PROCESS = MESSAGING_OPERATION_TYPE_VALUE_PROCESS;

/** Makes spans from a worker's reports. */
export function workerSpans(options: WorkerSpansOptions): Tracing {
  const { tracer, clock, queueUrl } = options;
  const source = tracedQueue(queueUrl);
  const steps = stepsOf(source, options);
  const receive = operation(source, RECEIVE);
  const processing = operation(source, PROCESS);
  return {
    received: (messages, durationMs) => {
      const endedAt = clock.wall();
      const span = tracer.startSpan(
        `${RECEIVE} ${source.name}`,
        {
          kind: SpanKind.CLIENT,
          startTime: endedAt - durationMs,
          attributes: { ...receive, [ATTR_MESSAGING_BATCH_MESSAGE_COUNT]: messages.length },
        },
        contextBelow(undefined),
      );
      if (!span.isRecording()) return;
      for (const message of messages) {
        const link = linkOf(message);
        if (link !== undefined) span.addLink(link);
      }
      span.end(endedAt);
    },
    begin: (message) => {
      const { parent, producers, earlier } = tracesOf(message);
      const context = contextBelow(parent);
      const links = [...producers, ...(earlier === undefined ? [] : [earlier])].map(linkTo);
      const startTime = clock.wall();
      const attributes = { ...processing, [ATTR_MESSAGING_MESSAGE_ID]: message.messageId };
      const named = { kind: SpanKind.CONSUMER, startTime, attributes, links };
      const span = tracer.startSpan(`${PROCESS} ${source.name}`, named, context);
      if (!span.isRecording()) return undefined;
      span.setAttribute('ota_updater.receive_count', message.receiveCount);
      // Ends by the clock by which it began: the machine's clock may be set meanwhile.
      const since = startTime - clock.monotonic();
      return new DeliverySpans({ tracer, span, steps, toWall: (monotonic) => since + monotonic, clock });
    },
  };
}

function linkOf(message: Message) {
  const [producer] = tracesOf(message).producers;
  return producer && { ...linkTo(producer), attributes: { [ATTR_MESSAGING_MESSAGE_ID]: message.messageId } };
}

interface Step {
  readonly name: string;
  readonly kind: SpanKind;
  readonly attributes: ReturnType<typeof operation>;
}

function stepsOf(
  source: TracedQueue,
  { deadLetterQueueUrl, outcomeQueueUrl }: WorkerSpansOptions,
): Readonly<Record<QueueStep, Step>> {
  const send = (url: string): Step => {
    const queue = tracedQueue(url);
    const attributes = operation(queue, MESSAGING_OPERATION_TYPE_VALUE_SEND);
    return { name: `send ${queue.name}`, kind: SpanKind.PRODUCER, attributes };
  };
  const settle = (name: string): Step => ({
    name: `${name} ${source.name}`,
    kind: SpanKind.CLIENT,
    attributes: operation(source, MESSAGING_OPERATION_TYPE_VALUE_SETTLE, name),
  });
  return {
    'dead-letter': send(deadLetterQueueUrl),
    outcome: send(outcomeQueueUrl ?? deadLetterQueueUrl),
    delete: settle('delete'),
    'change visibility': settle('change_visibility'),
  };
}

interface DeliverySpansOptions {
  readonly tracer: Tracer;
  readonly span: Span;
  readonly steps: Readonly<Record<QueueStep, Step>>;
  readonly clock: Clock;
  /** From monotonic to epoch milliseconds. */
  readonly toWall: (monotonic: number) => number;
}

/** One delivery's span, and those below it. */
class DeliverySpans implements DeliveryTrace {
  readonly ids: SpanIds;
  readonly traceparent: string;
  readonly #options: DeliverySpansOptions;
  readonly #below: Context;

  constructor(options: DeliverySpansOptions) {
    const { traceId, spanId } = options.span.spanContext();
    this.ids = { traceId, spanId };
    this.traceparent = traceparentOf({ traceId, spanId, sampled: true });
    this.#options = options;
    this.#below = trace.setSpan(contextBelow(undefined), options.span);
  }

  called({ startedAt, endedAt, failure, requestId }: Attempt, number: number): void {
    const { tracer, toWall } = this.#options;
    const named = {
      kind: SpanKind.CLIENT,
      startTime: toWall(startedAt),
      attributes: {
        [ATTR_RPC_SYSTEM_NAME]: 'aws-api',
        [ATTR_RPC_METHOD]: 'IoTManagedIntegrations/UpdateOtaTask',
        ...(number > 1 && { [ATTR_HTTP_REQUEST_RESEND_COUNT]: number - 1 }),
        ...(requestId !== undefined && { [ATTR_AWS_REQUEST_ID]: requestId }),
        ...(failure?.status !== undefined && { [ATTR_HTTP_RESPONSE_STATUS_CODE]: failure.status }),
      },
    };
    const span = tracer.startSpan('IoTManagedIntegrations/UpdateOtaTask', named, this.#below);
    if (failure !== undefined) fail(span, failure.name, failure.message);
    span.end(toWall(endedAt));
  }

  step(name: QueueStep): (failure?: string) => void {
    const { tracer, steps, toWall, clock } = this.#options;
    const { name: spanName, kind, attributes } = steps[name];
    const named = { kind, attributes, startTime: toWall(clock.monotonic()) };
    const span = tracer.startSpan(spanName, named, this.#below);
    return (failure) => {
      if (failure !== undefined) fail(span, failure);
      span.end(toWall(clock.monotonic()));
    };
  }

  settled({ disposition, ids, attempts, failure }: DeliveryEnd): void {
    const { span } = this.#options;
    span.setAttributes({
      ...(ids.identifier !== undefined && { 'ota_updater.identifier': ids.identifier }),
      ...(ids.jobId !== undefined && { 'ota_updater.job_id': ids.jobId }),
      ...(ids.requestId !== undefined && { 'ota_updater.request_id': ids.requestId }),
      'ota_updater.disposition': disposition.action,
      'ota_updater.attempts': attempts,
      ...(disposition.action === 'acknowledge' && { 'ota_updater.outcome': disposition.outcome }),
      ...(disposition.action === 'dead-letter' && { 'ota_updater.reason': disposition.reason }),
    });
    if (disposition.action === 'dead-letter') fail(span, disposition.error.name, disposition.error.message);
    else if (failure !== undefined) fail(span, failure.name, failure.message);
  }

  lost(reason: string): void {
    fail(this.#options.span, 'lease lost', reason);
  }

  end(): void {
    const { span, toWall, clock } = this.#options;
    span.end(toWall(clock.monotonic()));
  }
}

function fail(span: Span, type: string, message?: string): void {
  span.setAttribute(ATTR_ERROR_TYPE, type);
  span.setStatus({ code: SpanStatusCode.ERROR, ...(message !== undefined && { message }) });
}
