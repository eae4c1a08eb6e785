/** `jobs apply PLAN`: sends exactly the plan, and follows every row to its end. */
import { resolve } from 'node:path';
import type { Command } from 'commander';
import type { CommandContext } from '../../cli/context.ts';
import { readPlan } from '../plan/reader.ts';
import { enterJob, enterRows } from '../run/enter.ts';
import { addGuardOptions, type GuardFlags, readGuards } from './guard-flags.ts';
import { MAX_COLLECT_MS } from './open.ts';
import { finishRun, followJob, interrupted, withLease, withSession } from './session.ts';

export function addApply(jobs: Command, context: CommandContext): void {
  const command = jobs
    .command('apply')
    .summary('send a plan and follow every row to its end')
    .description(
      'Sends exactly the rows of a plan to the queue, never more than a window ahead of their ends, and follows ' +
        'every row to its end by the outcomes that workers publish. Applying a plan again continues its job.',
    )
    .argument('<plan>', 'the plan file');
  addGuardOptions(command).action(async (file: string, flags: GuardFlags) => {
    const guards = readGuards(flags);
    await withSession(
      context,
      async (session) => {
        const { ledger, collector, signal, checkClock } = session;
        const plan = await readPlan(file, { ...context, signal });
        try {
          // A redrive may have ended rows since. It also proves that the queue can be read.
          await collector.collectWaiting(signal, MAX_COLLECT_MS);
          // The job's IssuedAt is fixed with it.
          await checkClock();
          const job = await enterJob(ledger, plan, resolve(context.cwd, file));
          const end = await withLease(session, job, async (lease) => {
            if (!(await enterRows(ledger, job, plan, signal))) return interrupted;
            return await followJob(session, lease, job.jobId, guards);
          });
          await finishRun(session, job.jobId, end, { json: flags.json === true });
        } finally {
          await plan.close();
        }
      },
      'create',
    );
  });
}
