/** The ledger as the commands of `jobs` open it, and the job that they are about. */
import type { CommandContext } from '../../cli/context.ts';
import { readConfig } from '../../config.ts';
import { misuse } from '../../errors.ts';
import { shortPrintable } from '../../text/printable.ts';
import type { JobRecord, PlannedJob } from '../ledger/job.ts';
import type { Ledger } from '../ledger/ledger.ts';
import { openLedger } from '../ledger/sqlite/ledger.ts';

/** Runs `work` with the ledger of STATE_DIR, and closes it. @throws CommandError when it cannot be opened. */
export async function withLedger<T>(
  { env, clock }: Pick<CommandContext, 'env' | 'clock'>,
  work: (ledger: Ledger) => Promise<T>,
): Promise<T> {
  const ledger = await openLedger(readConfig(env, ['stateDir']).stateDir, clock.wall);
  try {
    return await work(ledger);
  } finally {
    await ledger.close();
  }
}

/** @throws CommandError when there is no such job. */
export async function findJob(ledger: Ledger, jobId: string): Promise<JobRecord> {
  const job = await ledger.job(jobId);
  if (job !== undefined) return job;
  throw misuse(`There is no job ${shortPrintable(jobId)}: see \`ota-updater jobs list\`.`);
}

/** @throws CommandError when there is no such job, or only outcomes of it. */
export async function findPlannedJob(ledger: Ledger, jobId: string): Promise<PlannedJob> {
  const job = await findJob(ledger, jobId);
  const { plan } = job;
  if (plan !== undefined) return { ...job, plan };
  throw misuse(`The plan of job ${jobId} is not in this ledger, only outcomes that named it.`);
}
