/** Outcomes that wait on their queue, heard before a command shows what the ledger says. */

import type { CommandIo } from '../../cli/io.ts';
import { readConfig } from '../../config.ts';
import { EnqueueFailure } from '../../input/faults.ts';
import type { Ledger } from '../ledger/ledger.ts';
import type { JobRecord } from '../ledger/types.ts';
import type { Collector } from '../run/collector.ts';
import type { JobSurroundings } from './surroundings.ts';

/** Longer than this nobody waits: workers may fill the queue as fast as it is emptied. */
const HEAR_MS = 10_000;
const SOCKETS = 16;

/** @returns whether all that waited was heard. @throws EnqueueFailure when the queue cannot be read. */
export async function hear(
  collector: Collector,
  { sleep }: Pick<JobSurroundings, 'sleep'>,
  signal: AbortSignal,
): Promise<boolean> {
  const heard = new AbortController();
  const enough = new AbortController();
  const late = sleep(HEAR_MS, heard.signal).then(() => enough.abort());
  try {
    return await collector.drain(AbortSignal.any([signal, enough.signal]));
  } finally {
    heard.abort();
    await late;
  }
}

/**
 * Hears what waits, as far as OUTCOME_QUEUE_URL is set, and runs `work`; a queue that cannot be read is said and no
 * reason to fail. A job that another process follows is left to that one.
 * @param work may start the collector it is given, to go on hearing.
 */
export async function withHearing<T>(
  ledger: Ledger,
  job: JobRecord,
  { io, surroundings, signal }: { io: CommandIo; surroundings: JobSurroundings; signal: AbortSignal },
  work: (collector: Collector | undefined) => Promise<T>,
): Promise<T> {
  const { outcomeQueueUrl: url } = readConfig(io.env, ['outcomeQueueUrl']);
  if (url === undefined || ledger.isFollowed(job.key)) return await work(undefined);
  // The SDK takes 25 MB that this command does without where there is nothing to hear.
  const { createSqsClient, silentLogger } = await import('../../queue/client.ts');
  const { Queue } = await import('../../queue/queue.ts');
  const { Collector } = await import('../run/collector.ts');
  const client = createSqsClient(SOCKETS, { logger: silentLogger }, io.env);
  const say = (sentence: string): void => void io.stderr.write(`${sentence}.\n`);
  const collector = new Collector({
    ...surroundings,
    queue: new Queue(client, url),
    store: (arrivals) => ledger.store(arrivals),
    onStored: () => {},
    onTrouble: say,
  });
  try {
    const heard = await hear(collector, surroundings, signal).catch((error: unknown) => {
      if (!(error instanceof EnqueueFailure)) throw error;
      say(`${error.message.replace(/ Nothing was sent\.$|\.$/, '')} The ledger may know less than there is`);
      return undefined;
    });
    if (heard === false && !signal.aborted) say('More outcomes keep coming: this is how it stands so far');
    return await work(heard === undefined ? undefined : collector);
  } finally {
    await collector.stop();
    client.destroy();
  }
}
