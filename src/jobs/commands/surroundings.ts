/** What the commands of `jobs` take from the process besides its streams, and how they end early. */

import { CommandError, type CommandIo, exitCodes } from '../../cli/io.ts';
import { EnqueueFailure, InputFault } from '../../input/faults.ts';
import { type Clock, sleep, systemClock } from '../../time/clock.ts';

export interface JobSurroundings {
  readonly cwd: string;
  readonly clock: Clock;
  readonly random: () => number;
  /** Resolves after `ms`, or at once when `signal` aborts. */
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>;
}

export const realSurroundings: JobSurroundings = {
  get cwd() {
    return process.cwd();
  },
  clock: systemClock,
  random: Math.random,
  sleep,
};

/**
 * Runs `work` with a signal that the first SIGINT or SIGTERM aborts; the second one leaves at once.
 * @throws CommandError for what the user can mend.
 */
export async function interruptible<T>(io: CommandIo, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const interrupted = new AbortController();
  const off = io.onSignal((signal) => {
    if (!interrupted.signal.aborted) interrupted.abort();
    else io.exitNow(signal === 'SIGINT' ? exitCodes.interrupted : exitCodes.terminated);
  });
  try {
    return await work(interrupted.signal);
  } catch (error) {
    if (error instanceof InputFault) throw new CommandError(error.message, exitCodes.misuse);
    if (error instanceof EnqueueFailure) throw new CommandError(error.message, exitCodes.failed);
    // Nothing that sends ends so: only reading, before the first row is sent.
    if (interrupted.signal.aborted && isAbort(error)) {
      throw new CommandError('Interrupted. Nothing was sent.', exitCodes.interrupted);
    }
    throw error;
  } finally {
    off();
  }
}

function isAbort(error: unknown): boolean {
  return error instanceof Error && error.name === 'AbortError';
}
