/** What people do to a job: the same from the command line, a page and the API. Faults of theirs are CommandErrors. */
import { CommandError, misuse } from '../../errors.ts';
import type { PlannedJob } from '../ledger/job.ts';
import type { Lease, Ledger } from '../ledger/ledger.ts';
import type { JobEvent } from '../ledger/state.ts';
import { type Unsettable, without } from '../rules/given.ts';
import { countFrom } from '../rules/progress.ts';
import { type JobSettings, refuseContradictions, withSettings } from '../rules/settings.ts';
import { requireFormer } from '../run/undo-on-abort.ts';
import { refuseCancelled, resumeJob } from './resume.ts';

/** Who does it, and why: a sentence without its full stop. */
export interface Deed {
  readonly who: string;
  readonly why?: string | undefined;
}

const whyOf = ({ why }: Deed) => why !== undefined && { why };

/** @throws CommandError when the job is in a state in which that cannot be. */
export async function steerJob(
  ledger: Pick<Ledger, 'change'>,
  job: PlannedJob,
  event: JobEvent,
  deed: Deed,
): Promise<void> {
  if (await ledger.change(job.key, { event, who: deed.who, ...whyOf(deed) })) return;
  const { name, towards } = job.plan.state;
  throw new CommandError(
    `Job ${job.jobId} is ${towards === 'cancelled' ? 'being cancelled' : name}: ${event} changes nothing.`,
  );
}

export interface Setting {
  readonly given: JobSettings;
  readonly unset: readonly Unsettable[];
  /** Epoch milliseconds. */
  readonly now: number;
}

/** Changes how a job is sent. @throws CommandError for settings that contradict each other, and for none. */
export async function setJob(
  ledger: Pick<Ledger, 'setSettings' | 'hasFormer'>,
  job: PlannedJob,
  { given, unset, now }: Setting,
  deed: Deed,
): Promise<void> {
  if (Object.keys(given).length + unset.length === 0) throw misuse('Say what to change, as in --window 500.');
  const settings = { ...without(job.plan.settings, unset), ...given };
  refuseContradictions(settings, now);
  await requireFormer(ledger, job, given);
  await ledger.setSettings(job.key, { settings, who: deed.who, ...whyOf(deed) });
}

/**
 * Lets a job go on that another process sends, or is to send.
 * @param given settings that it goes on with, besides those it has.
 * @returns whether that changed its state.
 * @throws CommandError for a job that was cancelled, and settings that contradict each other.
 */
export async function letGoOn(
  ledger: Pick<Ledger, 'change' | 'control' | 'count' | 'setSettings'>,
  job: PlannedJob,
  { given, now }: Pick<Setting, 'given' | 'now'>,
  deed: Deed,
): Promise<boolean> {
  refuseCancelled(job);
  const settings = withSettings(job.plan.settings, given, now);
  if (Object.keys(given).length > 0)
    await ledger.setSettings(job.key, { settings, who: deed.who, ...whyOf(deed) });
  return await resumeJob(ledger, job, deed.who, deed.why);
}

/**
 * Plans the failed rows again, as another try, and no others; rules count from here.
 * @returns how many.
 * @throws CommandError when rows were not sent yet.
 */
export async function retryFailed(
  ledger: Pick<Ledger, 'change' | 'control' | 'count'>,
  lease: Pick<Lease, 'retryFailed'>,
  job: PlannedJob,
  deed: Deed,
  resume: string,
): Promise<number> {
  const { planned } = await ledger.count(job.key);
  if (planned > 0 || !job.plan.complete)
    throw misuse(`Job ${job.jobId} has rows that were not sent yet: ${resume} first.`);
  const tries = await lease.retryFailed();
  await ledger.change(job.key, { event: 'retry', who: deed.who, ...whyOf(deed) });
  await ledger.control(job.key, { progress: countFrom(await ledger.count(job.key), job.plan.progress) });
  return tries;
}
