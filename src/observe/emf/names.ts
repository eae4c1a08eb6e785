/**
 * The names of the worker's metrics in CloudWatch, namespace `OtaUpdater`. docs/reference/metrics.md is generated from this
 * table. Alarms refer to these names, so they must not change.
 */
import type { gauges } from '../gauge-table.ts';
import type { counters, histograms } from '../metric-tables.ts';

/** The CloudWatch units in use. */
export type EmfUnit = 'Count' | 'Count/Second' | 'Seconds' | 'None';

/** How one metric of `/metrics` is sent. */
export interface EmfName {
  /** Name of the metric; for a series with labels, their values are appended: `CallsApplied`. */
  readonly name: string;
  readonly unit: EmfUnit;
  /** Labels whose values are sent separately; default: all. Series that differ only in other labels are added up. */
  readonly by?: readonly string[];
  /**
   * A time: sent as the seconds since then, because CloudWatch averages values. A 0, meaning never, is sent as nothing, or
   * as 0.
   */
  readonly since?: 'or nothing' | 'or 0';
}

/** Why a metric is not sent. */
export interface NoEmfName {
  readonly leftOut: string;
}

type Row = (typeof counters)[keyof typeof counters] | (typeof histograms)[keyof typeof histograms];
type MetricName = Row['name'] | (typeof gauges)[number]['name'];

const inSqs = 'CloudWatch has the counts of every queue: `AWS/SQS`';

/** For a counter: its increase since the previous line. A histogram becomes two metrics: `NAMESum` and `NAMECount`. */
export const emfNames: Readonly<Record<MetricName, EmfName | NoEmfName>> = {
  ota_updater_messages_received_total: { name: 'MessagesReceived', unit: 'Count' },
  ota_updater_calls_total: { name: 'Calls', unit: 'Count' },
  ota_updater_messages_settled_total: { name: 'MessagesSettled', unit: 'Count', by: ['disposition'] },
  ota_updater_dead_letters_total: { name: 'DeadLetters', unit: 'Count', by: ['reason'] },
  ota_updater_superseded_total: { name: 'Superseded', unit: 'Count' },
  ota_updater_fields_superseded_total: { name: 'FieldsSuperseded', unit: 'Count' },
  ota_updater_messages_left_total: { name: 'MessagesLeft', unit: 'Count' },
  ota_updater_leases_lost_total: { name: 'LeasesLost', unit: 'Count' },
  ota_updater_claims_not_free_total: { name: 'ClaimsNotFree', unit: 'Count' },
  ota_updater_holds_total: { name: 'Holds', unit: 'Count' },
  ota_updater_receive_failures_total: { name: 'ReceiveFailures', unit: 'Count' },
  ota_updater_settle_failures_total: { name: 'SettleFailures', unit: 'Count' },
  ota_updater_dead_letter_records_shrunk_total: { name: 'DeadLetterRecordsShrunk', unit: 'Count' },
  ota_updater_dead_letter_records_replaced_total: { name: 'DeadLetterRecordsReplaced', unit: 'Count' },
  ota_updater_outcomes_published_total: { name: 'OutcomesPublished', unit: 'Count' },
  ota_updater_call_duration_seconds: { name: 'CallDuration', unit: 'Seconds' },
  ota_updater_dwell_seconds: { name: 'Dwell', unit: 'Seconds' },
  ota_updater_held_messages: { name: 'HeldMessages', unit: 'Count' },
  ota_updater_calls_in_flight: { name: 'CallsInFlight', unit: 'Count' },
  ota_updater_deferred_messages: { name: 'DeferredMessages', unit: 'Count' },
  ota_updater_on_trial_messages: { name: 'OnTrialMessages', unit: 'Count' },
  ota_updater_claim_waits: { name: 'ClaimWaits', unit: 'Count' },
  ota_updater_settling_messages: { name: 'SettlingMessages', unit: 'Count' },
  ota_updater_oldest_held_seconds: { name: 'OldestHeld', unit: 'Seconds' },
  ota_updater_oldest_age_seconds: { name: 'OldestAge', unit: 'Seconds' },
  ota_updater_retention_used_ratio: { name: 'RetentionUsed', unit: 'None' },
  ota_updater_poll_stalled_seconds: { name: 'PollStalled', unit: 'Seconds' },
  ota_updater_queue_messages: { leftOut: inSqs },
  ota_updater_queue_read_timestamp_seconds: { leftOut: inSqs },
  ota_updater_last_success_timestamp_seconds: {
    name: 'LastSuccess',
    unit: 'Seconds',
    since: 'or nothing',
  },
  ota_updater_calls_paused_since_timestamp_seconds: {
    name: 'CallsPaused',
    unit: 'Seconds',
    since: 'or 0',
  },
  ota_updater_rate_configured: { name: 'RateConfigured', unit: 'Count/Second' },
  ota_updater_concurrency_configured: { name: 'ConcurrencyConfigured', unit: 'Count' },
  ota_updater_limit_source: { name: 'LimitSource', unit: 'None' },
  ota_updater_rate_found: { name: 'RateFound', unit: 'Count/Second' },
  ota_updater_api_limit: { name: 'ApiLimit', unit: 'Count/Second' },
  ota_updater_rate_limit: { name: 'RateLimit', unit: 'Count/Second' },
  ota_updater_rate_ceiling: { name: 'RateCeiling', unit: 'Count/Second' },
  ota_updater_rate_budget: { name: 'RateBudget', unit: 'None' },
  ota_updater_rate_fleet: { name: 'RateFleet', unit: 'None' },
  ota_updater_gate: { name: 'Gate', unit: 'None' },
  ota_updater_condition: { name: 'Condition', unit: 'None' },
  ota_updater_build_info: { leftOut: 'the log says the version: `worker.starting`' },
};

/** `CallsApplied` for `Calls` and `applied`, `ConditionDeadLettering` for `dead-lettering`. */
export function emfNameOf(name: string, values: readonly string[] = []): string {
  const words = values.flatMap((value) => value.split(/[^A-Za-z0-9]+/)).filter((word) => word !== '');
  return name + words.map((word) => word.charAt(0).toUpperCase() + word.slice(1)).join('');
}
