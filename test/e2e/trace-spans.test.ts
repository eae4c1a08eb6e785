/** Spans of a message as a collector receives them. */
import { readFileSync } from 'node:fs';
import { expect, onTestFinished, test } from 'vitest';
import { startStandIn } from '../../testing/notices/stand-in.ts';
import { type SeenSpan, spanTree } from '../../testing/otlp/spans.ts';
import { tellStory } from '../../testing/otlp/story.ts';
import { spawnWorker } from '../../testing/processes/process.ts';
import { setStage } from '../../testing/stages/stage.ts';

test('one trace shows producer, worker, calls, dead letter, settlement, redrive and second try', async () => {
  const { spans, traceId } = await tellStory();
  const inTrace = spans.filter((span) => span.traceId === traceId);
  const tree = spanTree(inTrace);
  // The page shows what was received.
  expect(readFileSync('docs/watching.md', 'utf8')).toContain(`\n${tree}\n`);
  const named = (name: string): SeenSpan[] => inTrace.filter((span) => span.name === name);
  const [producer] = named('roll out 7');
  const [first, second] = named('process updates').sort((a, b) => Number(a.start - b.start));
  if (producer === undefined || first === undefined || second === undefined) throw new Error(tree);
  const linkTo = ({ spanId }: SeenSpan) => ({ traceId, spanId });
  expect(first.links).toEqual([linkTo(producer)]);
  expect(second.links).toEqual([linkTo(producer), linkTo(first)]);
  expect(named('send updates')).toMatchObject([
    { service: 'operator', links: [linkTo(producer), linkTo(first)] },
  ]);
  expect(first.attributes).toMatchObject({
    'messaging.system.name': 'aws.sqs',
    'messaging.operation.name': 'process',
    'messaging.operation.type': 'process',
    'messaging.destination.name': 'updates',
    'messaging.message.id': expect.stringMatching(/^[0-9a-f-]{36}$/),
    'server.address': '127.0.0.1',
    'error.type': 'ValidationException',
    'ota_updater.identifier': 'pump17',
  });
  expect(named('delete updates')).toMatchObject(
    Array.from({ length: 2 }, () => ({
      attributes: { 'messaging.operation.type': 'settle', 'messaging.operation.name': 'delete' },
    })),
  );
  expect(named('IoTManagedIntegrations/UpdateOtaTask')[1]?.attributes).toMatchObject({
    'rpc.system.name': 'aws-api',
    'http.response.status_code': 400,
    'aws.request_id': expect.any(String),
  });
  for (const span of inTrace) {
    expect(span.end >= span.start, span.name).toBe(true);
    const parent = inTrace.find(({ spanId }) => spanId === span.parentSpanId);
    if (parent?.service === span.service)
      expect(span.start >= parent.start && span.end <= parent.end).toBe(true);
  }
  // A receive is of several messages: a trace of its own, with links.
  const receives = spans.filter(({ name }) => name === 'receive updates');
  expect(receives).toMatchObject([{ links: [linkTo(producer)] }, { links: [linkTo(producer)] }]);
});

test('a collector that hangs and variables that are wrong stop no message and no shutdown', async () => {
  const stage = await setStage();
  const collector = await startStandIn(() => 'hang');
  onTestFinished(async () => {
    await collector.close();
    await stage.strike();
  });
  const worker = spawnWorker(
    stage.environment({
      LOG_LEVEL: 'debug',
      OTEL_EXPORTER_OTLP_ENDPOINT: `${collector.url}/`,
      OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc',
      OTEL_TRACES_SAMPLER_ARG: 'all of them',
    }),
  );
  await stage.sendUpdates(1_000);
  await stage.send({ Identifier: 'pump17', Descripton: 'x' });
  await worker.waitForLine(() => stage.left().ready + stage.left().inFlight === 0);
  await collector.arrived(1);
  worker.kill('SIGTERM');
  expect(await worker.exited).toEqual({ code: 0, signal: null });
  const lines = worker.lines();
  const of = (event: string) => lines.filter((line) => line.event === event);
  expect(of('tracing.setting_ignored').map((line) => line.of)).toEqual([
    'OTEL_EXPORTER_OTLP_PROTOCOL',
    'OTEL_TRACES_SAMPLER_ARG',
  ]);
  expect(of('tracing.on')).toMatchObject([{ address: `${collector.url}/v1/traces` }]);
  expect(of('dead_letter')).toMatchObject([
    { trace_id: expect.stringMatching(/^[0-9a-f]{32}$/), span_id: expect.stringMatching(/^[0-9a-f]{16}$/) },
  ]);
  expect(JSON.stringify(lines)).not.toContain('all of them');
});
