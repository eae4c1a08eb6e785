/** `jobs resume JOB`: continues a job that was stopped, killed or interrupted. */
import type { Command } from 'commander';
import type { CommandContext } from '../../cli/context.ts';
import { enterRest } from '../run/enter.ts';
import { addGuardOptions, type GuardFlags, readGuards } from './guard-flags.ts';
import { findPlannedJob, MAX_COLLECT_MS } from './open.ts';
import { finishRun, followJob, interrupted, withLease, withSession } from './session.ts';

export function addResume(jobs: Command, context: CommandContext): void {
  const command = jobs
    .command('resume')
    .summary('continue a job')
    .description(
      'Sends what a job has not sent yet and follows it to its end. Rows that were being sent when a process ' +
        'died are sent again; their number is printed. The flags of the first apply hold, unless they are given again.',
    )
    .argument('<job>', 'the job');
  addGuardOptions(command).action(async (jobId: string, flags: GuardFlags) => {
    const guards = readGuards(flags);
    await withSession(context, async (session) => {
      const { ledger, collector, signal } = session;
      const job = await findPlannedJob(ledger, jobId, context);
      await collector.collectWaiting(signal, MAX_COLLECT_MS);
      const end = await withLease(session, job, async (lease) => {
        if (!(await enterRest(ledger, job, { ...context, signal }))) return interrupted;
        return await followJob(session, lease, jobId, guards);
      });
      await finishRun(session, jobId, end, { json: flags.json === true });
    });
  });
}
