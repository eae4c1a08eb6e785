import { afterEach, expect, onTestFinished, test } from 'vitest';
import { createProvider, type Provider } from '../../src/telemetry/provider.ts';
import { readTelemetry } from '../../src/telemetry/settings.ts';
import { NEVER_CAME_MS } from '../../testing/hangs.ts';
import { type StandIn, type StandInRule, startStandIn } from '../../testing/notices/stand-in.ts';
import { readSpans } from '../../testing/otlp/spans.ts';

let exports: (Error | undefined)[] = [];
afterEach(() => {
  exports = [];
});

const ok = () => ({ status: 200, body: '{}' });

async function collector(rule: StandInRule): Promise<StandIn> {
  const standIn = await startStandIn(rule);
  onTestFinished(() => standIn.close());
  return standIn;
}

function provider(url: string, env: Record<string, string> = {}): Provider {
  const { settings } = readTelemetry({
    OTEL_EXPORTER_OTLP_ENDPOINT: url,
    OTEL_EXPORTER_OTLP_PROTOCOL: 'http/json',
    ...env,
  });
  if (settings === undefined) throw new Error('no settings');
  // Of this test: what one before it still sends after its end is not told here.
  const own = exports;
  return createProvider({ settings, instance: 'i1', onExport: (error) => own.push(error) });
}

/** So many spans, each the root of a trace. */
function make({ tracer }: Provider, count: number): number {
  let recorded = 0;
  for (let i = 0; i < count; i++) {
    const span = tracer.startSpan(`span ${i}`);
    if (span.isRecording()) recorded++;
    span.end();
  }
  return recorded;
}

test('sends spans as JSON, with what is said of the process', async () => {
  const { url, requests } = await collector(ok);
  const made = provider(url, {
    OTEL_SERVICE_NAME: 'updates',
    OTEL_EXPORTER_OTLP_HEADERS: 'x-tenant=7',
    OTEL_RESOURCE_ATTRIBUTES: 'service.name=other',
  });
  make(made, 3);
  await made.close(NEVER_CAME_MS);
  expect(requests).toMatchObject([
    { path: '/v1/traces', headers: { 'content-type': 'application/json', 'x-tenant': '7' } },
  ]);
  expect(readSpans(requests[0]?.body ?? '')).toMatchObject([
    { service: 'updates', name: 'span 0' },
    { name: 'span 1' },
    { name: 'span 2' },
  ]);
  expect(exports).toEqual([undefined]);
});

test('sends them as protobuf unless JSON is asked for', async () => {
  const { url, requests } = await collector(() => ({ status: 200 }));
  const made = provider(url, { OTEL_EXPORTER_OTLP_PROTOCOL: 'http/protobuf' });
  make(made, 1);
  await made.close(NEVER_CAME_MS);
  expect(requests).toMatchObject([{ headers: { 'content-type': 'application/x-protobuf' } }]);
  expect(requests[0]?.body).toContain('span 0');
});

test('sends them compressed where that is asked for', async () => {
  const { url, requests } = await collector(() => ({ status: 200 }));
  const made = provider(url, { OTEL_EXPORTER_OTLP_COMPRESSION: 'GZIP' });
  make(made, 1);
  await made.close(NEVER_CAME_MS);
  expect(requests).toMatchObject([{ headers: { 'content-encoding': 'gzip' } }]);
});

test('samples by the ratio', async () => {
  const { url } = await collector(ok);
  const half = provider(url, {
    OTEL_TRACES_SAMPLER: 'parentbased_traceidratio',
    OTEL_TRACES_SAMPLER_ARG: '0.5',
  });
  const recorded = make(half, 1_000);
  expect(recorded).toBeGreaterThan(350);
  expect(recorded).toBeLessThan(650);
  const none = provider(url, { OTEL_TRACES_SAMPLER: 'always_off' });
  expect(make(none, 10)).toBe(0);
  await Promise.all([half.close(NEVER_CAME_MS), none.close(NEVER_CAME_MS)]);
});

test('ends in the time it is given when the collector hangs', async () => {
  const { url, arrived } = await collector(() => 'hang');
  const made = provider(url);
  make(made, 2_000);
  const closing = made.close(100);
  await arrived(1);
  await closing;
});

test('drops what a collector that hangs does not take, and keeps no more than that', async () => {
  const { url, arrived, requests } = await collector(() => 'hang');
  const made = provider(url);
  make(made, 50_000);
  await arrived(1);
  expect(requests).toHaveLength(1);
  expect(readSpans(requests[0]?.body ?? '')).toHaveLength(512);
  await made.close(10);
});

test.each([
  ['refuses them', (): ReturnType<StandInRule> => ({ status: 400, body: 'no' })],
  ['answers without end', (): ReturnType<StandInRule> => 'endless'],
])('tells of a collector that %s', async (_name, rule) => {
  const { url } = await collector(rule);
  const made = provider(url);
  make(made, 1);
  await made.close(NEVER_CAME_MS);
  expect(exports).toEqual([expect.any(Error)]);
});

test('tells of a collector that is not there, within the time of an export', async () => {
  const gone = await startStandIn(ok);
  await gone.close();
  const made = provider(gone.url, { OTEL_EXPORTER_OTLP_TIMEOUT: '50' });
  make(made, 1);
  await made.close(NEVER_CAME_MS);
  expect(exports).toEqual([expect.any(Error)]);
});
