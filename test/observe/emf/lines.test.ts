import { readFileSync } from 'node:fs';
import { Ajv } from 'ajv';
import { beforeEach, describe, expect, test } from 'vitest';
import { EmfLines } from '../../../src/observe/emf/lines.ts';
import { emfNameOf, emfNames } from '../../../src/observe/emf/names.ts';
import { createMetrics, type Metrics } from '../../../src/observe/metrics.ts';
import type { WorkerSnapshot } from '../../../src/worker/snapshot.ts';
import { conditionsAt, well } from '../../../testing/stages/snapshot.ts';
import { emfSchema } from './schema.ts';

const QUEUE_URL = 'https://sqs.eu-west-1.amazonaws.com/123456789012/ota-updates';
const AT = Date.UTC(2026, 10, 29, 12);
const validate = new Ajv({ allErrors: true }).compile(emfSchema);

interface Line {
  readonly _aws: {
    readonly Timestamp: number;
    readonly CloudWatchMetrics: readonly {
      readonly Metrics: readonly { readonly Name: string; readonly Unit: string }[];
    }[];
  };
  readonly [target: string]: unknown;
}

/** A line that is one of the format, and has every target that it names. */
function read(text: string): Line {
  const line: Line = JSON.parse(text);
  expect(validate(line), JSON.stringify(validate.errors)).toBe(true);
  for (const { Name } of namesOf(line)) expect(line[Name], Name).toBeTypeOf('number');
  expect(line.Queue).toBeTypeOf('string');
  return line;
}

const namesOf = ({ _aws }: Line) => _aws.CloudWatchMetrics.flatMap(({ Metrics }) => Metrics);

describe('metrics for CloudWatch', () => {
  let now: WorkerSnapshot;
  let metrics: Metrics;
  let lines: EmfLines;
  beforeEach(() => {
    now = { ...well, at: AT };
    metrics = createMetrics(() => now);
    lines = new EmfLines(QUEUE_URL);
  });

  const next = async (at = AT): Promise<Line[]> =>
    lines.next(await metrics.registry.getMetricsAsJSON(), at).map(read);
  /** All that one minute says. */
  const told = async (at = AT): Promise<Record<string, unknown>> => Object.assign({}, ...(await next(at)));
  const applied = (durationMs = 250) =>
    metrics.listener({
      type: 'attempt',
      subject: { message: message(), ids: {} },
      attempt: 1,
      durationMs,
    });
  const message = () => ({
    messageId: 'm',
    receiptHandle: 'r',
    body: '',
    attributes: {},
    sentAt: 0,
    receiveCount: 1,
  });
  const deadLettered = () =>
    metrics.listener({
      type: 'settled',
      subject: { message: message(), ids: {} },
      disposition: { action: 'dead-letter', reason: 'Rejected', error: { name: 'X', message: '' } },
      attempts: 1,
      dwellMs: 2_000,
    });

  test('are in the namespace OtaUpdater, by the queue, at their time', async () => {
    const [line] = await next();
    expect(line).toMatchObject({
      _aws: {
        Timestamp: AT,
        CloudWatchMetrics: [{ Namespace: 'OtaUpdater', Dimensions: [['Queue']] }],
      },
      Queue: 'ota-updates',
      event: 'metrics',
    });
    expect(namesOf(line as Line)).toContainEqual({ Name: 'RetentionUsed', Unit: 'None' });
  });

  test('count since the line before', async () => {
    applied();
    applied();
    expect(await told()).toMatchObject({
      Calls: 2,
      CallsApplied: 2,
      CallDurationSum: 0.5,
      CallDurationCount: 2,
    });
    applied();
    expect(await told()).toMatchObject({ Calls: 1, CallsApplied: 1, CallDurationCount: 1 });
    expect(await told()).toMatchObject({ Calls: 0, CallsApplied: 0, CallDurationCount: 0 });
  });

  test('tell dead letters by reason, and not by error', async () => {
    deadLettered();
    const all = await told();
    expect(all).toMatchObject({
      DeadLetters: 1,
      DeadLettersRejected: 1,
      MessagesSettled: 1,
      MessagesSettledDeadLetter: 1,
      DwellDeadLetterSum: 2,
    });
    expect(Object.keys(all).filter((name) => /^DeadLetters/.test(name))).toEqual([
      'DeadLetters',
      'DeadLettersRejected',
    ]);
  });

  test('leave out the values of labels that have not occurred, and go on with those that have', async () => {
    expect(Object.keys(await told())).not.toContain('ConditionReceiving');
    now = { ...now, conditions: conditionsAt({ receiving: 'TimeoutError' }) };
    expect(await told()).toMatchObject({ ConditionReceiving: 1 });
    now = { ...now, conditions: conditionsAt() };
    expect(await told()).toMatchObject({ ConditionReceiving: 0 });
  });

  test('tell times as the seconds since then, and nothing for never', async () => {
    const before = await told();
    expect(before).toMatchObject({ CallsPaused: 0 });
    expect(before).not.toHaveProperty('LastSuccess');
    now = { ...now, gateSince: AT - 90_000, lastSuccess: AT - 120_000 };
    expect(await told()).toMatchObject({ CallsPaused: 90, LastSuccess: 120 });
  });

  test('leave out what is no number for CloudWatch', async () => {
    now = { ...now, rate: Number.POSITIVE_INFINITY, retentionSeconds: undefined };
    const all = await told();
    expect(all).not.toHaveProperty('RateLimit');
    expect(all).not.toHaveProperty('RetentionUsed');
    expect(all).not.toHaveProperty('ApiLimit');
  });

  test('are a hundred to a line at most, each in one line only', async () => {
    for (const [name] of Object.entries(emfNames)) {
      const metric = metrics.registry.getSingleMetric(name);
      expect(metric, name).toBeDefined();
    }
    const everything = (await metrics.registry.getMetricsAsJSON()).map((metric) => ({
      ...metric,
      values: metric.values.map((value) => ({ ...value, value: 1 })),
    }));
    const all = lines.next(everything, AT).map(read);
    expect(all.length).toBeGreaterThan(1);
    const names = all.flatMap(namesOf).map(({ Name }) => Name);
    expect(new Set(names).size).toBe(names.length);
  });

  test('are as many for a worker that applies everything as docs/watching.md says: each costs money', async () => {
    applied();
    metrics.listener({ type: 'received', count: 1, durationMs: 1 });
    metrics.listener({
      type: 'settled',
      subject: { message: message(), ids: {} },
      disposition: { action: 'acknowledge', outcome: 'applied' },
      attempts: 1,
      dwellMs: 2_000,
    });
    now = { ...now, lastSuccess: AT };
    const count = (await next()).flatMap(namesOf).length;
    expect(readFileSync('docs/watching.md', 'utf8')).toContain(` sends ${count} of them`);
  });

  test('have a name for every metric of /metrics that is of the worker', () => {
    const ours = metrics.registry
      .getMetricsAsArray()
      .map(({ name }) => name)
      .filter((name) => name.startsWith('ota_updater_'));
    expect(Object.keys(emfNames).sort()).toEqual(ours.sort());
  });

  test('are valid whatever the URL of the queue is', () => {
    for (const url of [
      'http://localhost',
      'http://localhost/1/ü "x"',
      `http://localhost/${'q'.repeat(3_000)}`,
    ]) {
      const [line] = new EmfLines(url).next(
        [{ name: 'ota_updater_held_messages', type: 'gauge', values: [{ value: 1, labels: {} }] }],
        AT,
      );
      read(line as string);
    }
  });

  test('make one name of a metric and the values of its labels', () => {
    expect(emfNameOf('Condition', ['dead-lettering'])).toBe('ConditionDeadLettering');
    expect(emfNameOf('LimitSource', ['rate', 'file'])).toBe('LimitSourceRateFile');
    expect(emfNameOf('Calls')).toBe('Calls');
  });
});
