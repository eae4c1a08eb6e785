/** `jobs retry JOB --only-failed`: another try for the rows that failed, and for no others. */
import type { Command } from 'commander';
import type { CommandContext } from '../../cli/context.ts';
import { addReasonOptions, deedOf, type ReasonFlags } from '../../cli/who.ts';
import { misuse } from '../../errors.ts';
import { retryFailed } from '../steer/act.ts';
import { addGuardOptions, type GuardFlags, readGuardFlags } from './guard-flags.ts';
import { findPlannedJob } from './open.ts';
import { finishRun, followJob, printStanding, withLease, withSession } from './session.ts';

export function addRetry(jobs: Command, context: CommandContext): void {
  const command = jobs
    .command('retry')
    .summary('try the failed rows of a job again')
    .description(
      'Sends the failed rows of a job once more, as another try: late outcomes of an earlier try do not count as ' +
        'failures of this one. Rows that the job had not sent yet are left for `jobs resume`.',
    )
    .argument('<job>', 'the job')
    .option('--only-failed', 'only the failed rows; required, as there is no other choice');
  addReasonOptions(addGuardOptions(command)).action(async (jobId: string, flags: RetryFlags) => {
    if (flags.onlyFailed !== true) throw misuse('Give --only-failed: only failed rows can be tried again.');
    const guards = readGuardFlags(flags, context);
    await withSession(context, async (session) => {
      const { ledger, collector, screen, signal } = session;
      const job = await findPlannedJob(ledger, jobId, context);
      // Collect everything: rows that a redrive has applied meanwhile have not failed.
      await collector.collectWaiting(signal);
      const ran = await withLease(session, job, async (lease) => {
        const resume = `\`${context.commandLine('jobs', 'resume', jobId)}\``;
        const setting = { given: guards, now: context.clock.wall() };
        const tries = await retryFailed(ledger, lease, job, setting, deedOf(context, flags), resume);
        return tries === 0 ? undefined : { end: await followJob(session, lease, jobId), retried: tries };
      });
      const json = flags.json === true;
      if (ran !== undefined) return await finishRun(session, jobId, ran.end, { json, retried: ran.retried });
      screen.say(`Job ${jobId} has no failed rows: there is nothing to retry. Nothing was changed.`);
      await printStanding(session, jobId, { json, retried: 0 });
    });
  });
}

interface RetryFlags extends GuardFlags, ReasonFlags {
  readonly onlyFailed?: boolean;
}
