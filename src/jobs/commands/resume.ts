/** `jobs resume JOB`: goes on with a job that was stopped, killed or interrupted. */
import type { Command } from 'commander';
import type { CommandIo } from '../../cli/io.ts';
import { interrupted } from './apply.ts';
import { enterRest } from './enter-rest.ts';
import { addGuardOptions, type GuardFlags, readGuards } from './guard-flags.ts';
import { finishRun, followJob, hearFirst, plannedJob, withLock, withSession } from './session.ts';
import { type JobSurroundings, realSurroundings } from './surroundings.ts';

/** Adds the command. It prints to `io` alone, sets `io.exitCode` or throws CommandError. */
export function addResume(
  jobs: Command,
  io: CommandIo,
  surroundings: JobSurroundings = realSurroundings,
): void {
  const command = jobs
    .command('resume')
    .summary('go on with a job')
    .description(
      'Sends what a job has not sent yet and follows it to its end. Rows that were on their way when a process ' +
        'died are sent again; how many is said. The flags of the first apply hold, unless they are given anew.',
    )
    .argument('<job>', 'the job');
  addGuardOptions(command).action(async (jobId: string, flags: GuardFlags) => {
    const guards = readGuards(flags);
    await withSession(io, surroundings, async (session) => {
      const job = plannedJob(session.ledger, jobId);
      await hearFirst(session);
      const end = await withLock(session, job, async () => {
        if (!(await enterRest(session, job, io, surroundings))) return interrupted;
        return await followJob(session, jobId, guards);
      });
      finishRun(session, jobId, end, { json: flags.json === true }, io);
    });
  });
}
