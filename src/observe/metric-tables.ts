/**
 * Prometheus metrics of a worker: these tables and the gauge table contain all of them, except those of the process.
 * docs/reference/metrics.md is generated from them. No label has unbounded values: no task, no job, no message. Every series exists from the start.
 */
import { deadLetterReasons } from '../message/dead-letter-record.ts';
import { type FailureKind, modelledNames } from '../message/failure.ts';
import type { SettleRequest } from '../worker/events.ts';

/** The labels of a series with their values. */
export type Labels = Readonly<Record<string, string>>;

export interface CounterRow {
  readonly name: string;
  readonly help: string;
  readonly labelNames?: readonly string[];
  /** With labels: every combination that occurs. */
  readonly series?: readonly Labels[];
}

/** All values of a label with a known type: the compiler ensures that none is missing. */
export const namesOf = <Name extends string>(names: Readonly<Record<Name, true>>): readonly Name[] =>
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

/** Error names of dead letters that get their own label value: the API's own, no answer, and ours. */
export const deadLetterErrors: readonly string[] = [
  ...modelledNames,
  ...['TimeoutError', 'ECONNRESET', 'InvalidUpdate', 'Expiring'],
];
/** For all other names, which may come from outside. */
const OTHER = 'other';
const known: ReadonlySet<string> = new Set(deadLetterErrors);

/** The label value for the error of a dead letter. */
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
    help: 'Fields left out of a call, or for which no call was made, because a newer value had been applied.',
    labelNames: ['field'],
    series: [{ field: 'Description' }, { field: 'TaskConfigurationId' }],
  },
  left: {
    name: 'ota_updater_messages_left_total',
    help: 'Messages that did not arrive intact and were left on the queue.',
  },
  leasesLost: { name: 'ota_updater_leases_lost_total', help: 'Leases lost before settlement.' },
  claimsNotFree: {
    name: 'ota_updater_claims_not_free_total',
    help: 'Messages deferred without a call because the claim on their task was not free in time.',
  },
  holds: {
    name: 'ota_updater_holds_total',
    help: 'How often all calls were held because the API had told several throttled ones in a row when to retry.',
  },
  receiveFailures: { name: 'ota_updater_receive_failures_total', help: 'Receives that failed.' },
  settleFailures: {
    name: 'ota_updater_settle_failures_total',
    help: 'Requests that SQS did not carry out on the first try, by request.',
    labelNames: ['request'],
    series: requests.map((request) => ({ request })),
  },
  recordsShrunk: {
    name: 'ota_updater_dead_letter_records_shrunk_total',
    help: 'Dead letters whose record was shortened or left out for lack of room, by how much of it was kept.',
    labelNames: ['fit'],
    series: [{ fit: 'message-cut' }, { fit: 'optional-dropped' }, { fit: 'left-off' }],
  },
  recordsReplaced: {
    name: 'ota_updater_dead_letter_records_replaced_total',
    help: 'Dead letters whose message already carried a record.',
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
