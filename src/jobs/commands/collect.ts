/** Stores the outcomes that wait on their queue, once. */
import type { CommandContext } from '../../cli/context.ts';
import { readConfigForAws } from '../../config.ts';
import type { Ledger } from '../ledger/ledger.ts';
import { MAX_COLLECT_MS, openQueues, requireOwnQueues, unknownJobsTeller } from './open.ts';

/** Requests in flight at once. */
const SOCKETS = 16;

/**
 * Stores the outcomes that wait on their queue, for at most {@link MAX_COLLECT_MS}.
 * @param say takes a sentence without its full stop.
 * @returns whether it reached the end of the queue.
 * @throws OutcomesUnreadable if the queue cannot be read; CommandError if it serves another purpose, or holds other messages.
 */
export async function collectWaiting(
  context: CommandContext,
  ledger: Ledger,
  outcomeQueueUrl: string,
  say: (sentence: string) => void,
): Promise<boolean> {
  readConfigForAws(context.env, []);
  const queues = await openQueues(context, SOCKETS, say);
  const collector = queues.createCollector(outcomeQueueUrl, {
    ...context,
    store: (outcomes) => ledger.end(outcomes),
    onStored: unknownJobsTeller(ledger, context, say),
    onTrouble: say,
  });
  try {
    await requireOwnQueues(context, queues);
    return await collector.collectWaiting(new AbortController().signal, MAX_COLLECT_MS);
  } finally {
    await collector.stop();
    queues.close();
  }
}
