/** Prometheus metrics of a worker, made from their tables. */
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import type { WorkerListener } from '../worker/events.ts';
import type { WorkerSnapshot } from '../worker/snapshot.ts';
import { type GaugeRow, gauges } from './gauge-table.ts';
import { measureLoopLag, NO_SAMPLES_MS } from './loop-lag.ts';
import { type CounterRow, counters, errorLabel, histograms } from './metric-tables.ts';

/** A registry, and the listener that feeds it. */
export interface Metrics {
  readonly registry: Registry;
  readonly listener: WorkerListener;
}

/** @param snapshot read at each scrape, for the gauges. */
export function createMetrics(snapshot: () => WorkerSnapshot): Metrics {
  const registry = new Registry();
  const registers = [registry];
  collectDefaultMetrics({ register: registry, eventLoopMonitoringPrecision: NO_SAMPLES_MS });
  measureLoopLag(registry);
  // Three of prom-client's gauges have names that only counters may have; other metrics have the same values by
  // type.
  for (const { name, type } of registry.getMetricsAsArray())
    if (String(type) === 'gauge' && name.endsWith('_total')) registry.removeSingleMetric(name);
  const listener = createListener(registers);
  for (const { name, help, labelNames = [], read } of gauges as readonly GaugeRow[]) {
    new Gauge({
      registers,
      name,
      help,
      labelNames: [...labelNames],
      collect() {
        const values = read(snapshot());
        if (typeof values === 'number') this.set(values);
        else for (const [labels, value] of values) this.set(labels, value);
      },
    });
  }
  return { registry, listener };
}

/** A counter with all its series, starting at 0. */
function counter(registers: Registry[], { series = [], ...row }: CounterRow, collect?: () => void): Counter {
  const made = new Counter({
    registers,
    ...row,
    labelNames: [...(row.labelNames ?? [])],
    ...(collect !== undefined && { collect }),
  });
  for (const labels of series) made.inc(labels, 0);
  return made;
}

function createListener(registers: Registry[]): WorkerListener {
  // Every update counts here, and prom-client looks up labels at every increment, so these two are added at the
  // scrape.
  let appliedCalls = 0;
  let acknowledged = 0;
  const received = counter(registers, counters.received);
  const calls: Counter = counter(registers, counters.calls, () => {
    calls.inc({ result: 'applied' }, appliedCalls);
    appliedCalls = 0;
  });
  const settled: Counter = counter(registers, counters.settled, () => {
    settled.inc({ disposition: 'acknowledge', reason: '' }, acknowledged);
    acknowledged = 0;
  });
  const deadLetters = counter(registers, counters.deadLetters);
  const superseded = counter(registers, counters.superseded);
  const fieldsSuperseded = counter(registers, counters.fieldsSuperseded);
  const left = counter(registers, counters.left);
  const leasesLost = counter(registers, counters.leasesLost);
  const claimsNotFree = counter(registers, counters.claimsNotFree);
  const holds = counter(registers, counters.holds);
  const receiveFailures = counter(registers, counters.receiveFailures);
  const settleFailures = counter(registers, counters.settleFailures);
  const recordsShrunk = counter(registers, counters.recordsShrunk);
  const recordsReplaced = counter(registers, counters.recordsReplaced);
  const outcomes = counter(registers, counters.outcomes);
  const { name, help, buckets } = histograms.callDuration;
  const callDuration = new Histogram({ registers, name, help, buckets: [...buckets] });
  const { series, labelNames, ...dwellRow } = histograms.dwell;
  const dwell = new Histogram({
    registers,
    ...dwellRow,
    labelNames: [...labelNames],
    buckets: [...dwellRow.buckets],
  });
  for (const labels of series) dwell.zero(labels);
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
        if (action === 'dead-letter')
          deadLetters.inc({ reason: disposition.reason, error: errorLabel(disposition.error.name) });
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
      case 'hold':
        if (event.change.held) holds.inc();
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
