/** Lets a job that stands still continue. */
import { misuse } from '../../errors.ts';
import { printable } from '../../text/printable.ts';
import { instant } from '../../text/times.ts';
import type { JobRecord, PlannedJob } from '../ledger/job.ts';
import type { Ledger } from '../ledger/ledger.ts';
import { awaitsUndo } from '../run/undo-on-abort.ts';

/**
 * Lets a paused, stopping, stopped or aborted job continue. If a rule had stopped it, the rule counts from here: the person who
 * resumes it has seen why.
 */
export async function resumeJob(
  ledger: Pick<Ledger, 'change' | 'lastSent'>,
  job: PlannedJob,
  who: string,
  why?: string,
): Promise<boolean> {
  // The undo is made first; another resume then lets the job continue.
  if (awaitsUndo(job)) return false;
  return await ledger.change(job.key, {
    event: 'resume',
    who,
    ...(why !== undefined && { why }),
    countsFrom: await countsFromNow(ledger, job),
  });
}

/** Where stages and rules count from in a resumed job: from now on if a rule had stopped it, otherwise as before. */
export async function countsFromNow(
  ledger: Pick<Ledger, 'lastSent'>,
  { key, plan }: PlannedJob,
): Promise<number | undefined> {
  const { name, towards } = plan.state;
  return name === 'aborted' || towards === 'aborted' ? await ledger.lastSent(key) : undefined;
}

/** @throws CommandError for a job that was cancelled, or that another ledger has. */
export function requireSteerable(job: JobRecord | undefined): void {
  requireHere(job);
  if (job?.plan?.state.name !== 'cancelled' && job?.plan?.state.towards !== 'cancelled') return;
  throw misuse(
    `Job ${job.jobId} was cancelled, which is final. Make the plan again with another --job. Nothing was changed.`,
  );
}

/** @throws CommandError for a job that another ledger has: otherwise both ledgers would send its rows. */
export function requireHere(job: JobRecord | undefined): void {
  if (job?.plan?.state.name !== 'elsewhere') return;
  const { isCopy = false, since, who, why } = job.plan.state;
  const what = isCopy
    ? `Job ${job.jobId} is a copy here: the ledger that it was exported from owns it and sends it.`
    : `Job ${job.jobId} was moved from here by ${printable(who)}, ${instant(since)} UTC` +
      `${why === undefined ? '' : ` (${printable(why)})`}: the ledger that imports this export owns it and sends it.`;
  // The process that exported it may have been killed before the file was there.
  const lost = isCopy ? '' : '; `jobs export` writes a lost file again';
  throw misuse(
    `${what} If that is not true, or no longer true, \`jobs import FILE --take-over\` makes it this ledger's${lost}. Nothing was changed.`,
  );
}
