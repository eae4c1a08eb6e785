import { beforeEach, describe, expect, test } from 'vitest';
import type { DeadLetter } from '../../src/message/dead-letter.ts';
import type { Disposition } from '../../src/message/disposition.ts';
import type { Failure } from '../../src/message/failure.ts';
import type { Outcome } from '../../src/message/outcome.ts';
import { createMetrics, type Metrics } from '../../src/observe/metrics.ts';
import { version } from '../../src/version.ts';
import type { Subject, WorkerEvent } from '../../src/worker/events.ts';
import type { WorkerSnapshot } from '../../src/worker/snapshot.ts';
import { conditionsAt, well } from '../../testing/stages/snapshot.ts';

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
    metrics.listener(settled({ action: 'dead-letter', reason: 'Invalid', error }));
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
});
