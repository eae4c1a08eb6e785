/** Outcomes that wait on their queue: collected before a command shows what the ledger has. */
import type { CommandContext } from '../../cli/context.ts';
import { type Environment, readConfig } from '../../config.ts';
import { CommandError } from '../../errors.ts';
import type { Queue } from '../../queue/queue.ts';
import type { JobRecord } from '../ledger/job.ts';
import type { Ledger } from '../ledger/ledger.ts';
import type { Collector, CollectorOptions } from '../run/collector.ts';

/** Nobody waits longer than this: workers may fill the queue as fast as it is emptied. */
export const MAX_COLLECT_MS = 10_000;
const SOCKETS = 16;

export interface Queues {
  readonly queue: (url: string) => Queue;
  readonly createCollector: (url: string, options: Omit<CollectorOptions, 'queue'>) => Collector;
  readonly close: () => void;
}

/** Loaded when used: the SDK takes 25 MB. @param sockets requests in flight at once. */
export async function openQueues(env: Environment, sockets: number): Promise<Queues> {
  const { createSqsClient, silentLogger } = await import('../../queue/client.ts');
  const { Queue } = await import('../../queue/queue.ts');
  const { Collector } = await import('../run/collector.ts');
  const client = createSqsClient(sockets, { logger: silentLogger }, env);
  const queue = (url: string): Queue => new Queue(client, url);
  return {
    queue,
    createCollector: (url, options) => new Collector({ ...options, queue: queue(url) }),
    close: () => client.destroy(),
  };
}

/**
 * Collects what waits, if OUTCOME_QUEUE_URL is set, and runs `work`. A queue that cannot be read is reported, and no
 * reason to fail. While another process follows the job, collecting is left to that process.
 * @param work may start the collector it is given, to go on collecting.
 */
export async function withCollected<T>(
  ledger: Ledger,
  job: JobRecord,
  context: CommandContext,
  signal: AbortSignal,
  work: (collector: Collector | undefined) => Promise<T>,
): Promise<T> {
  const { outcomeQueueUrl: url } = readConfig(context.env, ['outcomeQueueUrl']);
  if (url === undefined || (await ledger.isLeased(job.key))) return await work(undefined);
  const say = (sentence: string): void => void context.stderr.write(`${sentence}.\n`);
  const queues = await openQueues(context.env, SOCKETS);
  const collector = queues.createCollector(url, {
    ...context,
    store: (messages) => ledger.end(messages),
    onStored: () => {},
    onTrouble: say,
  });
  try {
    const emptied = await collector.collectWaiting(signal, MAX_COLLECT_MS).catch((error: unknown) => {
      if (!(error instanceof CommandError)) throw error;
      say(`${error.message.replace(/ Nothing was sent\.$|\.$/, '')} The ledger may know less than there is`);
      return undefined;
    });
    if (emptied === false && !signal.aborted) say('More outcomes keep coming: this is the state so far');
    return await work(emptied === undefined ? undefined : collector);
  } finally {
    await collector.stop();
    queues.close();
  }
}
