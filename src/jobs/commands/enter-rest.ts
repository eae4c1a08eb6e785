/** Entering the rest of a plan: a process may have died while it entered the rows of a job. */

import type { CommandIo } from '../../cli/io.ts';
import { InputFault } from '../../input/faults.ts';
import { printable } from '../../text/printable.ts';
import { readPlan } from '../plan/reader.ts';
import { enterPlan } from './apply.ts';
import type { plannedJob, Session } from './session.ts';
import type { JobSurroundings } from './surroundings.ts';

/**
 * Sees to it that all rows of the job's plan are in the ledger, from the plan file where it was.
 * @returns false when it was interrupted.
 * @throws InputFault when the file is not the plan that the job began with.
 */
export async function enterRest(
  session: Session,
  { jobId, plan: { complete, path, digest } }: ReturnType<typeof plannedJob>,
  io: CommandIo,
  surroundings: JobSurroundings,
): Promise<boolean> {
  if (complete) return true;
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
