/** `jobs resume JOB`: goes on with a job that was stopped, killed or interrupted. */
import type { Command } from 'commander';
import { InputFault } from '../../enqueue/faults.ts';
import { readPlan } from '../../jobs/plan-reader.ts';
import { printable } from '../../message/printable.ts';
import type { CommandIo } from '../io.ts';
import { enterPlan, interrupted } from './apply.ts';
import { addGuardOptions, type GuardFlags, readGuards } from './guard-flags.ts';
import { finishRun, followJob, plannedJob, type Session, withLock, withSession } from './session.ts';
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
      'Sends what a job has not sent yet and follows it to its end. Rows that were on their way when a process\n' +
        'died are sent again; how many is said. The flags of the first apply hold, unless they are given anew.',
    )
    .argument('<job>', 'the job');
  addGuardOptions(command).action(async (jobId: string, flags: GuardFlags) => {
    const guards = readGuards(flags);
    await withSession(io, surroundings, async (session) => {
      const job = plannedJob(session.ledger, jobId);
      await session.collector.probe();
      const end = await withLock(session, job, async () => {
        if (!job.plan.complete && !(await enterAgain(session, jobId, io, surroundings))) return interrupted;
        return await followJob(session, jobId, guards);
      });
      finishRun(session, jobId, end, { json: flags.json === true }, io);
    });
  });
}

/** Goes on with entering rows, from the plan file where it was. */
async function enterAgain(
  session: Session,
  jobId: string,
  io: CommandIo,
  surroundings: JobSurroundings,
): Promise<boolean> {
  const { path, digest } = plannedJob(session.ledger, jobId).plan;
  const plan = await readPlan(path, { ...surroundings, stdin: io.stdin, signal: session.signal });
  try {
    if (plan.footer.Digest !== digest) {
      throw new InputFault(
        `${printable(path)} is not the plan that job ${jobId} began with. Apply the right one: it goes on where it stopped.`,
      );
    }
    return await enterPlan(session, jobId, plan);
  } finally {
    await plan.close();
  }
}
