/** The gauges of a worker, read from its snapshot. */
import { boundNames, boundSources } from '../limits/bounds.ts';
import { version } from '../version.ts';
import type { WorkerSnapshot } from '../worker/snapshot.ts';
import { type Labels, namesOf } from './metric-tables.ts';

/** Read from a snapshot of the worker at each scrape. */
export interface GaugeRow {
  readonly name: string;
  readonly help: string;
  readonly labelNames?: readonly string[];
  /** A value; or, with labels, one value for each combination of them. */
  readonly read: (now: WorkerSnapshot) => number | readonly (readonly [labels: Labels, value: number])[];
}

/** 1 for the present value of a label, 0 for the others. */
const oneOf = (label: string, values: readonly string[], now: string): (readonly [Labels, number])[] =>
  values.map((value) => [{ [label]: value }, Number(value === now)]);

/** 0 for an event that has not happened. */
const seconds = (epochMs: number | undefined): number => (epochMs ?? 0) / 1_000;

const budgets = namesOf<WorkerSnapshot['rateBudget']>({ none: true, shared: true, alone: true });
const fleetRoles = namesOf<WorkerSnapshot['rateFleet']>({
  none: true,
  leading: true,
  following: true,
  alone: true,
});
const gateStates = namesOf<WorkerSnapshot['gate']>({
  open: true,
  outage: true,
  unreachable: true,
  denied: true,
  misconfigured: true,
});
const queues = [
  ['source', 'source'],
  ['dead-letter', 'deadLetter'],
  ['outcome', 'outcome'],
] as const;

export const gauges = [
  { name: 'ota_updater_held_messages', help: 'Messages held.', read: (now) => now.held },
  { name: 'ota_updater_calls_in_flight', help: 'Calls in flight.', read: (now) => now.inFlight },
  {
    name: 'ota_updater_deferred_messages',
    help: 'Messages that this worker has deferred and that are not yet visible again.',
    read: (now) => now.deferred,
  },
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
    name: 'ota_updater_oldest_age_seconds',
    help: 'Age of the oldest message that this worker holds or has deferred, 0 for none. Only CloudWatch knows the oldest message on the queue: `ApproximateAgeOfOldestMessage`.',
    read: (now) => now.oldestAgeMs / 1_000,
  },
  {
    name: 'ota_updater_retention_used_ratio',
    help: "Age of the oldest message that this worker holds or has deferred, as a fraction of the queue's retention: at 0.9 a message is dead-lettered as `Expiring`. NaN while the retention is unknown.",
    read: (now) => now.oldestAgeMs / 1_000 / (now.retentionSeconds ?? Number.NaN),
  },
  {
    name: 'ota_updater_poll_stalled_seconds',
    help: 'Time for which messages have been wanted and no poll has ended; above 60, `GET /livez` fails.',
    read: (now) => now.pollStalledMs / 1_000,
  },
  {
    name: 'ota_updater_queue_messages',
    help: "Approximate number of messages on a queue, by state: SQS's counts, read every 30 s, the same in every worker. NaN while unknown, and for an outcome queue that is not set.",
    labelNames: ['queue', 'state'],
    read: (now) =>
      queues.flatMap(([queue, key]) =>
        (['visible', 'in-flight', 'delayed'] as const).map((state) => {
          const field = state === 'in-flight' ? 'inFlight' : state;
          return [{ queue, state }, now.queues[key]?.[field] ?? Number.NaN] as const;
        }),
      ),
  },
  {
    name: 'ota_updater_queue_read_timestamp_seconds',
    help: "When a queue's counts were last read, epoch seconds; 0 for never.",
    labelNames: ['queue'],
    read: (now) => queues.map(([queue, key]) => [{ queue }, seconds(now.queues[key]?.readAt)]),
  },
  {
    name: 'ota_updater_last_success_timestamp_seconds',
    help: 'When a call last succeeded, epoch seconds; 0 for never.',
    read: (now) => seconds(now.lastSuccess),
  },
  {
    name: 'ota_updater_calls_paused_since_timestamp_seconds',
    help: 'Since when calls have been paused, epoch seconds; 0 while they are not paused.',
    read: (now) => seconds(now.gateSince),
  },
  {
    name: 'ota_updater_rate_configured',
    help: '`RATE_LIMIT` that is in force in this worker, in calls per second: the lowest of environment, file and Redis.',
    read: (now) => now.bounds.rate.value,
  },
  {
    name: 'ota_updater_concurrency_configured',
    help: '`MAX_CONCURRENCY` that is in force in this worker, in calls in flight: the lowest of environment, file and Redis.',
    read: (now) => now.bounds.concurrency.value,
  },
  {
    name: 'ota_updater_limit_source',
    help: '1 for the source of the limit in force, on the rate and on the calls in flight.',
    labelNames: ['limit', 'source'],
    read: (now) =>
      boundNames.flatMap((limit) =>
        boundSources.map((source): [Labels, number] => [
          { limit, source },
          Number(now.bounds[limit].source === source),
        ]),
      ),
  },
  {
    name: 'ota_updater_rate_found',
    help: 'Calls per second that the API was found to accept, for all workers if one finds it for all; `RATE_LIMIT` while the API has accepted everything.',
    read: (now) => now.rateFound,
  },
  {
    name: 'ota_updater_api_limit',
    help: 'Calls per second that the API allows, by the limit that was found, for all workers if one finds the rate for all. NaN while no limit is known.',
    read: (now) => now.apiLimit?.perSecond ?? Number.NaN,
  },
  {
    name: 'ota_updater_rate_limit',
    help: 'Maximum calls per second at present: the rate in force.',
    read: (now) => now.rate,
  },
  {
    name: 'ota_updater_rate_ceiling',
    help: 'Calls per second that the rate may rise to: `RATE_LIMIT`; with Redis, the lowest `RATE_LIMIT` of all workers.',
    read: (now) => now.rateCeiling,
  },
  {
    name: 'ota_updater_rate_budget',
    help: '1 for who shares the ceiling: all workers, this one alone until Redis answers, or nobody (no shared budget).',
    labelNames: ['budget'],
    read: (now) => oneOf('budget', budgets, now.rateBudget),
  },
  {
    name: 'ota_updater_rate_fleet',
    help: '1 for who finds the rate for all workers: this one, another one, each its own part while Redis is lost, or nobody without Redis.',
    labelNames: ['role'],
    read: (now) => oneOf('role', fleetRoles, now.rateFleet),
  },
  {
    name: 'ota_updater_gate',
    help: '1 for the current state of the gate.',
    labelNames: ['state'],
    read: (now) => oneOf('state', gateStates, now.gate),
  },
  {
    name: 'ota_updater_condition',
    help: '1 while the condition lasts; `/readyz` says more about it.',
    labelNames: ['condition'],
    read: (now) =>
      now.conditions.map(({ name, raised }) => [{ condition: name }, Number(raised !== undefined)]),
  },
  {
    name: 'ota_updater_build_info',
    help: 'Always 1; its label is the version of the worker.',
    labelNames: ['version'],
    read: () => [[{ version }, 1]],
  },
] as const satisfies readonly GaugeRow[];
