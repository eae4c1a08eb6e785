/** `jobs apply PLAN`: sends exactly the plan, and follows every row to its end. */
import { resolve } from 'node:path';
import type { Command } from 'commander';
import type { CommandIo } from '../../cli/io.ts';
import { type Plan, readPlan } from '../plan/reader.ts';
import { enterJob, enterRows } from '../run/register.ts';
import { addGuardOptions, type GuardFlags, readGuards } from './guard-flags.ts';
import { finishRun, followJob, hearFirst, type Session, withLock, withSession } from './session.ts';
import { type JobSurroundings, realSurroundings } from './surroundings.ts';

/** Adds the command. It prints to `io` alone, sets `io.exitCode` or throws CommandError. */
export function addApply(
  jobs: Command,
  io: CommandIo,
  surroundings: JobSurroundings = realSurroundings,
): void {
  const command = jobs
    .command('apply')
    .summary('send a plan and follow every row to its end')
    .description(
      'Sends exactly the rows of a plan to the queue, never more than a window ahead of their ends, and follows ' +
        'every row to its end by the outcomes that workers publish. Applying a plan again goes on with it.',
    )
    .argument('<plan>', 'the plan file');
  addGuardOptions(command).action(async (file: string, flags: GuardFlags) => {
    const guards = readGuards(flags);
    await withSession(io, surroundings, async (session) => {
      const plan = await readPlan(file, { ...surroundings, stdin: io.stdin, signal: session.signal });
      try {
        await hearFirst(session);
        const job = enterJob(session.ledger, plan, resolve(surroundings.cwd, file));
        const end = await withLock(session, job, async () => {
          if (!(await enterPlan(session, job.jobId, plan))) return interrupted;
          return await followJob(session, job.jobId, guards);
        });
        finishRun(session, job.jobId, end, { json: flags.json === true }, io);
      } finally {
        await plan.close();
      }
    });
  });
}

/** How a command ends that was interrupted before anything was sent. */
export const interrupted = { end: 'interrupted', reason: 'Interrupted', maybeTwice: 0 } as const;

/** Enters the plan's rows, unless they are there. @returns false when interrupted. */
export async function enterPlan({ ledger, signal }: Session, jobId: string, plan: Plan): Promise<boolean> {
  const job = ledger.job(jobId);
  if (job === undefined || job.plan?.complete === true) return job !== undefined;
  return await enterRows(ledger, job, plan, signal);
}
