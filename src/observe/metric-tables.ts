/**
 * Prometheus metrics of a worker: these tables are all of them, besides those of the process. docs/reference/metrics.md is
 * generated from them. No label has unbounded values: no task, no job, no message. Every series is there from the start.
 */
import { boundNames, boundSources } from '../limits/bounds.ts';
import { deadLetterReasons } from '../message/dead-letter-record.ts';
import { type FailureKind, modelledNames } from '../message/failure.ts';
import { version } from '../version.ts';
import type { SettleRequest } from '../worker/events.ts';
import type { WorkerSnapshot } from '../worker/snapshot.ts';

type Labels = Readonly<Record<string, string>>;

export interface CounterRow {
  readonly name: string;
  readonly help: string;
  readonly labelNames?: readonly string[];
  /** Where it has labels: every combination that occurs. */
  readonly series?: readonly Labels[];
}

/** The values of a label whose type is known: the compiler sees to it that none is missing. */
const namesOf = <Name extends string>(names: Readonly<Record<Name, true>>): readonly Name[] =>
  Object.keys(names) as Name[];

const results = namesOf<'applied' | FailureKind>({
  applied: true,
  throttled: true,
  unreachable: true,
  retryable: true,
  conflict: true,
  denied: true,
  rejected: true,
  misconfigured: true,
  unidentified: true,
  internal: true,
});

const requests = namesOf<SettleRequest>({
  delete: true,
  'change visibility': true,
  extend: true,
  'publish outcomes': true,
  settle: true,
  take: true,
  sweep: true,
});

/** Error names of dead letters that are told apart: the API's own, no answer, and ours. */
export const deadLetterErrors: readonly string[] = [
  ...modelledNames,
  ...['TimeoutError', 'ECONNRESET', 'InvalidUpdate', 'Expiring'],
];
/** All other names: they may come from afar. */
const OTHER = 'other';
const known: ReadonlySet<string> = new Set(deadLetterErrors);

/** The label for the error of a dead letter. */
export function errorLabel(name: string): string {
  return known.has(name) ? name : OTHER;
}

export const counters = {
  received: { name: 'ota_updater_messages_received_total', help: 'Messages received from SQS.' },
  calls: {
    name: 'ota_updater_calls_total',
    help: 'UpdateOtaTask calls, by result: `applied` or the kind of the failure.',
    labelNames: ['result'],
    series: results.map((result) => ({ result })),
  },
  settled: {
    name: 'ota_updater_messages_settled_total',
    help: 'Messages settled, by disposition and, for dead letters, reason.',
    labelNames: ['disposition', 'reason'],
    series: [
      ...['acknowledge', 'defer', 'release'].map((disposition) => ({ disposition, reason: '' })),
      ...deadLetterReasons.map((reason) => ({ disposition: 'dead-letter', reason })),
    ],
  },
  deadLetters: {
    name: 'ota_updater_dead_letters_total',
    help: 'Dead letters sent, by reason and name of the error.',
    labelNames: ['reason', 'error'],
    series: deadLetterReasons.flatMap((reason) =>
      [...deadLetterErrors, OTHER].map((error) => ({ reason, error })),
    ),
  },
  superseded: {
    name: 'ota_updater_superseded_total',
    help: 'Updates superseded: newer values of all their fields had been applied, so no call was made.',
  },
  fieldsSuperseded: {
    name: 'ota_updater_fields_superseded_total',
    help: 'Fields left out of a call, or not called for, because a newer value had been applied.',
    labelNames: ['field'],
    series: [{ field: 'Description' }, { field: 'TaskConfigurationId' }],
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
  holds: {
    name: 'ota_updater_holds_total',
    help: 'Times that all calls were held because the API had named a time to several throttled ones in a row.',
  },
  receiveFailures: { name: 'ota_updater_receive_failures_total', help: 'Receives that failed.' },
  settleFailures: {
    name: 'ota_updater_settle_failures_total',
    help: 'Requests that SQS did not carry out at the first try, by request.',
    labelNames: ['request'],
    series: requests.map((request) => ({ request })),
  },
  recordsShrunk: {
    name: 'ota_updater_dead_letter_records_shrunk_total',
    help: 'Dead letters whose record was shortened or left off for lack of room, by what was left of it.',
    labelNames: ['fit'],
    series: [{ fit: 'message-cut' }, { fit: 'optional-dropped' }, { fit: 'left-off' }],
  },
  recordsReplaced: {
    name: 'ota_updater_dead_letter_records_replaced_total',
    help: 'Dead letters whose message had come with a record.',
  },
  outcomes: {
    name: 'ota_updater_outcomes_published_total',
    help: 'Outcomes published, by outcome.',
    labelNames: ['outcome'],
    series: [{ outcome: 'applied' }, { outcome: 'superseded' }, { outcome: 'dead-lettered' }],
  },
} as const satisfies Readonly<Record<string, CounterRow>>;

export const histograms = {
  callDuration: {
    name: 'ota_updater_call_duration_seconds',
    help: 'Duration of UpdateOtaTask calls.',
    buckets: [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
  },
  dwell: {
    name: 'ota_updater_dwell_seconds',
    help: "From a message's SentTimestamp to its acknowledgement or dead letter.",
    labelNames: ['disposition'],
    series: [{ disposition: 'acknowledge' }, { disposition: 'dead-letter' }],
    buckets: [0.1, 0.5, 1, 5, 15, 60, 300, 900, 3_600, 14_400, 86_400, 345_600],
  },
} as const;

/** Read from a snapshot of the worker at each scrape. */
interface GaugeRow {
  readonly name: string;
  readonly help: string;
  readonly labelNames?: readonly string[];
  /** A value; where it has labels, all of them with theirs. */
  readonly read: (now: WorkerSnapshot) => number | readonly (readonly [labels: Labels, value: number])[];
}

/** 1 for the value of a label that is so now, 0 for the others. */
const oneOf = (label: string, values: readonly string[], now: string): (readonly [Labels, number])[] =>
  values.map((value) => [{ [label]: value }, Number(value === now)]);

/** 0 for what has not happened. */
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

export const gauges: readonly GaugeRow[] = [
  { name: 'ota_updater_held_messages', help: 'Messages held.', read: (now) => now.held },
  { name: 'ota_updater_calls_in_flight', help: 'Calls in flight.', read: (now) => now.inFlight },
  {
    name: 'ota_updater_deferred_messages',
    help: 'Messages that this worker has deferred, and that are not visible again yet.',
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
    help: "Age of the oldest message that this worker holds or has deferred, 0 for none. Of the queue's oldest only CloudWatch tells: `ApproximateAgeOfOldestMessage`.",
    read: (now) => now.oldestAgeMs / 1_000,
  },
  {
    name: 'ota_updater_queue_messages',
    help: "Messages on a queue, about, by state: SQS's counts, read every 30 s, the same in every worker. NaN while unknown, and of an outcome queue that is not set.",
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
    help: 'Since when calls are paused, epoch seconds; 0 while they are not.',
    read: (now) => seconds(now.gateSince),
  },
  {
    name: 'ota_updater_rate_configured',
    help: 'Calls per second that `RATE_LIMIT` of this worker allows, as it is in force: the lowest of environment, file and Redis.',
    read: (now) => now.bounds.rate.value,
  },
  {
    name: 'ota_updater_concurrency_configured',
    help: 'Calls in flight that `MAX_CONCURRENCY` of this worker allows, as it is in force: the lowest of environment, file and Redis.',
    read: (now) => now.bounds.concurrency.value,
  },
  {
    name: 'ota_updater_limit_source',
    help: '1 for who says what limits the rate, and the calls in flight.',
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
    help: 'Calls per second that the API was found to accept, of all workers where one finds it for all; `RATE_LIMIT` while it has accepted everything.',
    read: (now) => now.rateFound,
  },
  {
    name: 'ota_updater_api_limit',
    help: 'Calls per second that the API allows, by the limit that was found, of all workers where one finds the rate for all. NaN while none is known.',
    read: (now) => now.apiLimit?.perSecond ?? Number.NaN,
  },
  {
    name: 'ota_updater_rate_limit',
    help: 'Calls per second let through now, at most: the rate in force.',
    read: (now) => now.rate,
  },
  {
    name: 'ota_updater_rate_ceiling',
    help: 'Calls per second that the rate may rise to: `RATE_LIMIT`, with Redis the lowest of all workers.',
    read: (now) => now.rateCeiling,
  },
  {
    name: 'ota_updater_rate_budget',
    help: '1 for what the ceiling is of: all workers that share it, this one alone until Redis answers, or no shared budget.',
    labelNames: ['budget'],
    read: (now) => oneOf('budget', budgets, now.rateBudget),
  },
  {
    name: 'ota_updater_rate_fleet',
    help: '1 for who finds the rate of all workers: this one, another one, each its part while Redis is lost, or nobody without Redis.',
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
    help: '1 while the condition is there, which keeps updates from going through; `/readyz` says more.',
    labelNames: ['condition'],
    read: (now) =>
      now.conditions.map(({ name, raised }) => [{ condition: name }, Number(raised !== undefined)]),
  },
  {
    name: 'ota_updater_build_info',
    help: 'Always 1; its label is the version that runs.',
    labelNames: ['version'],
    read: () => [[{ version }, 1]],
  },
];
