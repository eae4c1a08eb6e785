/** First signal drains, second forces. */
import { type CommandIo, exitCodes } from './io.ts';

/**
 * Calls `stop` on the first SIGINT or SIGTERM and leaves at once on the second.
 * @returns resolves when `stop` has ended.
 */
export function stopOnSignal(io: CommandIo, stop: () => Promise<void>): Promise<void> {
  return new Promise((resolve, reject) => {
    let signals = 0;
    io.onSignal((signal) => {
      signals++;
      if (signals === 1) stop().then(resolve, reject);
      else io.exitNow(signal === 'SIGINT' ? exitCodes.interrupted : exitCodes.terminated);
    });
  });
}
