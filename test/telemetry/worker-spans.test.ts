import {
  InMemorySpanExporter,
  ParentBasedSampler,
  SimpleSpanProcessor,
  TraceIdRatioBasedSampler,
  TracerProvider,
} from '@opentelemetry/sdk-trace';
import { beforeEach, describe, expect, test, vi } from 'vitest';
import type { Message } from '../../src/message/message.ts';
import { neverThrows } from '../../src/telemetry/never-throws.ts';
import { workerSpans } from '../../src/telemetry/worker-spans.ts';
import type { Tracing } from '../../src/worker/tracing.ts';

const url = (name: string): string => `https://sqs.eu-west-1.amazonaws.com/123456789012/${name}`;
const parent = (flags: string): string => `00-${'a'.repeat(32)}-${'b'.repeat(16)}-${flags}`;

const message = (traceparent?: string): Message => ({
  messageId: 'm1',
  receiptHandle: 'r1',
  body: '{}',
  attributes:
    traceparent === undefined ? {} : { traceparent: { dataType: 'String', stringValue: traceparent } },
  sentAt: 0,
  receiveCount: 3,
});

let exporter: InMemorySpanExporter;
let wall: number;
let monotonic: number;
let tracing: Tracing;

function trace(ratio: number): void {
  exporter = new InMemorySpanExporter();
  const provider = new TracerProvider({
    sampler: new ParentBasedSampler({ root: new TraceIdRatioBasedSampler(ratio) }),
    spanProcessors: [new SimpleSpanProcessor({ exporter })],
  });
  tracing = workerSpans({
    tracer: provider.getTracer('test'),
    clock: { wall: () => wall, monotonic: () => monotonic },
    queueUrl: url('updates'),
    deadLetterQueueUrl: url('dead'),
    outcomeQueueUrl: url('outcomes'),
  });
}

const spans = () =>
  exporter.getFinishedSpans().map(({ name, attributes, status, startTime, endTime }) => ({
    name,
    attributes,
    status,
    ms: (endTime[0] - startTime[0]) * 1_000 + (endTime[1] - startTime[1]) / 1e6,
  }));

beforeEach(() => {
  wall = Date.UTC(2026, 10, 29);
  monotonic = 5_000;
  trace(1);
});

describe('the spans of a delivery', () => {
  test('are of the time that it took, whatever the wall clock does meanwhile', () => {
    const delivery = tracing.begin(message());
    wall -= 3_600_000;
    monotonic += 250;
    const ends = delivery?.step('delete');
    monotonic += 50;
    ends?.();
    delivery?.end();
    expect(spans()).toMatchObject([
      { name: 'delete updates', ms: 50 },
      { name: 'process updates', ms: 300 },
    ]);
  });

  test('say why a call, a step or the delivery failed', () => {
    const delivery = tracing.begin(message());
    const failure = {
      kind: 'retryable',
      name: 'InternalServerException',
      message: 'sorry',
      status: 500,
    } as const;
    delivery?.called({ startedAt: 5_000, endedAt: 5_010, failure, requestId: 'q1' }, 2);
    delivery?.step('outcome')('withdrawn');
    delivery?.settled({
      disposition: { action: 'defer', seconds: 5 },
      ids: { identifier: 'a1', jobId: 'j1' },
      attempts: 2,
      failure,
    });
    delivery?.end();
    expect(spans()).toMatchObject([
      {
        name: 'IoTManagedIntegrations/UpdateOtaTask',
        ms: 10,
        status: { code: 2, message: 'sorry' },
        attributes: {
          'error.type': 'InternalServerException',
          'http.response.status_code': 500,
          'http.request.resend_count': 1,
          'aws.request_id': 'q1',
        },
      },
      { name: 'send outcomes', status: { code: 2 }, attributes: { 'error.type': 'withdrawn' } },
      {
        name: 'process updates',
        status: { code: 2 },
        attributes: {
          'ota_updater.identifier': 'a1',
          'ota_updater.job_id': 'j1',
          'ota_updater.disposition': 'defer',
          'ota_updater.receive_count': 3,
        },
      },
    ]);
  });

  test('say that its lease was lost', () => {
    const delivery = tracing.begin(message());
    delivery?.lost('the lease ran out');
    delivery?.end();
    expect(spans()).toMatchObject([{ status: { code: 2, message: 'the lease ran out' } }]);
  });

  test('are not made where the producer or the ratio says so', () => {
    expect(tracing.begin(message(parent('00')))).toBeUndefined();
    trace(0);
    expect(tracing.begin(message())).toBeUndefined();
    expect(tracing.begin(message(parent('01')))?.ids.traceId).toBe('a'.repeat(32));
    tracing.received([message()], 5);
    expect(spans()).toEqual([]);
  });

  test('are in a trace of their own for a context that is none', () => {
    const delivery = tracing.begin(message(`${parent('01')}\u0000`));
    expect(delivery?.ids.traceId).toMatch(/^(?!a{32})[0-9a-f]{32}$/);
    expect(delivery?.traceparent).toBe(`00-${delivery?.ids.traceId}-${delivery?.ids.spanId}-01`);
  });

  test('of a receive link to each message that has a producer', () => {
    tracing.received([message(parent('01')), message(), message('nonsense')], 40);
    const [span] = exporter.getFinishedSpans();
    expect(span?.links).toMatchObject([
      { context: { traceId: 'a'.repeat(32) }, attributes: { 'messaging.message.id': 'm1' } },
    ]);
    expect(span?.attributes).toMatchObject({ 'messaging.batch.message_count': 3 });
    expect(spans()).toMatchObject([{ name: 'receive updates', ms: 40 }]);
  });
});

test('a fault of tracing is warned of once, and reaches no message', () => {
  const fault = (): never => {
    throw new Error('a fault of tracing');
  };
  const warn = vi.fn();
  const broken: Tracing = {
    received: fault,
    begin: () => ({
      ids: { traceId: 't', spanId: 's' },
      traceparent: 'p',
      called: fault,
      step: () => fault,
      settled: fault,
      lost: fault,
      end: fault,
    }),
  };
  const guarded = neverThrows(broken, warn);
  guarded.received([], 1);
  const delivery = guarded.begin(message());
  delivery?.called({ startedAt: 0, endedAt: 1 }, 1);
  delivery?.step('delete')();
  delivery?.settled({ disposition: { action: 'release' }, ids: {}, attempts: 0, failure: undefined });
  delivery?.lost('x');
  delivery?.end();
  expect(neverThrows({ ...broken, begin: fault }, warn).begin(message())).toBeUndefined();
  expect(warn).toHaveBeenCalledTimes(2);
});
