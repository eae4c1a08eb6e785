/** Facts derived from a job's standing, shared by text, JSON and pages. PURE. */
import { counted, number } from '../../text/numbers.ts';
import type { Counts, JobRecord, JobStanding, JobTimes, LeftOutCounts } from '../ledger/job.ts';
import type { JobState } from '../ledger/state.ts';
import { awaitsDevices } from '../rules/decide.ts';
import { idleNotes } from '../rules/idle.ts';

/** Rows to change, including those not yet in the ledger. */
export function rowsOf({ plan }: JobRecord, counts: Counts): number {
  return Math.max(counts.total, plan?.rows ?? 0);
}

/** Rows not sent, including those not yet in the ledger. */
export function notSentOf(job: JobRecord, counts: Counts): number {
  return rowsOf(job, counts) - counts.inFlight - counts.ended;
}

/** Whether every row of the plan has ended, and no rule still has to judge the devices. */
export function isOver(job: JobRecord, counts: Counts): boolean {
  return job.plan?.complete !== false && counts.ended === counts.total && !isToBeJudged(job, counts);
}

/** Whether all rows have ended but the job has not, since its devices must still be looked at. */
export function isToBeJudged({ plan }: JobRecord, counts: Counts): boolean {
  if (plan === undefined || ['done', 'aborted', 'cancelled', 'elsewhere'].includes(plan.state.name))
    return false;
  return (
    plan.complete && counts.ended === counts.total && awaitsDevices(plan.settings, plan.progress, counts)
  );
}

/** Whether it stopped before its end and may be resumed. */
export function wasStopped({ name, towards }: JobState): boolean {
  return name === 'stopped' || name === 'aborted' || towards === 'stopped' || towards === 'aborted';
}

/** Says that tasks have their former values again, and by which jobs, as a sentence without its full stop; undefined: none has. */
export function undoneNote({
  job,
  counts,
  undos,
}: Pick<JobStanding, 'job' | 'counts' | 'undos'>): string | undefined {
  const some = undos.filter(({ applied }) => applied > 0).toReversed();
  if (some.length === 0) return undefined;
  const restored = some.reduce((sum, { applied }) => sum + applied, 0);
  const by = some.map(({ jobId, applied }) => (some.length === 1 ? jobId : `${jobId} (${number(applied)})`));
  const has = restored === 1 ? 'task has its' : 'tasks have their';
  const later = isOver(job, counts) ? '' : ', and are not sent again when it continues';
  return `${number(restored)} ${has} former values again, restored by ${by.join(', ')}: the rows count as applied here${later}`;
}

/** Settings without effect in a job of this size that is not over: one sentence each, without its full stop. */
export function idleSettings(job: JobRecord, counts: Counts): readonly string[] {
  return job.plan === undefined || isOver(job, counts)
    ? []
    : idleNotes(job.plan.settings, rowsOf(job, counts));
}

/**
 * Why rows had no effect although they did not fail, as a sentence without its full stop; undefined if they all had. For a job
 * among others, superseded rows are a good end; for an undo, or if all rows are superseded, they are not.
 */
export function notDone({ plan }: JobRecord, counts: Counts): string | undefined {
  const { superseded, total: all } = counts;
  if (plan === undefined || superseded === 0) return undefined;
  if (plan.undoes !== undefined)
    return `${counted(superseded, 'row')} of ${plan.undoes} ${superseded === 1 ? 'was' : 'were'} not undone: something newer than this undo had been applied to the task`;
  if (superseded < all) return undefined;
  return `Nothing was changed: something newer had been applied to every task. If that is wrong, the clock that gave this job its time (${plan.issuedAt}) was slow, or another sender's clock was fast: compare the clocks, and make the plan again`;
}

/** The counts of rows left out, by kind. */
export function leftOutNote(
  { alreadyAsWanted, refused, duplicates }: LeftOutCounts,
  enqueued: boolean,
): string {
  const parts = [
    [alreadyAsWanted, 'as wanted'],
    [refused, 'refused'],
    [duplicates, 'duplicates'],
  ] as const;
  const some = parts.filter(([count]) => count > 0).map(([count, name]) => `${number(count)} ${name}`);
  return enqueued ? some.join(', ') : `by the plan: ${some.join(', ')}`;
}

/** Rows ended per second while it was worked on; undefined if none has ended. */
export function rateOf(times: JobTimes | undefined): number | undefined {
  if (times === undefined || times.rows === 0 || times.ms === 0) return undefined;
  return Math.round((times.rows / times.ms) * 10_000) / 10;
}

/** The share of calls that repeated a row's earlier call, which the API had throttled or failed. */
export function repeatedShare({ calls, callsOf }: Counts): number {
  return calls === 0 ? 0 : Math.max(0, calls - callsOf) / calls;
}
