/** Lets a job that stands still go on. */
import { misuse } from '../../errors.ts';
import { printable } from '../../text/printable.ts';
import { instant } from '../../text/times.ts';
import type { JobRecord, PlannedJob } from '../ledger/job.ts';
import type { Ledger } from '../ledger/ledger.ts';
import { awaitsUndo } from '../run/undo-on-abort.ts';

/**
 * Makes a paused, stopping, stopped or aborted job go on. Where a rule had stopped it, the rule counts from here: whoever resumes
 * it has seen why.
 */
export async function resumeJob(
  ledger: Pick<Ledger, 'change' | 'lastSent'>,
  job: PlannedJob,
  who: string,
  why?: string,
): Promise<boolean> {
  // It is undone first; another resume goes on with it.
  if (awaitsUndo(job)) return false;
  return await ledger.change(job.key, {
    event: 'resume',
    who,
    ...(why !== undefined && { why }),
    countsFrom: await countsFromNow(ledger, job),
  });
}

/** From where stages and rules count in a job that is told to go on: from now on if a rule had stopped it, else as before. */
export async function countsFromNow(
  ledger: Pick<Ledger, 'lastSent'>,
  { key, plan }: PlannedJob,
): Promise<number | undefined> {
  const { name, towards } = plan.state;
  return name === 'aborted' || towards === 'aborted' ? await ledger.lastSent(key) : undefined;
}

/** @throws CommandError for a job that was cancelled, and one that another ledger has. */
export function requireSteerable(job: JobRecord | undefined): void {
  requireHere(job);
  if (job?.plan?.state.name !== 'cancelled' && job?.plan?.state.towards !== 'cancelled') return;
  throw misuse(
    `Job ${job.jobId} was cancelled, which is final. Make the plan again with another --job. Nothing was changed.`,
  );
}

/** @throws CommandError for a job that another ledger has: two would send its rows. */
export function requireHere(job: JobRecord | undefined): void {
  if (job?.plan?.state.name !== 'elsewhere') return;
  const { isCopy = false, since, who, why } = job.plan.state;
  const what = isCopy
    ? `Job ${job.jobId} is a copy here: the ledger that it was exported from has it, and sends it.`
    : `Job ${job.jobId} was moved from here by ${printable(who)}, ${instant(since)} UTC` +
      `${why === undefined ? '' : ` (${printable(why)})`}: the ledger that this export is imported in has it, and sends it.`;
  // The process that exported it may have been killed before the file was there.
  const lost = isCopy ? '' : ', and `jobs export` writes a file that is lost once more';
  throw misuse(
    `${what} Where that is not so, or is so no more, \`jobs import FILE --take-over\` makes it this ledger's${lost}. Nothing was changed.`,
  );
}
