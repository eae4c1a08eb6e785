/**
 * One message from its producer to its end, through a dead letter and a redrive, and its spans as a collector received them.
 * It uses the real producer package, worker and command, an SQS emulator and the simulated API, all over HTTP.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SQSClient } from '@aws-sdk/client-sqs';
import { SpanKind } from '@opentelemetry/api';
import { UpdateProducer } from '../../packages/producer/src/index.ts';
import { traceparentOf } from '../../src/message/trace-context.ts';
import { createProvider } from '../../src/telemetry/provider.ts';
import { readTelemetry } from '../../src/telemetry/settings.ts';
import { startWorkerTelemetry } from '../../src/telemetry/start.ts';
import { systemClock } from '../../src/time/clock.ts';
import { startStandIn } from '../notices/stand-in.ts';
import { startOta } from '../processes/ota.ts';
import { credentials, REGION, setStage } from '../stages/stage.ts';
import { readSpans, type SeenSpan } from './spans.ts';

export interface Story {
  readonly spans: readonly SeenSpan[];
  /** Of the producer's span. */
  readonly traceId: string;
}

const IDENTIFIER = 'pump17';
const CLOSE_MS = 5_000;

/** The first call fails, the second is rejected; then the cause is removed, and the letter is put back. */
export async function tellStory(): Promise<Story> {
  const collector = await startStandIn(() => ({ status: 200, body: '{}' }));
  const folder = mkdtempSync(join(tmpdir(), 'story-'));
  const otel = (service: string) => ({
    OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
    OTEL_EXPORTER_OTLP_PROTOCOL: 'http/json',
    OTEL_SERVICE_NAME: service,
  });
  const stage = await setStage({
    random: () => 0,
    tracing: (config) =>
      startWorkerTelemetry(
        {
          env: otel('worker'),
          clock: systemClock,
          instance: 'worker-1',
          onIgnored: refuse,
          onExport: refuse,
        },
        config,
      ),
  });
  try {
    stage.api.script(IDENTIFIER, [
      { status: 500, errorType: 'InternalServerException' },
      { status: 400, errorType: 'ValidationException' },
    ]);
    const traceId = await produce(otel('shop'), stage.sqsUrl, stage.config.queueUrl);
    await stage.worker.start();
    await stage.until(() => stage.settled('dead-letter').length === 1);
    const env = stage.environment({ ...otel('operator'), STATE_DIR: folder });
    const redrive = ['redrive', '--all', '--yes', '--reason', 'the cause is gone'];
    const command = startOta(['dead-letters', ...redrive], { env, keepOutput: true });
    const { code } = await command.exited;
    if (code !== 0) throw new Error(command.output.stderr);
    await stage.until(() => stage.settled('acknowledge').length === 1);
    await stage.worker.stop();
    await stage.closeTracing(CLOSE_MS);
    const spans = collector.requests.flatMap(({ body }) => readSpans(body));
    return { spans, traceId };
  } finally {
    await stage.strike();
    await collector.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** An application that is traced itself, and sends an update. @returns the id of its trace. */
async function produce(env: Record<string, string>, endpoint: string, queueUrl: string): Promise<string> {
  const { settings } = readTelemetry(env);
  if (settings === undefined) throw new Error('no settings');
  const provider = createProvider({ settings, instance: 'shop-1', onExport: refuse });
  const client = new SQSClient({ region: REGION, credentials, endpoint });
  const span = provider.tracer.startSpan('roll out 7', { kind: SpanKind.PRODUCER });
  const { traceId, spanId } = span.spanContext();
  const producer = new UpdateProducer({ client, queueUrl });
  const report = await producer.send([{ Identifier: IDENTIFIER, Description: 'Roll-out 7' }], {
    trace: { traceparent: traceparentOf({ traceId, spanId, sampled: true }) },
  });
  span.end();
  client.destroy();
  await provider.close(CLOSE_MS);
  if (report.sent !== 1) throw new Error(JSON.stringify(report));
  return traceId;
}

function refuse(fault: unknown): void {
  if (fault !== undefined) throw fault instanceof Error ? fault : new Error(JSON.stringify(fault));
}
