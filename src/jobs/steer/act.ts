/** What people do to a job, the same from the command line, a page and the API. Users' errors are CommandErrors. */
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

/** @throws CommandError if the job's state does not allow it. */
export async function steerJob(
  ledger: Pick<Ledger, 'change'>,
  job: PlannedJob,
  event: JobEvent,
  deed: Deed,
): Promise<void> {
  if (await ledger.change(job.key, { event, who: deed.who, ...whyOf(deed) })) return;
  throw refusal(job, event);
}

/** For callers that ask the user first. @throws CommandError if the job's state does not allow it. */
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
 * @returns whether anything changed; settings that the job already has leave no line in the audit.
 * @throws CommandError if settings contradict each other, if there are none, and for a job that was cancelled or moved.
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
 * Lets a job continue that another process sends, or will send.
 * @param setting settings to add to those that the job has.
 * @returns whether its state changed.
 * @throws CommandError for a job that was cancelled, and if settings contradict each other.
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
 * Ends rows whose outcome never came by what their tasks show, and lets the job continue, as `resume` does.
 * @throws CommandError if settings contradict each other, and if tasks cannot be read at all.
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
 * @param setting settings to add to those that the job has.
 * @returns how many rows; if none, nothing is changed.
 * @throws CommandError if there are rows not yet sent, if the job was cancelled, and if settings contradict each other:
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
  // Rows planned again in such a job would never end.
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
