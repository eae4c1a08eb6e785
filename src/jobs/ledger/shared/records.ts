/** Converts rows of the database to the ledger's types. Columns have the same names and types in every database. PURE. */
import type { Outcome } from '../../../message/outcome.ts';
import type { LeftOutRow, LeftOutState, TaskChange } from '../../plan/format.ts';
import { readProgress, type StageProgress } from '../../rules/progress.ts';
import { type JobSettings, readSettings } from '../../rules/settings.ts';
import type { JobRecord, LeftOutCounts } from '../job.ts';
import type { LedgerRow, RowEnd, RowState, UnmatchedOutcome } from '../row.ts';
import type { JobState, RestingState } from '../state.ts';
import { damagedValue } from './error.ts';

/** A row as the database gives it. */
export type Raw = Readonly<Record<string, unknown>>;

/** The columns that {@link toLedgerRow} reads. */
export const ROW_COLUMNS = `row, identifier, description, configuration, former, state, try, sends,
  reason, error, attempts, at, reconciled, request_id, row_issued_at, sent_at`;

/** The same columns for a row that was left out, and its state, so that one statement can read both kinds in order. */
export const LEFT_OUT_COLUMNS = `row, identifier, description, configuration, NULL, NULL, CAST(NULL AS INTEGER), CAST(NULL AS INTEGER),
  reason, NULL, CAST(NULL AS INTEGER), NULL, CAST(NULL AS INTEGER), NULL, NULL, CAST(NULL AS BIGINT), state`;

export function toLedgerRow(raw: Raw): LedgerRow {
  return {
    Row: Number(raw.row),
    Identifier: String(raw.identifier),
    ...toChange(raw),
    ...(typeof raw.request_id === 'string' && { RequestId: raw.request_id }),
    ...(typeof raw.row_issued_at === 'string' && { IssuedAt: raw.row_issued_at }),
    ...(typeof raw.former === 'string' && { Former: parsed<TaskChange>(raw.former) }),
    state: raw.state as RowState,
    try: Number(raw.try),
    sends: Number(raw.sends),
    ...(typeof raw.sent_at === 'number' && { sentAt: raw.sent_at }),
    end: toEnd(raw),
    reconciled: raw.reconciled === 1,
  };
}

/** Parses what the ledger stores as JSON. @throws LedgerError if it is not JSON. */
export function parsed<T>(text: unknown): T {
  try {
    return JSON.parse(String(text)) as T;
  } catch {
    throw damagedValue();
  }
}

/** @param raw has `left_out`, which is null for a row to change. */
export function toEitherRow(raw: Raw): LedgerRow | LeftOutRow {
  if (raw.left_out === null) return toLedgerRow(raw);
  return {
    Row: Number(raw.row),
    LeftOut: raw.left_out as LeftOutState,
    ...(typeof raw.identifier === 'string' && { Identifier: raw.identifier }),
    ...toChange(raw),
    ...(typeof raw.reason === 'string' && { Reason: raw.reason }),
  };
}

function toChange({ description, configuration }: Raw): TaskChange {
  return {
    ...(typeof description === 'string' && { Description: description }),
    ...(typeof configuration === 'string' && { TaskConfigurationId: configuration }),
  };
}

function toEnd({ reason, error, attempts, at }: Raw): RowEnd {
  return {
    ...(typeof reason === 'string' && { reason }),
    ...(typeof error === 'string' && { error: parsed<NonNullable<RowEnd['error']>>(error) }),
    ...(typeof attempts === 'number' && { attempts }),
    ...(typeof at === 'string' && { at }),
  };
}

export function toUnmatched(raw: Raw): UnmatchedOutcome {
  return {
    name: String(raw.name),
    identifier: typeof raw.identifier === 'string' ? raw.identifier : undefined,
    state: raw.state as Outcome['Outcome'],
    end: toEnd(raw),
  };
}

export function toJob(raw: Raw): JobRecord {
  const plan =
    typeof raw.digest === 'string'
      ? {
          path: String(raw.path),
          source: String(raw.source),
          digest: raw.digest,
          issuedAt: String(raw.issued_at),
          rows: Number(raw.rows),
          undoes: typeof raw.undoes === 'string' ? raw.undoes : undefined,
          leftOut: typeof raw.left_out === 'string' ? parsed<LeftOutCounts>(raw.left_out) : undefined,
          complete: raw.complete === 1,
          enqueued: raw.enqueued === 1,
          settings: toSettings(raw.guards),
          progress: toProgress(raw.counting),
          maybeTwice: Number(raw.maybe_twice),
          state: toState(raw),
        }
      : undefined;
  return {
    key: Number(raw.key),
    jobId: String(raw.job_id),
    plan,
    updatedAt: Number(raw.updated_at),
  };
}

/** @throws LedgerError if these are not settings. */
export function toSettings(text: unknown): JobSettings {
  const settings = readSettings(parsed(text));
  if (settings === undefined) throw damagedValue();
  return settings;
}

/** @throws LedgerError if this is not progress. */
export function toProgress(text: unknown): StageProgress {
  const progress = readProgress(parsed(text));
  if (progress === undefined) throw damagedValue();
  return progress;
}

export function toState(raw: Raw): JobState {
  const {
    state,
    towards,
    state_since: since,
    state_who: who,
    state_why: why,
    kept_state: kept,
    is_copy: isCopy,
  } = raw;
  return {
    name: state as JobState['name'],
    ...(typeof towards === 'string' && { towards: towards as RestingState }),
    since: Number(since),
    who: String(who),
    ...(typeof why === 'string' && { why }),
    ...(isCopy === 1 && { isCopy: true as const }),
    ...(typeof kept === 'string' && { kept: parsed<JobState>(kept) }),
  };
}
