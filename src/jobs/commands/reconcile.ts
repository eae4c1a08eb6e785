/** `jobs reconcile JOB`: ends the rows whose outcome never came. */
import type { Command } from 'commander';
import type { CommandContext } from '../../cli/context.ts';
import { addReasonOptions, deedOf, type ReasonFlags } from '../../cli/who.ts';
import { apiSettings, readConfigForAws } from '../../config.ts';
import { number } from '../../text/numbers.ts';
import { enterRest } from '../run/enter.ts';
import { reconcileRows } from '../steer/act.ts';
import { requireSteerable } from '../steer/resume.ts';
import { addGuardOptions, type GuardFlags, readGuardFlags } from './guard-flags.ts';
import { findPlannedJob } from './open.ts';
import { finishRun, followJob, interrupted, printStanding, withLease, withSession } from './session.ts';

export function addReconcile(jobs: Command, context: CommandContext): void {
  const command = jobs
    .command('reconcile')
    .summary('end the rows whose outcome never arrived')
    .description(
      'For lost outcomes: they expired, their queue was purged or was deleted and created again, or SQS moved ' +
        'the updates away itself. Reads the task of every row that was sent and has not ended. If the task has the values ' +
        'of the row, the row counts as applied; if not, it is sent again. Then continues the job like `jobs resume`.',
    )
    .argument('<job>', 'the job');
  addReasonOptions(addGuardOptions(command)).action(
    async (jobId: string, flags: GuardFlags & ReasonFlags) => {
      const guards = readGuardFlags(flags, context);
      const api = readConfigForAws(context.env, apiSettings);
      await withSession(context, async (session) => {
        const { ledger, collector, screen, signal } = session;
        const job = await findPlannedJob(ledger, jobId, context);
        // Rows planned again in such a job would never end.
        requireSteerable(job);
        const end = await withLease(session, job, async (lease) => {
          if (!(await enterRest(ledger, job, { ...context, signal }))) return interrupted;
          await collector.collectWaiting(signal);
          const { ended, total } = await ledger.count(job.key);
          if (ended === total) return undefined;
          const { createReader } = await import('../../ota/create-reader.ts');
          const reader = createReader(api, context, signal);
          const setting = { given: guards, now: context.clock.wall() };
          const read = { reader, signal, maxConcurrency: api.maxConcurrency };
          const deed = deedOf(context, flags);
          const found = await reconcileRows(ledger, lease, job, setting, deed, read).finally(() =>
            reader.close(),
          );
          screen.say(
            `reconciled: ${number(found.applied)} applied according to their tasks, ${number(found.gone)} without a task, ` +
              `${number(found.again)} to be sent again, ${number(found.unknown)} that could not be read`,
          );
          const followed = signal.aborted ? interrupted : await followJob(session, lease, jobId);
          return { ...followed, maybeTwice: followed.maybeTwice + found.again };
        });
        const json = flags.json === true;
        if (end !== undefined) return await finishRun(session, jobId, end, { json });
        screen.say(
          `All rows of job ${jobId} have ended: there is nothing to reconcile. Nothing was changed.`,
        );
        await printStanding(session, jobId, { json });
      });
    },
  );
}
