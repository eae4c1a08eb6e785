/** Between SQLite's rows and ours. */
import type { Outcome } from '../../message/outcome.ts';
import type { LeftOutState, TaskChange } from '../plan/types.ts';
import type {
  Counting,
  Counts,
  Guards,
  JobRecord,
  LedgerRow,
  LeftOutCounts,
  LeftOutRecord,
  ParkedOutcome,
  RowEnd,
  RowState,
} from './types.ts';

/** A row as `node:sqlite` gives it. */
export type Raw = Readonly<Record<string, unknown>>;

/** The columns that {@link toRow} reads. */
export const ROW_COLUMNS = `row, identifier, description, configuration, former, state, try, sends, sent_at,
  reason, error, attempts, at, reconciled`;

export function toRow(raw: Raw): LedgerRow {
  return {
    row: Number(raw.row),
    identifier: String(raw.identifier),
    change: toChange(raw),
    former: typeof raw.former === 'string' ? (JSON.parse(raw.former) as TaskChange) : undefined,
    state: raw.state as RowState,
    try: Number(raw.try),
    sends: Number(raw.sends),
    sentAt: typeof raw.sent_at === 'number' ? raw.sent_at : undefined,
    end: toEnd(raw),
    reconciled: raw.reconciled === 1,
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
    ...(typeof error === 'string' && { error: JSON.parse(error) as NonNullable<RowEnd['error']> }),
    ...(typeof attempts === 'number' && { attempts }),
    ...(typeof at === 'string' && { at }),
  };
}

export function toLeftOutRecord(raw: Raw): LeftOutRecord {
  return {
    row: Number(raw.row),
    state: raw.state as LeftOutState,
    identifier: typeof raw.identifier === 'string' ? raw.identifier : undefined,
    change: toChange(raw),
    reason: typeof raw.reason === 'string' ? raw.reason : undefined,
  };
}

export function toParked(raw: Raw): ParkedOutcome {
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
          leftOut: typeof raw.left_out === 'string' ? (JSON.parse(raw.left_out) as LeftOutCounts) : undefined,
          complete: raw.complete === 1,
          guards: JSON.parse(String(raw.guards)) as Guards,
          counting: JSON.parse(String(raw.counting)) as Counting,
          maybeTwice: Number(raw.maybe_twice),
          stopped: typeof raw.stopped === 'string' ? raw.stopped : undefined,
        }
      : undefined;
  return {
    key: Number(raw.key),
    jobId: String(raw.job_id),
    plan,
    createdAt: Number(raw.created_at),
    updatedAt: Number(raw.updated_at),
  };
}

/** @param tallies `state`, `cause`, `rows`, `calls`, `calls_of` of each group. */
export function toCounts(tallies: readonly Raw[]): Counts {
  const byState = new Map<string, number>();
  const causes = new Map<string, number>();
  let [calls, callsOf] = [0, 0];
  for (const { state, cause, rows, calls: made, calls_of: of } of tallies) {
    byState.set(String(state), (byState.get(String(state)) ?? 0) + Number(rows));
    if (state === 'planned' || state === 'sending' || state === 'sent') continue;
    calls += Number(made ?? 0);
    callsOf += Number(of ?? 0);
    if (cause !== '' && Number(rows) > 0)
      causes.set(String(cause), (causes.get(String(cause)) ?? 0) + Number(rows));
  }
  const of = (state: RowState): number => byState.get(state) ?? 0;
  const inFlight = of('sending') + of('sent');
  const failed = of('dead-lettered') + of('refused');
  const ended = of('applied') + of('superseded') + failed;
  return {
    total: of('planned') + inFlight + ended,
    planned: of('planned'),
    inFlight,
    applied: of('applied'),
    superseded: of('superseded'),
    failed,
    ended,
    causes: [...causes].map(([cause, rows]) => ({ cause, rows })).sort((a, b) => b.rows - a.rows),
    calls,
    callsOf,
  };
}
