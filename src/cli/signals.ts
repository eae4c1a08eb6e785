/** The first SIGINT or SIGTERM ends the work in an orderly way; the second ends the process. */
import { CommandError, exitCodes } from '../errors.ts';
import type { CommandContext } from './context.ts';

type Signals = Pick<CommandContext, 'onSignal' | 'exitNow'>;

/**
 * Runs `work` with a signal that the first SIGINT or SIGTERM aborts. The second one ends the process.
 * @throws what `work` throws; CommandError instead of the AbortError of an interruption.
 */
export async function interruptible<T>(
  context: Signals,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const interrupted = new AbortController();
  const off = onFirstSignal(context, () => interrupted.abort());
  try {
    return await work(interrupted.signal);
  } catch (error) {
    // Work that has changed something reports its interruption itself.
    if (interrupted.signal.aborted && error instanceof Error && error.name === 'AbortError') {
      throw new CommandError('Interrupted. Nothing was changed.', exitCodes.interrupted);
    }
    throw error;
  } finally {
    off();
  }
}

/**
 * Calls `stop` on the first SIGINT or SIGTERM. The second one ends the process.
 * @returns resolves when `stop` has ended.
 */
export function stopOnSignal(context: Signals, stop: () => Promise<void>): Promise<void> {
  return new Promise((resolve, reject) => {
    onFirstSignal(context, () => stop().then(resolve, reject));
  });
}

function onFirstSignal({ onSignal, exitNow }: Signals, act: () => void): () => void {
  let first = true;
  return onSignal((signal) => {
    if (!first) exitNow(signal === 'SIGINT' ? exitCodes.interrupted : exitCodes.terminated);
    else {
      first = false;
      act();
    }
  });
}
