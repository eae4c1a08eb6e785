/** Releases a plan in the ledger to the processes that send its jobs. */
import { CommandError } from '../../errors.ts';
import { duration } from '../../text/times.ts';
import { epochMs } from '../../time/instant.ts';
import type { PlannedJob } from '../ledger/job.ts';
import type { Ledger } from '../ledger/ledger.ts';
import type { Plan } from '../plan/reader.ts';
import { isOpen, nextOpening, opensText } from '../rules/schedule.ts';
import type { Deed } from './deed.ts';
import { giveSettings, type Setting } from './given.ts';
import { resumeJob } from './resume.ts';

/**
 * @param job must have all its rows in the ledger. @param setting settings to add to those that the job has.
 * @throws CommandError if settings contradict each other.
 */
export async function releaseJob(
  ledger: Pick<Ledger, 'job' | 'change' | 'setSettings' | 'count' | 'lastSent' | 'hasFormer'>,
  job: PlannedJob,
  setting: Setting,
  deed: Deed,
): Promise<void> {
  const { who, why } = deed;
  await giveSettings(ledger, job, setting, deed);
  await resumeJob(ledger, job, who, why);
  await ledger.change(job.key, { event: 'release', who, ...(why !== undefined && { why }) });
  const { settings = {} } = (await ledger.job(job.jobId))?.plan ?? {};
  const until = isOpen(settings, setting.now) ? undefined : nextOpening(settings, setting.now);
  if (until !== undefined)
    await ledger.change(job.key, { event: 'wait', who: `${who}, a rule`, why: opensText(until) });
}

/**
 * @param now epoch milliseconds.
 * @throws CommandError if the job to be undone has a later IssuedAt than an undo could have now.
 */
export async function refuseEarlyUndo(
  ledger: Pick<Ledger, 'job'>,
  { header }: Pick<Plan, 'header'>,
  now: number,
): Promise<void> {
  if (header.Undoes === undefined) return;
  const issuedAt = (await ledger.job(header.Undoes))?.plan?.issuedAt;
  if (issuedAt === undefined) return;
  const early = epochMs(issuedAt) - now;
  if (early < 0) return;
  throw new CommandError(
    `The time of job ${header.Undoes}, ${issuedAt}, is ${duration(Math.ceil(early / 1_000))} in the future: an undo that is sent now ` +
      'would be superseded by it. Nothing was sent. Apply it when that time has passed.',
  );
}
