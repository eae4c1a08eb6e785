/** What people do to a job: the same from the command line, a page and the API. Faults of theirs are CommandErrors. */
import { CommandError, misuse } from '../../errors.ts';
import type { PlannedJob } from '../ledger/job.ts';
import type { Lease, Ledger } from '../ledger/ledger.ts';
import { type JobEvent, nextState } from '../ledger/state.ts';
import type { ReadTasksOptions } from '../plan/read-tasks.ts';
import { type Reconciled, reconcileJob } from '../run/reconcile.ts';
import type { Deed } from './deed.ts';
import { giveSettings, type Setting } from './given.ts';
import { countsFromNow, requireHere, requireSteerable, resumeJob } from './resume.ts';

const whyOf = ({ why }: Deed) => why !== undefined && { why };

/** @throws CommandError when the job is in a state in which that cannot be. */
export async function steerJob(
  ledger: Pick<Ledger, 'change'>,
  job: PlannedJob,
  event: JobEvent,
  deed: Deed,
): Promise<void> {
  if (await ledger.change(job.key, { event, who: deed.who, ...whyOf(deed) })) return;
  throw refusal(job, event);
}

/** For who asks the user first. @throws CommandError when the job is in a state in which that cannot be. */
export function requirePossible(job: PlannedJob, event: JobEvent): void {
  if (nextState(job.plan.state, event) === undefined) throw refusal(job, event);
}

/** @throws CommandError for a job that another ledger has. */
function refusal(job: PlannedJob, event: JobEvent): CommandError {
  requireHere(job);
  const { name, towards } = job.plan.state;
  return new CommandError(
    `Job ${job.jobId} is ${towards === 'cancelled' ? 'being cancelled' : name}: ${event} changes nothing.`,
  );
}

/**
 * Changes how a job is sent.
 * @returns whether anything changed: what the job has already leaves no line in the audit.
 * @throws CommandError for settings that contradict each other, for none, and for a job that was cancelled or moved.
 */
export async function setJob(
  ledger: Pick<Ledger, 'setSettings' | 'hasFormer' | 'count'>,
  job: PlannedJob,
  setting: Setting & Required<Pick<Setting, 'unset'>>,
  deed: Deed,
): Promise<boolean> {
  if (Object.keys(setting.given).length + setting.unset.length === 0)
    throw misuse('Say what to change, as in --window 500.');
  requireSteerable(job);
  return await giveSettings(ledger, job, setting, deed);
}

/**
 * Lets a job go on that another process sends, or is to send.
 * @param setting what it goes on with, besides the settings it has.
 * @returns whether that changed its state.
 * @throws CommandError for a job that was cancelled, and settings that contradict each other.
 */
export async function letGoOn(
  ledger: Pick<Ledger, 'change' | 'count' | 'lastSent' | 'setSettings' | 'hasFormer'>,
  job: PlannedJob,
  setting: Setting,
  deed: Deed,
): Promise<boolean> {
  requireSteerable(job);
  await giveSettings(ledger, job, setting, deed);
  return await resumeJob(ledger, job, deed.who, deed.why);
}

/**
 * Ends the rows whose outcome never came by what their tasks say, and lets the job go on: it has been told to, as by `resume`.
 * @throws CommandError for settings that contradict each other, and when tasks cannot be read at all.
 */
export async function reconcileRows(
  ledger: Pick<Ledger, 'change' | 'count' | 'lastSent' | 'setSettings' | 'hasFormer'>,
  lease: Pick<Lease, 'reconcile' | 'unended'>,
  job: PlannedJob,
  setting: Setting,
  deed: Deed,
  read: ReadTasksOptions,
  onTask?: (count: number) => void,
): Promise<Reconciled> {
  await giveSettings(ledger, job, setting, deed);
  const countsFrom = await countsFromNow(ledger, job);
  await ledger.change(job.key, { event: 'retry', who: deed.who, ...whyOf(deed), countsFrom });
  return await reconcileJob(lease, read, onTask);
}

/**
 * Plans the failed rows again, as another try, and no others; rules count from here.
 * @param setting what they are sent by, besides the settings the job has.
 * @returns how many; without any, nothing is changed.
 * @throws CommandError when rows were not sent yet, for a job that was cancelled, and for settings that contradict each other:
 * then nothing is changed.
 */
export async function retryFailed(
  ledger: Pick<Ledger, 'count' | 'lastSent' | 'setSettings' | 'hasFormer'>,
  lease: Pick<Lease, 'retryFailed'>,
  job: PlannedJob,
  setting: Setting,
  deed: Deed,
  resume: string,
): Promise<number> {
  // Planned again, they would never end.
  requireSteerable(job);
  const { planned, failed } = await ledger.count(job.key);
  if (planned > 0 || !job.plan.complete)
    throw misuse(`Job ${job.jobId} has rows that were not sent yet: ${resume} first.`);
  if (failed === 0) return 0;
  await giveSettings(ledger, job, setting, deed);
  return await lease.retryFailed({
    who: deed.who,
    ...whyOf(deed),
    countsFrom: await ledger.lastSent(job.key),
  });
}
