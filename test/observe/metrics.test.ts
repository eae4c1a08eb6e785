import { spawn } from 'node:child_process';
import { once } from 'node:events';
import perfHooks from 'node:perf_hooks';
import { beforeEach, describe, expect, test, vi } from 'vitest';
import type { DeadLetter } from '../../src/message/dead-letter.ts';
import { deadLetterReasons } from '../../src/message/dead-letter-record.ts';
import type { Disposition } from '../../src/message/disposition.ts';
import type { Failure } from '../../src/message/failure.ts';
import type { Outcome } from '../../src/message/outcome.ts';
import { createMetrics, type Metrics } from '../../src/observe/metrics.ts';
import { version } from '../../src/version.ts';
import type { Subject, WorkerEvent } from '../../src/worker/events.ts';
import type { WorkerSnapshot } from '../../src/worker/snapshot.ts';
import { installed } from '../../testing/installed.ts';
import { conditionsAt, well } from '../../testing/stages/snapshot.ts';

/** The names that prom-client gives them. */
const promClientLags = ['', 'min_', 'max_', 'mean_', 'stddev_', 'p50_', 'p90_', 'p99_'].map(
  (which) => `nodejs_eventloop_lag_${which}seconds`,
);

const subject = (n: number): Subject => ({
  message: {
    messageId: `secretMessage${n}`,
    receiptHandle: `r${n}`,
    body: '',
    attributes: {},
    sentAt: 0,
    receiveCount: 1,
  },
  ids: { identifier: `secretTask${n}`, jobId: `secretJob${n}`, requestId: `secretRequest${n}` },
});

function attempt(kind?: Failure['kind'], durationMs = 30, n = 1): WorkerEvent {
  const failure = kind && { failure: { kind, name: `SecretName${n}`, message: '' } };
  return { type: 'attempt', subject: subject(n), attempt: 1, durationMs, ...failure };
}

type Settled = Extract<WorkerEvent, { type: 'settled' }>;

function settled(
  disposition: Disposition,
  extra: { deadLetter?: DeadLetter; outcome?: Outcome; n?: number } = {},
): Settled {
  const { n = 1, ...rest } = extra;
  return { type: 'settled', subject: subject(n), disposition, attempts: 1, dwellMs: 2_000, ...rest };
}

const kinds: readonly Failure['kind'][] = [
  ...(['throttled', 'unreachable', 'retryable', 'conflict', 'denied'] as const),
  ...(['rejected', 'misconfigured', 'unidentified', 'internal'] as const),
];

let now: WorkerSnapshot;
let metrics: Metrics;
beforeEach(() => {
  now = well;
  metrics = createMetrics(() => now);
});

/** The sample lines of our own metrics, as `name{labels}` to value. */
async function samples(): Promise<Record<string, string>> {
  const text = await metrics.registry.metrics();
  return Object.fromEntries(
    text
      .split('\n')
      .filter((line) => line.startsWith('ota_updater_'))
      .map((line) => [line.slice(0, line.lastIndexOf(' ')), line.slice(line.lastIndexOf(' ') + 1)]),
  );
}

describe('metrics', () => {
  test('count messages, calls and settlements', async () => {
    metrics.listener({ type: 'received', count: 7, durationMs: 3 });
    for (const kind of [undefined, undefined, 'throttled', 'retryable', 'denied'] as const) {
      metrics.listener(attempt(kind));
    }
    metrics.listener(settled({ action: 'acknowledge', outcome: 'applied' }));
    metrics.listener(settled({ action: 'release' }));
    metrics.listener(settled({ action: 'defer', seconds: 3 }));
    const error = { name: 'X', message: '' };
    metrics.listener(settled({ action: 'dead-letter', reason: 'Rejected', error }));
    metrics.listener(
      settled({ action: 'dead-letter', reason: 'Invalid', error: { ...error, name: 'InvalidUpdate' } }),
    );
    metrics.listener({ type: 'receive-failed', error: new Error('x'), retryInMs: 1 });
    metrics.listener({ type: 'lease-lost', subject: subject(1), reason: 'x' });
    metrics.listener({ type: 'settle-failed', request: 'delete', count: 10, error: new Error('x') });
    expect(await samples()).toMatchObject({
      ota_updater_messages_received_total: '7',
      'ota_updater_calls_total{result="applied"}': '2',
      'ota_updater_calls_total{result="throttled"}': '1',
      'ota_updater_calls_total{result="retryable"}': '1',
      'ota_updater_calls_total{result="denied"}': '1',
      'ota_updater_messages_settled_total{disposition="acknowledge",reason=""}': '1',
      'ota_updater_messages_settled_total{disposition="release",reason=""}': '1',
      'ota_updater_messages_settled_total{disposition="defer",reason=""}': '1',
      'ota_updater_messages_settled_total{disposition="dead-letter",reason="Rejected"}': '1',
      'ota_updater_messages_settled_total{disposition="dead-letter",reason="Invalid"}': '1',
      'ota_updater_dead_letters_total{reason="Rejected",error="other"}': '1',
      'ota_updater_dead_letters_total{reason="Invalid",error="InvalidUpdate"}': '1',
      ota_updater_receive_failures_total: '1',
      ota_updater_leases_lost_total: '1',
      'ota_updater_settle_failures_total{request="delete"}': '1',
    });
  });

  test('count superseded updates, and superseded fields by name', async () => {
    const acknowledged = settled({ action: 'acknowledge', outcome: 'superseded' });
    metrics.listener({ ...acknowledged, superseded: { fields: ['Description'], decidedAt: 1 } });
    const inPart = settled({ action: 'acknowledge', outcome: 'applied' });
    metrics.listener({
      ...inPart,
      superseded: { fields: ['Description', 'TaskConfigurationId'], decidedAt: 1 },
    });
    metrics.listener(settled({ action: 'acknowledge', outcome: 'applied' }));
    expect(await samples()).toMatchObject({
      ota_updater_superseded_total: '1',
      'ota_updater_fields_superseded_total{field="Description"}': '2',
      'ota_updater_fields_superseded_total{field="TaskConfigurationId"}': '1',
      'ota_updater_messages_settled_total{disposition="acknowledge",reason=""}': '3',
    });
  });

  test('count holds by their beginning', async () => {
    const failure: Failure = { kind: 'throttled', name: 'X', message: '' };
    metrics.listener({ type: 'hold', change: { held: true, forMs: 1_000, failure } });
    metrics.listener({ type: 'hold', change: { held: false, from: 0, to: 1_000, because: 'time' } });
    expect(await samples()).toMatchObject({ ota_updater_holds_total: '1' });
  });

  test('measure the duration of calls, and the dwell time of messages that end', async () => {
    metrics.listener(attempt(undefined, 30));
    metrics.listener(attempt('retryable', 9_000));
    metrics.listener(settled({ action: 'acknowledge', outcome: 'applied' }));
    metrics.listener(settled({ action: 'release' }));
    metrics.listener(settled({ action: 'defer', seconds: 3 }));
    expect(await samples()).toMatchObject({
      'ota_updater_call_duration_seconds_bucket{le="0.025"}': '0',
      'ota_updater_call_duration_seconds_bucket{le="0.05"}': '1',
      'ota_updater_call_duration_seconds_bucket{le="10"}': '2',
      ota_updater_call_duration_seconds_count: '2',
      'ota_updater_dwell_seconds_count{disposition="acknowledge"}': '1',
      'ota_updater_dwell_seconds_sum{disposition="acknowledge"}': '2',
    });
    expect(Object.keys(await samples()).filter((name) => /dwell.*(release|defer)/.test(name))).toEqual([]);
  });

  test('count dead letters whose record is shortened or replaces another', async () => {
    const letter = {
      body: '',
      attributes: {},
      record: {
        reason: 'Invalid',
        error: { name: 'X', message: '' },
        attempts: 0,
        receiveCount: 1,
        sentAt: '',
        deadLetteredAt: '',
        sourceMessageId: '',
        sourceQueueUrl: '',
        redriveCount: 0,
      },
    } as const;
    const disposition = { action: 'dead-letter', reason: 'Invalid', error: letter.record.error } as const;
    metrics.listener(settled(disposition, { deadLetter: { ...letter, fit: 'complete', replaced: true } }));
    metrics.listener(settled(disposition, { deadLetter: { ...letter, fit: 'left-off', replaced: false } }));
    const all = await samples();
    expect(all).toMatchObject({
      ota_updater_dead_letter_records_replaced_total: '1',
      'ota_updater_dead_letter_records_shrunk_total{fit="left-off"}': '1',
    });
    expect(Object.keys(all).filter((name) => name.includes('fit="complete"'))).toEqual([]);
  });

  test('count published outcomes by how the update ended', async () => {
    const outcome: Outcome = {
      MessageId: 'm',
      Outcome: 'applied',
      Attempts: 1,
      At: '2026-11-23T07:00:00.000Z',
    };
    metrics.listener(settled({ action: 'acknowledge', outcome: 'applied' }, { outcome }));
    metrics.listener(settled({ action: 'acknowledge', outcome: 'applied' }, { outcome }));
    metrics.listener(settled({ action: 'acknowledge', outcome: 'applied' }));
    expect(await samples()).toMatchObject({ 'ota_updater_outcomes_published_total{outcome="applied"}': '2' });
  });

  test('show the worker at the moment of the scrape', async () => {
    now = { ...well, held: 12, inFlight: 5, onTrial: 1, settling: 3, oldestHeldMs: 1_500, gate: 'denied' };
    expect(await samples()).toMatchObject({
      ota_updater_held_messages: '12',
      ota_updater_calls_in_flight: '5',
      ota_updater_on_trial_messages: '1',
      ota_updater_settling_messages: '3',
      ota_updater_oldest_held_seconds: '1.5',
      ota_updater_rate_limit: '10',
      ota_updater_rate_ceiling: '10',
      'ota_updater_rate_budget{budget="none"}': '1',
      'ota_updater_rate_budget{budget="shared"}': '0',
      'ota_updater_rate_budget{budget="alone"}': '0',
      'ota_updater_rate_fleet{role="none"}': '1',
      'ota_updater_rate_fleet{role="leading"}': '0',
      'ota_updater_rate_fleet{role="following"}': '0',
      'ota_updater_rate_fleet{role="alone"}': '0',
      'ota_updater_condition{condition="receiving"}': '0',
      'ota_updater_condition{condition="dead-lettering"}': '0',
      [`ota_updater_build_info{version="${version}"}`]: '1',
      'ota_updater_gate{state="open"}': '0',
      'ota_updater_gate{state="denied"}': '1',
      'ota_updater_gate{state="outage"}': '0',
      'ota_updater_gate{state="misconfigured"}': '0',
    });
    now = { ...well, conditions: conditionsAt({ receiving: 'TimeoutError' }) };
    expect(await samples()).toMatchObject({
      ota_updater_held_messages: '0',
      'ota_updater_condition{condition="receiving"}': '1',
      'ota_updater_condition{condition="dead-lettering"}': '0',
      'ota_updater_gate{state="open"}': '1',
    });
  });

  test('show the queues, the rates, and since when', async () => {
    const unknown = await samples();
    expect(unknown).toMatchObject({
      'ota_updater_queue_messages{queue="source",state="visible"}': 'Nan',
      'ota_updater_queue_read_timestamp_seconds{queue="dead-letter"}': '0',
      ota_updater_last_success_timestamp_seconds: '0',
      ota_updater_calls_paused_since_timestamp_seconds: '0',
      ota_updater_api_limit: 'Nan',
    });
    now = {
      ...well,
      queues: {
        source: { visible: 4_000, inFlight: 30, delayed: 2, readAt: 9_500 },
        deadLetter: { visible: 7, inFlight: 0, delayed: 0, readAt: 9_000 },
        outcome: undefined,
      },
      deferred: 4,
      oldestAgeMs: 65_500,
      bounds: {
        rate: { value: 200, source: 'redis', since: 0 },
        concurrency: { value: 7, source: 'file', since: 0 },
      },
      rateCeiling: 100,
      rateFound: 60,
      apiLimit: { perSecond: 61.5, since: 0, withinShare: 0.02, periodMs: undefined, noise: 0 },
      rate: 50,
      rateBudget: 'alone',
      lastSuccess: 8_000,
      gate: 'outage',
      gateSince: 8_500,
    };
    const after = await samples();
    expect(after).toMatchObject({
      'ota_updater_queue_messages{queue="source",state="visible"}': '4000',
      'ota_updater_queue_messages{queue="source",state="in-flight"}': '30',
      'ota_updater_queue_messages{queue="source",state="delayed"}': '2',
      'ota_updater_queue_messages{queue="dead-letter",state="visible"}': '7',
      'ota_updater_queue_messages{queue="outcome",state="visible"}': 'Nan',
      'ota_updater_queue_read_timestamp_seconds{queue="source"}': '9.5',
      ota_updater_deferred_messages: '4',
      ota_updater_oldest_age_seconds: '65.5',
      ota_updater_rate_configured: '200',
      ota_updater_concurrency_configured: '7',
      'ota_updater_limit_source{limit="rate",source="environment"}': '0',
      'ota_updater_limit_source{limit="rate",source="redis"}': '1',
      'ota_updater_limit_source{limit="concurrency",source="file"}': '1',
      ota_updater_rate_ceiling: '100',
      ota_updater_rate_found: '60',
      ota_updater_api_limit: '61.5',
      ota_updater_rate_limit: '50',
      'ota_updater_rate_budget{budget="alone"}': '1',
      ota_updater_last_success_timestamp_seconds: '8',
      ota_updater_calls_paused_since_timestamp_seconds: '8.5',
    });
    expect(Object.keys(after)).toEqual(Object.keys(unknown));
  });

  test('have every series from the start', async () => {
    const before = Object.keys(await samples());
    for (const kind of [undefined, ...kinds]) metrics.listener(attempt(kind));
    const { messageId, body } = subject(1).message;
    const requests = [
      'delete',
      'change visibility',
      'extend',
      'publish outcomes',
      'settle',
      'take',
      'sweep',
    ] as const;
    for (const request of requests)
      metrics.listener({ type: 'settle-failed', request, count: 1, error: new Error('x') });
    metrics.listener({ type: 'receive-failed', error: new Error('x'), retryInMs: 1 });
    metrics.listener({ type: 'claim-not-free', subject: subject(1) });
    metrics.listener({ type: 'message-left', queueUrl: '', messageId, reason: '', alone: true });
    const outcome = { MessageId: 'm', Attempts: 1, At: '' };
    const published: Outcome[] = (['applied', 'superseded'] as const).map((Outcome) => ({
      ...outcome,
      Outcome,
    }));
    for (const each of published) {
      const disposition = { action: 'acknowledge', outcome: each.Outcome } as Disposition;
      metrics.listener(settled(disposition, { outcome: each }));
    }
    metrics.listener({
      ...settled({ action: 'acknowledge', outcome: 'superseded' }),
      superseded: { fields: ['Description', 'TaskConfigurationId'], decidedAt: 1 },
    });
    metrics.listener(settled({ action: 'release' }));
    metrics.listener(settled({ action: 'defer', seconds: 3 }));
    for (const reason of deadLetterReasons)
      for (const name of ['ValidationException', 'TimeoutError', 'InvalidUpdate', 'Invented', '__proto__'])
        for (const fit of ['complete', 'message-cut', 'optional-dropped', 'left-off'] as const) {
          const error = { name, message: '' };
          const deadLetter = { body, attributes: {}, fit, replaced: true } as unknown as DeadLetter;
          const ended = { ...outcome, Outcome: 'dead-lettered', Reason: reason } as Outcome;
          metrics.listener(settled({ action: 'dead-letter', reason, error }, { deadLetter, outcome: ended }));
        }
    now = { ...well, gate: 'denied', rateBudget: 'shared', conditions: conditionsAt({ receiving: 'X' }) };
    expect(Object.keys(await samples())).toEqual(before);
  });

  const checker = installed(['promtool'], 'the format of the metrics is not checked');
  test.skipIf(checker === undefined)('are what promtool finds no fault with', async () => {
    const promtool = spawn('promtool', ['check', 'metrics']);
    let said = '';
    for (const stream of [promtool.stdout, promtool.stderr]) {
      stream.on('data', (text) => {
        said += text;
      });
    }
    promtool.stdin.end(await metrics.registry.metrics());
    const [code] = await once(promtool, 'close');
    expect({ code, said }).toEqual({ code: 0, said: '' });
  });

  test('show an unpaced rate as +Inf', async () => {
    now = { ...well, rate: Number.POSITIVE_INFINITY };
    expect(await samples()).toMatchObject({ ota_updater_rate_limit: '+Inf' });
  });

  test('have no label by task, job, request, message or error name, and do not grow in number', async () => {
    const feed = (n: number): void => {
      metrics.listener(attempt(undefined, 30, n));
      metrics.listener(attempt('rejected', 30, n));
      metrics.listener({ type: 'lease-lost', subject: subject(n), reason: `secretReason${n}` });
      metrics.listener(settled({ action: 'acknowledge', outcome: 'applied' }, { n }));
      const error = { name: `SecretName${n}`, message: `secretMessage${n}` };
      metrics.listener(settled({ action: 'dead-letter', reason: 'Rejected', error }, { n }));
    };
    feed(1);
    const before = Object.keys(await samples());
    for (let n = 2; n <= 200; n++) feed(n);
    expect(Object.keys(await samples())).toEqual(before);
    expect(before.join()).not.toMatch(/secret/i);
  });

  test('include those of the process', async () => {
    expect(await metrics.registry.metrics()).toMatch(/^process_cpu_seconds_total /m);
  });

  test('measure the event loop without waking a process that has nothing to do', async () => {
    const monitor = vi.spyOn(perfHooks, 'monitorEventLoopDelay');
    const { registry } = createMetrics(() => well);
    const wakesEvery = monitor.mock.calls.map(([{ samplePerIteration, resolution = 10 } = {}]) =>
      samplePerIteration ? Number.POSITIVE_INFINITY : resolution,
    );
    monitor.mockRestore();
    expect(wakesEvery).not.toEqual([]);
    expect(Math.min(...wakesEvery)).toBeGreaterThan(24 * 60 * 60 * 1_000);
    const seen = new Set(
      (await registry.metrics()).match(/^nodejs_eventloop_lag_(.+_)?seconds(?= [0-9.e-]+$)/gm),
    );
    expect(seen).toEqual(new Set(promClientLags));
  });

  test('say how long the event loop was held up since the last scrape', async () => {
    await metrics.registry.metrics();
    setImmediate(() => {
      const heldUntil = performance.now() + 50;
      while (performance.now() < heldUntil);
    });
    const seconds = async () =>
      Number(/^nodejs_eventloop_lag_max_seconds (.+)$/m.exec(await metrics.registry.metrics())?.[1]);
    await expect.poll(seconds).toBeGreaterThan(0.02);
  });
});
