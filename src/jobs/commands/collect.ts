/** Outcomes that wait on their queue, taken into the ledger once. */
import type { CommandContext } from '../../cli/context.ts';
import { readConfigForAws } from '../../config.ts';
import type { Ledger } from '../ledger/ledger.ts';
import { MAX_COLLECT_MS, openQueues, requireOwnQueues, unknownJobsTeller } from './open.ts';

/** Requests in flight at once. */
const SOCKETS = 16;

/**
 * Stores what waits on the outcome queue, for at most {@link MAX_COLLECT_MS}.
 * @param say takes a sentence without its full stop.
 * @returns whether it came to the queue's end.
 * @throws OutcomesUnreadable when the queue cannot be read; CommandError where it is another one's, or holds what is no outcome.
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
