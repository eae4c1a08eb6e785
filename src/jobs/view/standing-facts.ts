/** What follows from a job's standing, for the text, the JSON and the pages alike. PURE. */
import { counted, number } from '../../text/numbers.ts';
import type { Counts, JobRecord, JobStanding, JobTimes, LeftOutCounts } from '../ledger/job.ts';
import type { JobState } from '../ledger/state.ts';
import { awaitsDevices } from '../rules/decide.ts';
import { idleNotes } from '../rules/idle.ts';

/** Rows to change, those among them that are not in the ledger yet. */
export function rowsOf({ plan }: JobRecord, counts: Counts): number {
  return Math.max(counts.total, plan?.rows ?? 0);
}

/** Those that are not in the ledger yet are not sent either. */
export function notSentOf(job: JobRecord, counts: Counts): number {
  return rowsOf(job, counts) - counts.inFlight - counts.ended;
}

/** Whether every row of the plan has ended, and no rule is still to judge the devices. */
export function isOver(job: JobRecord, counts: Counts): boolean {
  return job.plan?.complete !== false && counts.ended === counts.total && !isToBeJudged(job, counts);
}

/** Whether all rows have ended of a job that is not at its end, as its devices are to be looked at. */
export function isToBeJudged({ plan }: JobRecord, counts: Counts): boolean {
  if (plan === undefined || ['done', 'aborted', 'cancelled', 'elsewhere'].includes(plan.state.name))
    return false;
  return (
    plan.complete && counts.ended === counts.total && awaitsDevices(plan.settings, plan.progress, counts)
  );
}

/** Whether it stopped before its end, and may be resumed. */
export function wasStopped({ name, towards }: JobState): boolean {
  return name === 'stopped' || name === 'aborted' || towards === 'stopped' || towards === 'aborted';
}

/** That tasks have their former values again, by which jobs, as a sentence without its full stop; undefined: none has. */
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
  const later = isOver(job, counts) ? '' : ', and are not sent again when it goes on';
  return `${number(restored)} ${has} former values again, restored by ${by.join(', ')}: the rows count as applied here${later}`;
}

/** Settings of a job which is not over that do nothing in one of its size: a sentence for each, without its full stop. */
export function idleSettings(job: JobRecord, counts: Counts): readonly string[] {
  return job.plan === undefined || isOver(job, counts)
    ? []
    : idleNotes(job.plan.settings, rowsOf(job, counts));
}

/**
 * Why rows that did not fail were not done either, as a sentence without its full stop; undefined when they were.
 * That rows are superseded is a good end of a job beside others, and none of a job that changed nothing or of an undo.
 */
export function notDone({ plan }: JobRecord, counts: Counts): string | undefined {
  const { superseded, total: all } = counts;
  if (plan === undefined || superseded === 0) return undefined;
  if (plan.undoes !== undefined)
    return `${counted(superseded, 'row')} of ${plan.undoes} ${superseded === 1 ? 'was' : 'were'} not undone: something newer than this undo had been applied to the task`;
  if (superseded < all) return undefined;
  return `Nothing was changed: something newer had been applied to every task. If that is not so, the clock that gave this job its time (${plan.issuedAt}) was behind, or that of another sender ahead: compare them, and make the plan again`;
}

/** Of which kinds they are. */
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

/** Rows that ended per second while it was at work; undefined where none has. */
export function rateOf(times: JobTimes | undefined): number | undefined {
  if (times === undefined || times.rows === 0 || times.ms === 0) return undefined;
  return Math.round((times.rows / times.ms) * 10_000) / 10;
}

/** The share of calls that were not a row's first: the API had throttled or failed the one before. */
export function repeatedShare({ calls, callsOf }: Counts): number {
  return calls === 0 ? 0 : Math.max(0, calls - callsOf) / calls;
}
