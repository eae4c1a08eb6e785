/** `jobs retry JOB --only-failed`: another try for the rows that failed, and for no others. */
import type { Command } from 'commander';
import type { CommandContext } from '../../cli/context.ts';
import { whoIs } from '../../cli/who.ts';
import { misuse } from '../../errors.ts';
import { retryFailed } from '../steer/act.ts';
import { addGuardOptions, type GuardFlags, readGuardFlags } from './guard-flags.ts';
import { findPlannedJob } from './open.ts';
import { finishRun, followJob, withLease, withSession } from './session.ts';

export function addRetry(jobs: Command, context: CommandContext): void {
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
    const guards = readGuardFlags(flags, context);
    await withSession(context, async (session) => {
      const { ledger, collector, signal } = session;
      const job = await findPlannedJob(ledger, jobId, context);
      // All of them: rows that a redrive has applied meanwhile have not failed.
      await collector.collectWaiting(signal);
      const { end, retried } = await withLease(session, job, async (lease) => {
        const resume = `\`${context.commandLine('jobs', 'resume', jobId)}\``;
        const setting = { given: guards, now: context.clock.wall() };
        const tries = await retryFailed(ledger, lease, job, setting, { who: whoIs(context) }, resume);
        return { end: await followJob(session, lease, jobId), retried: tries };
      });
      await finishRun(session, jobId, end, { json: flags.json === true, retried });
    });
  });
}
