/** Converts tallies and runs to what is shown of a job. PURE. */
import { epochMs } from '../../../time/instant.ts';
import type { Counts, JobRecord, JobTimes, MeasuredRate } from '../job.ts';
import type { RowState } from '../row.ts';
import type { Raw } from './records.ts';

/** Pseudo-state by which {@link toCounts} learns how many ends were read from tasks: those rows are also in their own groups. */
export const RECONCILED = 'reconciled';

/** @param tallies `state`, `cause`, `rows`, `calls`, `calls_of` of each group, and the reconciled ends as {@link RECONCILED}. */
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
  const of = (state: RowState | typeof RECONCILED): number => byState.get(state) ?? 0;
  const inFlight = of('sending') + of('sent');
  const failed = of('dead-lettered') + of('refused');
  const notSent = of('not-sent');
  const ended = of('applied') + of('superseded') + failed + notSent;
  return {
    total: of('planned') + inFlight + ended,
    planned: of('planned'),
    inFlight,
    sending: of('sending'),
    applied: of('applied'),
    superseded: of('superseded'),
    failed,
    notSent,
    ended,
    endedByWorkers: of('applied') + of('superseded') + of('dead-lettered') - of(RECONCILED),
    causes: [...causes].map(([cause, rows]) => ({ cause, rows })).sort((a, b) => b.rows - a.rows),
    calls,
    callsOf,
  };
}

/**
 * When a job was worked on.
 * @param runs `started`, `last`, `ms` and `rows` of all its runs together; `started` is null if there are none.
 * @param lastEnd when the last row ended, as text, by the clock of the process that ended it; anything else if unknown.
 */
export function timesOf(
  { updatedAt }: JobRecord,
  counts: Counts,
  { started, last, ms, rows }: Raw,
  lastEnd: unknown,
): JobTimes | undefined {
  if (typeof started !== 'number') return undefined;
  // Rows may have ended after the last run. The ledger's own clock says when that was stored.
  const end = epochMs(String(lastEnd));
  const after = Math.min(Number.isNaN(end) ? 0 : end, updatedAt);
  const ended = counts.ended === counts.total;
  return {
    startedAt: started,
    endedAt: ended ? Math.max(Number(last), after) : undefined,
    ms: Number(ms),
    rows: Number(rows),
  };
}

/** @param runs `ms`, `rows` and `job_id` of the latest runs that were long enough to measure, latest first. */
export function measuredRateOf(runs: readonly Raw[]): MeasuredRate | undefined {
  const [latest] = runs;
  if (latest === undefined) return undefined;
  const of = (name: string): number => runs.reduce((sum, run) => sum + Number(run[name]), 0);
  return { perSecond: (of('rows') / of('ms')) * 1_000, jobId: String(latest.job_id) };
}
