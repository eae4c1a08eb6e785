/**
 * Prometheus metrics of a worker. The tables below are all of them, besides the default ones of prom-client;
 * docs/reference/metrics.md is generated from them. No label has unbounded values: no task, no job, no message.
 */
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import { version } from '../version.ts';
import type { WorkerListener } from '../worker/events.ts';
import type { WorkerSnapshot } from '../worker/snapshot.ts';

const counters = {
  received: { name: 'ota_updater_messages_received_total', help: 'Messages received from SQS.' },
  calls: {
    name: 'ota_updater_calls_total',
    help: 'UpdateOtaTask calls, by result: `applied` or the kind of the failure.',
    labelNames: ['result'],
  },
  settled: {
    name: 'ota_updater_messages_settled_total',
    help: 'Messages settled, by disposition and, for dead letters, reason.',
    labelNames: ['disposition', 'reason'],
  },
  superseded: {
    name: 'ota_updater_superseded_total',
    help: 'Updates superseded: newer values of all their fields had been applied, so no call was made.',
  },
  fieldsSuperseded: {
    name: 'ota_updater_fields_superseded_total',
    help: 'Fields left out of a call, or not called for, because a newer value had been applied.',
    labelNames: ['field'],
  },
  left: {
    name: 'ota_updater_messages_left_total',
    help: 'Messages that did not arrive as they were sent, and were left to SQS.',
  },
  leasesLost: { name: 'ota_updater_leases_lost_total', help: 'Leases lost before settlement.' },
  claimsNotFree: {
    name: 'ota_updater_claims_not_free_total',
    help: 'Messages deferred without a call because the claim on their task was not free in time.',
  },
  receiveFailures: { name: 'ota_updater_receive_failures_total', help: 'Receives that failed.' },
  settleFailures: {
    name: 'ota_updater_settle_failures_total',
    help: 'Requests that SQS did not carry out at the first try, by request.',
    labelNames: ['request'],
  },
  recordsShrunk: {
    name: 'ota_updater_dead_letter_records_shrunk_total',
    help: 'Dead letters whose record was shortened or left off for lack of room, by what was left of it.',
    labelNames: ['fit'],
  },
  recordsReplaced: {
    name: 'ota_updater_dead_letter_records_replaced_total',
    help: 'Dead letters whose message had come with a record.',
  },
  outcomes: {
    name: 'ota_updater_outcomes_published_total',
    help: 'Outcomes published, by outcome.',
    labelNames: ['outcome'],
  },
} as const;

const histograms = {
  callDuration: {
    name: 'ota_updater_call_duration_seconds',
    help: 'Duration of UpdateOtaTask calls.',
    buckets: [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
  },
  dwell: {
    name: 'ota_updater_dwell_seconds',
    help: "From a message's SentTimestamp to its acknowledgement or dead letter.",
    labelNames: ['disposition'],
    buckets: [0.1, 0.5, 1, 5, 15, 60, 300, 900, 3_600, 14_400, 86_400, 345_600],
  },
} as const;

/** Read from a snapshot of the worker at each scrape. */
const gauges: readonly {
  readonly name: string;
  readonly help: string;
  readonly read: (now: WorkerSnapshot) => number;
}[] = [
  { name: 'ota_updater_held_messages', help: 'Messages held.', read: (now) => now.held },
  { name: 'ota_updater_calls_in_flight', help: 'Calls in flight.', read: (now) => now.inFlight },
  {
    name: 'ota_updater_on_trial_messages',
    help: 'Messages whose call was denied, held until it is clear whether all calls are.',
    read: (now) => now.onTrial,
  },
  {
    name: 'ota_updater_claim_waits',
    help: 'Messages that wait for the claim of another worker on their task.',
    read: (now) => now.awaitingClaim,
  },
  {
    name: 'ota_updater_settling_messages',
    help: 'Messages whose settlement is not confirmed yet.',
    read: (now) => now.settling,
  },
  {
    name: 'ota_updater_oldest_held_seconds',
    help: 'Time since the oldest held message was received.',
    read: (now) => now.oldestHeldMs / 1_000,
  },
  {
    name: 'ota_updater_rate_limit',
    help: 'Calls per second let through now, at most.',
    read: (now) => now.rate,
  },
  {
    name: 'ota_updater_rate_ceiling',
    help: 'Calls per second that the rate may rise to: `RATE_LIMIT`, with Redis the lowest of all workers.',
    read: (now) => now.rateCeiling,
  },
];

const gateGauge = {
  name: 'ota_updater_gate',
  help: '1 for the current state of the gate.',
  labelNames: ['state'],
} as const;

const budgetGauge = {
  name: 'ota_updater_rate_budget',
  help: '1 for what the ceiling is of: all workers that share it, this one alone until Redis answers, or no shared budget.',
  labelNames: ['budget'],
} as const;

const conditionGauge = {
  name: 'ota_updater_condition',
  help: '1 while the condition is there, which keeps updates from going through; `/readyz` says more.',
  labelNames: ['condition'],
} as const;

const buildGauge = {
  name: 'ota_updater_build_info',
  help: 'Always 1; its label is the version that runs.',
  labelNames: ['version'],
} as const;

const budgets: readonly WorkerSnapshot['rateBudget'][] = ['none', 'shared', 'alone'];
const gateStates: readonly WorkerSnapshot['gate'][] = [
  'open',
  'outage',
  'unreachable',
  'denied',
  'misconfigured',
];

/** A registry, and the listener that feeds it. */
export interface Metrics {
  readonly registry: Registry;
  readonly listener: WorkerListener;
}

/** @param snapshot read at each scrape, for the gauges. */
export function createMetrics(snapshot: () => WorkerSnapshot): Metrics {
  const registry = new Registry();
  const registers = [registry];
  collectDefaultMetrics({ register: registry });
  const listener = createListener(registers);
  for (const { read, ...gauge } of gauges) {
    new Gauge({
      registers,
      ...gauge,
      collect() {
        this.set(read(snapshot()));
      },
    });
  }
  new Gauge({
    registers,
    ...gateGauge,
    collect() {
      const current = snapshot().gate;
      for (const state of gateStates) this.set({ state }, Number(state === current));
    },
  });
  new Gauge({
    registers,
    ...budgetGauge,
    collect() {
      const current = snapshot().rateBudget;
      for (const budget of budgets) this.set({ budget }, Number(budget === current));
    },
  });
  new Gauge({
    registers,
    ...conditionGauge,
    collect() {
      for (const { name, raised } of snapshot().conditions)
        this.set({ condition: name }, Number(raised !== undefined));
    },
  });
  new Gauge({ registers, ...buildGauge }).set({ version }, 1);
  return { registry, listener };
}

function createListener(registers: Registry[]): WorkerListener {
  // Every update counts here: prom-client looks labels up at every increment, so these two are added at the scrape.
  let appliedCalls = 0;
  let acknowledged = 0;
  const received = new Counter({ registers, ...counters.received });
  const calls = new Counter({
    registers,
    ...counters.calls,
    collect() {
      if (appliedCalls > 0) this.inc({ result: 'applied' }, appliedCalls);
      appliedCalls = 0;
    },
  });
  const settled = new Counter({
    registers,
    ...counters.settled,
    collect() {
      if (acknowledged > 0) this.inc({ disposition: 'acknowledge', reason: '' }, acknowledged);
      acknowledged = 0;
    },
  });
  const superseded = new Counter({ registers, ...counters.superseded });
  const fieldsSuperseded = new Counter({ registers, ...counters.fieldsSuperseded });
  const left = new Counter({ registers, ...counters.left });
  const leasesLost = new Counter({ registers, ...counters.leasesLost });
  const claimsNotFree = new Counter({ registers, ...counters.claimsNotFree });
  const receiveFailures = new Counter({ registers, ...counters.receiveFailures });
  const settleFailures = new Counter({ registers, ...counters.settleFailures });
  const recordsShrunk = new Counter({ registers, ...counters.recordsShrunk });
  const recordsReplaced = new Counter({ registers, ...counters.recordsReplaced });
  const outcomes = new Counter({ registers, ...counters.outcomes });
  const callDuration = new Histogram({
    registers,
    ...histograms.callDuration,
    buckets: [...histograms.callDuration.buckets],
  });
  const dwell = new Histogram({ registers, ...histograms.dwell, buckets: [...histograms.dwell.buckets] });
  return (event) => {
    switch (event.type) {
      case 'received':
        received.inc(event.count);
        break;
      case 'attempt':
        if (event.failure === undefined) appliedCalls++;
        else calls.inc({ result: event.failure.kind });
        callDuration.observe(event.durationMs / 1_000);
        break;
      case 'settled': {
        const { disposition, deadLetter, outcome } = event;
        const { action } = disposition;
        if (action === 'acknowledge') acknowledged++;
        else settled.inc({ disposition: action, reason: action === 'dead-letter' ? disposition.reason : '' });
        if (action === 'acknowledge' || action === 'dead-letter')
          dwell.observe({ disposition: action }, event.dwellMs / 1_000);
        if (outcome !== undefined) outcomes.inc({ outcome: outcome.Outcome });
        if (action === 'acknowledge' && disposition.outcome === 'superseded') superseded.inc();
        for (const field of event.superseded?.fields ?? []) fieldsSuperseded.inc({ field });
        if (deadLetter?.replaced) recordsReplaced.inc();
        if (deadLetter !== undefined && deadLetter.fit !== 'complete')
          recordsShrunk.inc({ fit: deadLetter.fit });
        break;
      }
      case 'message-left':
        left.inc();
        break;
      case 'lease-lost':
        leasesLost.inc();
        break;
      case 'claim-not-free':
        claimsNotFree.inc();
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
}
