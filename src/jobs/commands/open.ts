/** Ledger and queues as the commands of `jobs` open them, and the job that they are about. */
import type { CommandContext } from '../../cli/context.ts';
import { readConfig, readConfigForAws } from '../../config.ts';
import { CommandError, misuse } from '../../errors.ts';
import type { Queue } from '../../queue/queue.ts';
import { didYouMean } from '../../text/nearest.ts';
import { printable, shortPrintable } from '../../text/printable.ts';
import type { JobRecord, PlannedJob } from '../ledger/job.ts';
import type { Ledger } from '../ledger/ledger.ts';
import { openLedger } from '../ledger/sqlite/ledger.ts';
import type { Collector, CollectorOptions } from '../run/collector.ts';

/** Runs `work` with the ledger of STATE_DIR, and closes it. @throws CommandError when it cannot be opened. */
export async function withLedger<T>(
  { env, clock }: Pick<CommandContext, 'env' | 'clock'>,
  work: (ledger: Ledger) => Promise<T>,
): Promise<T> {
  const ledger = await openLedger(readConfig(env, ['stateDir']).stateDir, clock.wall);
  try {
    return await work(ledger);
  } finally {
    await ledger.close();
  }
}

type Hints = Pick<CommandContext, 'commandLine'>;

/** @throws CommandError when there is no such job. */
export async function findJob(ledger: Ledger, jobId: string, { commandLine }: Hints): Promise<JobRecord> {
  const job = await ledger.job(jobId);
  if (job !== undefined) return job;
  const names = (await ledger.jobs()).map((one) => one.jobId);
  const hint = didYouMean(jobId, names) || ` All jobs: \`${commandLine('jobs', 'list')}\`.`;
  throw misuse(`There is no job ${shortPrintable(jobId)} in the ledger ${printable(ledger.place)}.${hint}`);
}

/** @throws CommandError when there is no such job, or only outcomes of it. */
export async function findPlannedJob(ledger: Ledger, jobId: string, hints: Hints): Promise<PlannedJob> {
  const job = await findJob(ledger, jobId, hints);
  const { plan } = job;
  if (plan !== undefined) return { ...job, plan };
  throw misuse(`The plan of job ${jobId} is not in this ledger, only outcomes that named it.`);
}

/** Nobody waits longer than this: workers may fill the queue as fast as it is emptied. */
export const MAX_COLLECT_MS = 10_000;
const SOCKETS = 16;

export interface Queues {
  readonly queue: (url: string) => Queue;
  readonly createCollector: (url: string, options: Omit<CollectorOptions, 'queue'>) => Collector;
  /** How far this machine's clock is ahead of SQS's, in milliseconds; undefined when SQS does not tell. */
  readonly clockSkewMs: (queue: Queue) => Promise<number | undefined>;
  readonly close: () => void;
}

/**
 * Loaded when used: the SDK takes 25 MB.
 * @param sockets requests in flight at once.
 * @param say tells the user a sentence, given without its full stop.
 */
export async function openQueues(
  { env, clock }: Pick<CommandContext, 'env' | 'clock'>,
  sockets: number,
  say: (sentence: string) => void,
): Promise<Queues> {
  const { createSqsClient } = await import('../../queue/client.ts');
  const { clockSkewReader } = await import('../../queue/clock.ts');
  const { Queue } = await import('../../queue/queue.ts');
  const { explainNotice } = await import('../../queue/explain.ts');
  const { Collector } = await import('../run/collector.ts');
  const client = createSqsClient(sockets, {}, env);
  const queue = (url: string): Queue => {
    const one = new Queue(client, url);
    one.onNotice((notice) => say(explainNotice(notice)));
    return one;
  };
  return {
    queue,
    createCollector: (url, options) => new Collector({ ...options, queue: queue(url) }),
    clockSkewMs: clockSkewReader(client, clock),
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
  readConfigForAws(context.env, []);
  const say = (sentence: string): void => void context.stderr.write(`${sentence}.\n`);
  const queues = await openQueues(context, SOCKETS, say);
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
