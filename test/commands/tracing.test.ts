import { pino } from 'pino';
import { beforeEach, expect, onTestFinished, test } from 'vitest';
import { traceWorker } from '../../src/commands/tracing.ts';
import { readConfig } from '../../src/config.ts';
import { systemClock } from '../../src/time/clock.ts';
import { NEVER_CAME_MS } from '../../testing/hangs.ts';
import { startStandIn } from '../../testing/notices/stand-in.ts';

const url = (name: string): string => `https://sqs.eu-west-1.amazonaws.com/123456789012/${name}`;
const config = readConfig({ QUEUE_URL: url('updates'), DEAD_LETTER_QUEUE_URL: url('dead') });

let lines: Record<string, unknown>[];
let heard: (() => void)[];
beforeEach(() => {
  lines = [];
  heard = [];
});
const log = pino(
  { base: null, timestamp: false },
  {
    write: (line) => {
      lines.push(JSON.parse(line));
      for (const wake of heard.splice(0)) wake();
    },
  },
);

/** Resolves when the log has a line of that event. */
async function logged(event: string): Promise<Record<string, unknown>> {
  for (;;) {
    const line = lines.find((each) => each.event === event);
    if (line !== undefined) return line;
    await new Promise<void>((resolve) => heard.push(resolve));
  }
}

const message = {
  messageId: 'm1',
  receiptHandle: 'r1',
  body: '{}',
  attributes: {},
  sentAt: 0,
  receiveCount: 1,
};

test('the log says once that spans do not arrive, and when they do again', async () => {
  const collector = await startStandIn(() => ({ status: 400, body: 'the token secret123 is wrong' }));
  onTestFinished(() => collector.close());
  const env = { OTEL_EXPORTER_OTLP_ENDPOINT: `${collector.url.replace('//', '//user:secret123@')}` };
  const telemetry = await traceWorker(config, { env, clock: systemClock, log });
  // A full request is sent at once.
  const fill = (): void => {
    for (let i = 0; i < 512; i++) telemetry?.tracing.begin(message)?.end();
  };
  fill();
  const failed = await logged('tracing.export_failed');
  expect(failed).toMatchObject({ error: { name: 'OTLPExporterError' } });
  fill();
  await collector.arrived(2);
  collector.rule = () => ({ status: 200 });
  fill();
  await logged('tracing.export_recovered');
  await telemetry?.close(NEVER_CAME_MS);
  expect(lines.map(({ event }) => event)).toEqual([
    'tracing.on',
    'tracing.export_failed',
    'tracing.export_recovered',
  ]);
  expect(JSON.stringify(lines)).not.toContain('secret123');
});

test('nothing is traced, and nothing said, without variables', async () => {
  expect(await traceWorker(config, { env: {}, clock: systemClock, log })).toBeUndefined();
  expect(lines).toEqual([]);
});
