/** `jobs retry JOB --only-failed`: another try for the rows that failed, and for no others. */
import type { Command } from 'commander';
import { misuse } from '../../cli/flags.ts';
import type { CommandIo } from '../../cli/io.ts';
import { countFrom } from '../run/guards.ts';
import { addGuardOptions, type GuardFlags, readGuards } from './guard-flags.ts';
import { finishRun, followJob, plannedJob, withLock, withSession } from './session.ts';
import { type JobSurroundings, realSurroundings } from './surroundings.ts';

/** Adds the command. It prints to `io` alone, sets `io.exitCode` or throws CommandError. */
export function addRetry(
  jobs: Command,
  io: CommandIo,
  surroundings: JobSurroundings = realSurroundings,
): void {
  const command = jobs
    .command('retry')
    .summary('try the failed rows of a job again')
    .description(
      'Sends the failed rows of a job once more, as another try: late outcomes of an earlier one do not count as its ' +
        'failures. Rows that the job had not sent yet are left for `jobs resume`.',
    )
    .argument('<job>', 'the job')
    .option('--only-failed', 'the failed rows, and no others (the one choice there is)');
  addGuardOptions(command).action(async (jobId: string, flags: GuardFlags & { onlyFailed?: boolean }) => {
    if (flags.onlyFailed !== true)
      throw misuse('Say --only-failed: the failed rows are what can be tried again.');
    const guards = readGuards(flags);
    await withSession(io, surroundings, async (session) => {
      const { ledger, collector } = session;
      const job = plannedJob(ledger, jobId);
      // Redriven letters may have been applied meanwhile: what their outcomes say is no failure any more.
      await collector.drain(session.signal);
      const { end, retried } = await withLock(session, job, async () => {
        const { planned } = ledger.counts(job.key);
        if (planned > 0 || !job.plan.complete) {
          throw misuse(
            `Job ${jobId} has rows that were not sent yet: \`ota-updater jobs resume ${jobId}\` first.`,
          );
        }
        const tries = ledger.retryFailed(job.key);
        ledger.setCounting(job.key, countFrom(ledger.counts(job.key)));
        return { end: await followJob(session, jobId, guards), retried: tries };
      });
      finishRun(session, jobId, end, { json: flags.json === true, retried }, io);
    });
  });
}
