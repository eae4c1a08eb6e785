/** The result of a change of a job's state, and the records of changes and notices. PURE. */
import { isDeepStrictEqual } from 'node:util';
import { countFrom, type StageProgress } from '../../rules/progress.ts';
import type {
  AuditLine,
  Counts,
  JobControl,
  NewAuditLine,
  NewNotice,
  PendingNotice,
  SettingsChange,
  StateChange,
} from '../job.ts';
import { ANY_TARGET, type NewFile, REPORT_TARGET } from '../ledger.ts';
import { type JobState, nextState } from '../state.ts';
import { requireOwn } from './own.ts';
import { parsed, type Raw, toProgress, toSettings, toState } from './records.ts';

/** The columns of `jobs` that {@link changeState} and {@link changeControl} read. */
export const STATE_COLUMNS =
  'job_id, guards, counting, state, towards, state_since, state_who, state_why, kept_state, is_copy';

/**
 * The state that a change leads to, its line in the audit, and its notices; undefined if it changes nothing.
 * @param job the job's row, with {@link STATE_COLUMNS}. @param now epoch milliseconds.
 */
export function changeState(
  job: Raw | undefined,
  { event, who, why, since, notice }: StateChange,
  now: number,
):
  | { readonly state: JobState; readonly line: NewAuditLine; readonly notices: readonly NewNotice[] }
  | undefined {
  if (job === undefined) return undefined;
  const before = toState(job);
  if (since !== undefined && since !== before.since) return undefined;
  const next = nextState(before, event);
  if (next === undefined) return undefined;
  // When the job has come to rest, the state still gives the reason for the stop.
  const reason =
    next.name === before.towards ? (why ?? before.why) : event === 'take-over' ? before.kept?.why : why;
  const state: JobState = {
    ...next,
    // `since` distinguishes two changes in one millisecond.
    since: Math.max(now, before.since + 1),
    who,
    ...(reason !== undefined && { why: reason }),
    ...(event === 'move' && { kept: before }),
  };
  const detail = { from: before.name, to: state.name };
  const filesReport =
    atRest.has(state.name) && event !== 'take-over' && toSettings(job.guards).reportTo !== undefined;
  return {
    state,
    line: { who, what: event, subject: String(job.job_id), why, detail },
    notices: [
      ...(notice === undefined ? [] : [notice]),
      ...(filesReport ? [{ kind: 'report', targets: [REPORT_TARGET] } as const] : []),
    ],
  };
}

/** Where a job's stages and rules count from when they start anew, as the column stores it. @param job with {@link STATE_COLUMNS}. */
export function countedFrom(job: Raw | undefined, counts: Counts, lastSent: number): string {
  return JSON.stringify(countFrom(counts, toProgress(job?.counting), lastSent));
}

/** A job's state as its columns store it. @returns with `moves`: the number to add. */
export function stateColumns({ name: state, towards, since: now, who, why, kept }: JobState) {
  const keptState = kept === undefined ? null : JSON.stringify(kept);
  return {
    state,
    towards: towards ?? null,
    now,
    who,
    why: why ?? null,
    keptState,
    moves: kept === undefined ? 0 : 1,
  };
}

/** Sets the state columns of `:key`. */
export const SET_STATE = `UPDATE jobs SET state = :state, towards = :towards, state_since = :now, state_who = :who, state_why = :why,
  kept_state = :keptState, moves = moves + :moves, updated_at = :now WHERE key = :key`;

/** States in which nothing more happens to the job by itself. */
const atRest: ReadonlySet<JobState['name']> = new Set(['done', 'stopped', 'aborted', 'cancelled']);

/**
 * How a job is sent after a change, as its columns store it, with the line in the audit; undefined if there is no such job, or
 * nothing changes.
 * @param job the job's row, with {@link STATE_COLUMNS}. @throws what the change throws; JobMoved if another ledger has it.
 */
export function changeControl(
  job: Raw | undefined,
  { change, who, why }: SettingsChange,
): { readonly guards: string; readonly counting: string; readonly line: NewAuditLine } | undefined {
  if (job === undefined) return undefined;
  // No sender here would follow the change.
  requireOwn(job);
  const before: JobControl = { settings: toSettings(job.guards), progress: toProgress(job.counting) };
  const { settings, progress } = { ...before, ...change(before) };
  if (isDeepStrictEqual({ settings, progress }, before)) return undefined;
  const detail = { from: before.settings, to: settings };
  return {
    guards: JSON.stringify(settings),
    counting: JSON.stringify(progress),
    line: { who, what: 'set', subject: String(job.job_id), why, detail },
  };
}

/**
 * How far a job is through its stages, as its column is to store it; undefined if the stored progress is no longer `before`. For a job
 * that is gone nothing is stored; that does not count as a change by others.
 * @param job with {@link STATE_COLUMNS}. @throws JobMoved if another ledger has it.
 */
export function changeProgress(
  job: Raw | undefined,
  progress: StageProgress,
  before: StageProgress,
): string | undefined {
  requireOwn(job);
  const isAsBefore = job === undefined || isDeepStrictEqual(toProgress(job.counting), before);
  return isAsBefore ? JSON.stringify(progress) : undefined;
}

/** @param job with {@link STATE_COLUMNS}. */
export function isBeingCancelled(job: Raw | undefined): boolean {
  return job?.state === 'cancelled' || job?.towards === 'cancelled';
}

/** The audit line for a file that is being sent under a job's name. */
export function enqueueLine({ jobId: subject, who, why, source, digest, rows }: NewFile): NewAuditLine {
  return { who, what: 'enqueue', subject, why, detail: { source, digest, rows } };
}

export function toAuditLine(raw: Raw): AuditLine {
  return {
    seq: Number(raw.seq),
    at: Number(raw.at),
    who: String(raw.who),
    what: String(raw.what),
    subject: String(raw.subject),
    why: typeof raw.why === 'string' ? raw.why : undefined,
    detail: parsed(raw.detail),
  };
}

/** @param raw a row of `notices` with the `job_id` of its job. */
export function toNotice(raw: Raw): PendingNotice {
  return {
    id: Number(raw.seq),
    jobId: String(raw.job_id),
    kind: raw.kind as NewNotice['kind'],
    at: Number(raw.at),
    state: parsed<JobState>(raw.state),
    counts: parsed<Counts>(raw.counts),
    targets: parsed<readonly string[]>(raw.targets),
    told: parsed<readonly string[]>(raw.told),
    failures: Number(raw.failures),
  };
}

/** What the column `targets` holds for a notice to {@link ANY_TARGET}. */
export const anyTarget = JSON.stringify([ANY_TARGET]);

/** The targets of a notice once a process that has `takers` has taken it. */
export function takenBy(notice: PendingNotice, takers: readonly string[]): PendingNotice {
  return notice.targets.includes(ANY_TARGET) ? { ...notice, targets: namedOf(takers) } : notice;
}

/** `takers` without {@link ANY_TARGET}. */
export function namedOf(takers: readonly string[]): readonly string[] {
  return takers.filter((name) => name !== ANY_TARGET);
}

/** The targets that have a notice once `target` has it too, and whether these are all targets. */
export function toldWith(
  notice: Raw,
  target: string,
): { readonly told: readonly string[]; readonly all: boolean } {
  const told = new Set(parsed<readonly string[]>(notice.told)).add(target);
  return { told: [...told], all: parsed<readonly string[]>(notice.targets).every((one) => told.has(one)) };
}
