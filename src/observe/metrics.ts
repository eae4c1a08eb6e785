/** Prometheus metrics of a worker. No label holds a task, a job or anything else without bound. */
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import type { WorkerListener } from '../worker/events.ts';
import type { WorkerSnapshot } from '../worker/snapshot.ts';

const gateStates: readonly WorkerSnapshot['gate'][] = ['open', 'outage', 'denied', 'misconfigured'];

/** A registry, and the listener that feeds it. */
export interface Metrics {
  readonly registry: Registry;
  readonly listener: WorkerListener;
}

/** @param snapshot read once per scrape, for the gauges. */
export function createMetrics(snapshot: () => WorkerSnapshot): Metrics {
  const registry = new Registry();
  const registers = [registry];
  collectDefaultMetrics({ register: registry });
  const prefix = 'ota_updater_';
  // What happens with every update: prom-client looks the labels up with every increment.
  const appliedCalls: Tally = { count: 0 };
  const acknowledged: Tally = { count: 0 };
  const received = new Counter({
    registers,
    name: `${prefix}messages_received_total`,
    help: 'Messages received from SQS.',
  });
  const calls = new Counter({
    registers,
    name: `${prefix}calls_total`,
    help: 'UpdateOtaTask calls by how they ended.',
    labelNames: ['result'],
    collect() {
      handOver(appliedCalls, () => this.inc({ result: 'applied' }, appliedCalls.count));
    },
  });
  const settled = new Counter({
    registers,
    name: `${prefix}messages_settled_total`,
    help: 'Messages settled, by disposition and, for dead letters, reason.',
    labelNames: ['disposition', 'reason'],
    collect() {
      handOver(acknowledged, () => this.inc({ disposition: 'acknowledge', reason: '' }, acknowledged.count));
    },
  });
  const superseded = new Counter({
    registers,
    name: `${prefix}superseded_total`,
    help: 'Updates not called for, because newer values of all their fields had been applied.',
  });
  const fieldsSuperseded = new Counter({
    registers,
    name: `${prefix}fields_superseded_total`,
    help: 'Fields not sent because a newer value had been applied, also of updates applied without them.',
    labelNames: ['field'],
  });
  const leasesLost = new Counter({
    registers,
    name: `${prefix}leases_lost_total`,
    help: 'Leases lost before settlement.',
  });
  const receiveFailures = new Counter({
    registers,
    name: `${prefix}receive_failures_total`,
    help: 'Receives that failed.',
  });
  const settleFailures = new Counter({
    registers,
    name: `${prefix}settle_failures_total`,
    help: 'Settlements that SQS did not carry out at the first try, by request.',
    labelNames: ['request'],
  });
  const recordsLeftOff = new Counter({
    registers,
    name: `${prefix}dead_letter_records_shrunk_total`,
    help: 'Dead letters whose record had to be shortened or left to the log.',
    labelNames: ['fit'],
  });
  const recordsReplaced = new Counter({
    registers,
    name: `${prefix}dead_letter_records_replaced_total`,
    help: 'Dead letters that came with a record of their own.',
  });
  const outcomes = new Counter({
    registers,
    name: `${prefix}outcomes_published_total`,
    help: 'Outcomes published of the messages settled, by outcome.',
    labelNames: ['outcome'],
  });
  const duration = new Histogram({
    registers,
    name: `${prefix}call_duration_seconds`,
    help: 'Duration of UpdateOtaTask calls.',
    buckets: [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
  });
  const dwell = new Histogram({
    registers,
    name: `${prefix}dwell_seconds`,
    help: "From a message's SentTimestamp to its settlement, acknowledged or dead-lettered.",
    labelNames: ['disposition'],
    buckets: [0.1, 0.5, 1, 5, 15, 60, 300, 900, 3_600, 14_400, 86_400, 345_600],
  });
  registerGauges(registers, prefix, snapshot);
  const listener: WorkerListener = (event) => {
    switch (event.type) {
      case 'received':
        received.inc(event.count);
        break;
      case 'attempt':
        if (event.failure === undefined) appliedCalls.count++;
        else calls.inc({ result: event.failure.kind });
        duration.observe(event.durationMs / 1_000);
        break;
      case 'settled': {
        const { disposition, deadLetter, outcome } = event;
        const reason = disposition.action === 'dead-letter' ? disposition.reason : '';
        if (disposition.action === 'acknowledge') acknowledged.count++;
        else settled.inc({ disposition: disposition.action, reason });
        if (disposition.action === 'acknowledge' || disposition.action === 'dead-letter') {
          dwell.observe({ disposition: disposition.action }, event.dwellMs / 1_000);
        }
        if (outcome !== undefined) outcomes.inc({ outcome: outcome.Outcome });
        if (disposition.action === 'acknowledge' && disposition.outcome === 'superseded') superseded.inc();
        for (const field of event.superseded?.fields ?? []) fieldsSuperseded.inc({ field });
        if (deadLetter?.replaced) recordsReplaced.inc();
        if (deadLetter !== undefined && deadLetter.fit !== 'complete')
          recordsLeftOff.inc({ fit: deadLetter.fit });
        break;
      }
      case 'lease-lost':
        leasesLost.inc();
        break;
      case 'receive-failed':
        receiveFailures.inc();
        break;
      case 'settle-failed':
        settleFailures.inc({ request: event.request });
        break;
      default:
        break;
    }
  };
  return { registry, listener };
}

/** Counted here, and handed over when metrics are read. */
interface Tally {
  count: number;
}

function handOver(tally: Tally, hand: () => void): void {
  if (tally.count > 0) hand();
  tally.count = 0;
}

function registerGauges(registers: Registry[], prefix: string, snapshot: () => WorkerSnapshot): void {
  const gauge = (name: string, help: string, read: (now: WorkerSnapshot) => number): void => {
    new Gauge({
      registers,
      name: prefix + name,
      help,
      collect() {
        this.set(read(snapshot()));
      },
    });
  };
  gauge('held_messages', 'Messages in hand.', (now) => now.held);
  gauge('calls_in_flight', 'Calls in flight.', (now) => now.inFlight);
  gauge('on_trial_messages', 'Messages answered 403 that wait for evidence.', (now) => now.onTrial);
  gauge('settling_messages', 'Messages whose settlement is not confirmed yet.', (now) => now.settling);
  gauge(
    'oldest_held_seconds',
    'Since the oldest message in hand was received.',
    (now) => now.oldestHeldMs / 1_000,
  );
  gauge('rate_limit', 'Calls per second let through now.', (now) => now.rate);
  gauge('dead_letter_queue_reachable', '1 while the dead-letter queue takes letters.', (now) =>
    Number(now.deadLetterQueueReachable),
  );
  gauge('outcome_queue_reachable', '1 while the outcome queue takes outcomes, or there is none.', (now) =>
    Number(now.outcomeQueueReachable),
  );
  gauge('receiving', '1 while receives succeed.', (now) => Number(now.receiving));
  new Gauge({
    registers,
    name: `${prefix}gate`,
    help: '1 for the state that the gate is in.',
    labelNames: ['state'],
    collect() {
      const current = snapshot().gate;
      for (const state of gateStates) this.set({ state }, Number(state === current));
    },
  });
}
