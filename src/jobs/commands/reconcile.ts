/** `jobs reconcile JOB`: ends the rows whose outcome never came. */
import type { Command } from 'commander';
import type { CommandIo } from '../../cli/io.ts';
import { apiSettings, readConfig } from '../../config.ts';
import { reconcileJob } from '../run/reconcile-job.ts';
import { number } from '../view/wording.ts';
import { interrupted } from './apply.ts';
import { enterRest } from './enter-rest.ts';
import { addGuardOptions, type GuardFlags, readGuards } from './guard-flags.ts';
import { finishRun, followJob, plannedJob, withLock, withSession } from './session.ts';
import { type JobSurroundings, realSurroundings } from './surroundings.ts';

/** Adds the command. It prints to `io` alone, sets `io.exitCode` or throws CommandError. */
export function addReconcile(
  jobs: Command,
  io: CommandIo,
  surroundings: JobSurroundings = realSurroundings,
): void {
  const command = jobs
    .command('reconcile')
    .summary('end the rows whose outcome never came')
    .description(
      'For outcomes that were lost: their queue was purged, made anew or let them expire, or SQS moved the updates ' +
        'away itself. Reads the task of every row that was sent and has not ended: the row has been applied when the ' +
        'task is as the row wants it, and is sent again when not. Then goes on with the job like `jobs resume`.',
    )
    .argument('<job>', 'the job');
  addGuardOptions(command).action(async (jobId: string, flags: GuardFlags) => {
    const guards = readGuards(flags);
    const api = readConfig(io.env, apiSettings);
    await withSession(io, surroundings, async (session) => {
      const { ledger, collector, screen, signal } = session;
      const job = plannedJob(ledger, jobId);
      const end = await withLock(session, job, async () => {
        if (!(await enterRest(session, job, io, surroundings))) return interrupted;
        await collector.drain(signal);
        const { createReader } = await import('./reader.ts');
        const reader = createReader(api, surroundings, signal);
        let again = 0;
        try {
          const options = { ledger, job, reader, signal, maxConcurrency: api.maxConcurrency };
          const found = await reconcileJob({ ...options, onProgress: () => {} });
          again = found.again;
          screen.say(
            `reconciled: ${number(found.applied)} applied by what the task says, ${number(found.gone)} without a task, ` +
              `${number(found.again)} to be sent again, ${number(found.unknown)} that could not be read`,
          );
        } finally {
          await reader.close();
        }
        if (signal.aborted) return { ...interrupted, maybeTwice: again };
        const followed = await followJob(session, jobId, guards);
        return { ...followed, maybeTwice: followed.maybeTwice + again };
      });
      finishRun(session, jobId, end, { json: flags.json === true }, io);
    });
  });
}
