/** Opens the ledger and the queues for the commands of `jobs`, and finds the job that they are about. */
import { resolve } from 'node:path';
import type { CommandContext } from '../../cli/context.ts';
import { whoIs } from '../../cli/who.ts';
import { readConfig, readConfigForAws, readQueueUrls } from '../../config.ts';
import { misuse } from '../../errors.ts';
import type { Queue } from '../../queue/queue.ts';
import { didYouMean } from '../../text/nearest.ts';
import { printable, shortPrintable } from '../../text/printable.ts';
import type { JobRecord, PlannedJob } from '../ledger/job.ts';
import type { EndResult, Ledger, LedgerUse } from '../ledger/ledger.ts';
import { commandPatience, openLedgerAt, type Patience } from '../ledger/open.ts';
import type { Collector, CollectorOptions } from '../run/collector.ts';
import { OutcomesUnreadable } from '../run/unreadable.ts';
import { concludeJob } from '../steer/conclude.ts';
import { dueReports } from './file-report.ts';
import { notifySettings, withNotices } from './notify.ts';

export type LedgerCommand = Pick<
  CommandContext,
  'env' | 'clock' | 'cwd' | 'commandLine' | 'sleep' | 'random' | 'userName' | 'hostName' | 'stderr'
>;

/**
 * Runs `work` with the ledger of LEDGER_URL or STATE_DIR, and closes it. Only `create` creates the ledger and its folder; `read` also
 * accepts a ledger that this user may only read, or that does not exist.
 * @param signal aborts when the command is interrupted, which ends a wait for the ledger.
 * @param patience how long to wait for a ledger that is away; default: as for a command that does one thing.
 * @throws CommandError if the ledger cannot be opened, or does not exist for `write`.
 */
export async function withLedger<T>(
  context: LedgerCommand,
  use: LedgerUse,
  signal: AbortSignal,
  work: (ledger: Ledger) => Promise<T>,
  patience: Patience = commandPatience(signal, (sentence) => void context.stderr.write(`${sentence}.\n`)),
): Promise<T> {
  const { stateDir, ledgerUrl } = readConfig(context.env, ['stateDir', 'ledgerUrl']);
  const place = { stateDir: resolve(context.cwd, stateDir), ledgerUrl };
  const holder = whoIs(context);
  const ledger = await openLedgerAt(place, use, { ...context, holder, patience });
  try {
    if (use === 'write' && ledger.access === 'none') throw misuse(noJob(ledger, context));
    return await work(ledger);
  } finally {
    await ledger.close();
  }
}

type Hints = Pick<CommandContext, 'commandLine'>;

/** The message for a ledger without jobs, and for a missing ledger. */
export function noJob({ place, setting, access }: Ledger, { commandLine }: Hints): string {
  const where = `the ledger ${printable(place)}`;
  const what =
    access === 'none' ? `There is no job: ${where} does not exist yet` : `There is no job yet in ${where}`;
  return `${what}. \`${commandLine('jobs', 'plan')}\` makes a plan, \`jobs apply\` starts its job. ${setting} says where the ledger is.`;
}

/** @throws CommandError if there is no such job. */
export async function findJob(ledger: Ledger, jobId: string, hints: Hints): Promise<JobRecord> {
  const job = await ledger.job(jobId);
  if (job !== undefined) return job;
  if (ledger.access === 'none') throw misuse(noJob(ledger, hints));
  const { commandLine } = hints;
  const names = (await ledger.jobs()).map((one) => one.jobId);
  const hint = didYouMean(jobId, names) || ` All jobs: \`${commandLine('jobs', 'list')}\`.`;
  throw misuse(`There is no job ${shortPrintable(jobId)} in the ledger ${printable(ledger.place)}.${hint}`);
}

/** @throws CommandError if there is no such job, or only outcomes of it. */
export async function findPlannedJob(ledger: Ledger, jobId: string, hints: Hints): Promise<PlannedJob> {
  const job = await findJob(ledger, jobId, hints);
  const { plan } = job;
  if (plan !== undefined) return { ...job, plan };
  throw misuse(`The plan of job ${jobId} is not in this ledger, only outcomes that named it.`);
}

/** Time limit for collecting: workers may fill the queue as fast as it is emptied. */
export const MAX_COLLECT_MS = 10_000;
const SOCKETS = 16;

export interface Queues {
  readonly queue: (url: string) => Queue;
  readonly createCollector: (url: string, options: Omit<CollectorOptions, 'queue' | 'now'>) => Collector;
  /** How far this machine's clock is ahead of SQS's, in milliseconds; undefined if SQS does not tell. */
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
  const { watchClocks } = await import('../../queue/clock.ts');
  const { Queue } = await import('../../queue/queue.ts');
  const { explainNotice } = await import('../../queue/explain.ts');
  const { Collector } = await import('../run/collector.ts');
  const client = createSqsClient(sockets, {}, env);
  const clocks = watchClocks(client, clock);
  const queue = (url: string): Queue => {
    const one = new Queue(client, url);
    one.onNotice((notice) => say(explainNotice(notice)));
    return one;
  };
  return {
    queue,
    createCollector: (url, options) => new Collector({ ...options, queue: queue(url), now: clocks.earliest }),
    clockSkewMs: clocks.skewMs,
    close: () => client.destroy(),
  };
}

/**
 * Outcomes are deleted from their queue, so it must not serve another purpose.
 * @throws OutcomesUnreadable; CommandError if OUTCOME_QUEUE_URL names a queue that another setting also names, under any URL.
 */
export async function requireOwnQueues(
  { env }: Pick<CommandContext, 'env'>,
  { queue }: Queues,
): Promise<void> {
  const { findSameQueue } = await import('../../queue/distinct.ts');
  const { failedQueue } = await import('../../queue/errors.ts');
  const { explainSqsError } = await import('../../queue/explain.ts');
  const urls = readQueueUrls(env);
  const fault = await findSameQueue(urls, queue, 'OUTCOME_QUEUE_URL').catch((error: unknown) => {
    const url = failedQueue(error);
    if (url === undefined) throw error;
    const setting = Object.keys(urls).find((name) => urls[name] === url) ?? url;
    const hints = { setting, permission: 'sqs:GetQueueAttributes', does: 'receive' } as const;
    const why = explainSqsError(error, url, hints);
    const what =
      setting === 'OUTCOME_QUEUE_URL'
        ? 'Outcomes cannot be read'
        : `Outcomes are not read until it is known that OUTCOME_QUEUE_URL and ${setting} are different queues`;
    throw new OutcomesUnreadable(`${what}: ${why}. Nothing was sent.`);
  });
  if (fault !== undefined) throw misuse(fault);
}

/**
 * Collects waiting outcomes if OUTCOME_QUEUE_URL is set, and runs `work`. A queue that cannot be read is reported, but is no
 * reason to fail. While another process follows the job, collecting is left to that process.
 * @param jobId the job in question, which may be known only afterwards; undefined: the job that changed last.
 * @param work may start the collector it is given, to keep collecting if no process follows the job.
 */
export async function withCollected<T>(
  ledger: Ledger,
  jobId: string | undefined,
  context: CommandContext,
  signal: AbortSignal,
  work: (collector: Collector | undefined) => Promise<T>,
): Promise<T> {
  const { outcomeQueueUrl: url } = readConfig(context.env, ['outcomeQueueUrl']);
  const say = (sentence: string): void => void context.stderr.write(`${sentence}.\n`);
  if (url !== undefined && ledger.access === 'read')
    say('Outcomes that wait on the queue are not collected: the ledger is read-only here');
  if (url === undefined || ledger.access !== 'write') return await work(undefined);
  readConfigForAws(context.env, []);
  const queues = await openQueues(context, SOCKETS, say);
  const collector = queues.createCollector(url, {
    ...context,
    store: (outcomes) => ledger.end(outcomes),
    onStored: unknownJobsTeller(ledger, context, say),
    onTrouble: say,
  });
  try {
    const named = jobId === undefined ? await lastChanged(ledger) : await ledger.job(jobId);
    const followed = named !== undefined && (await isFollowed(ledger, named));
    const collected = requireOwnQueues(context, queues).then(
      () => followed || collector.collectWaiting(signal, MAX_COLLECT_MS),
    );
    const emptied = await collected.catch((error: unknown) => {
      if (!(error instanceof OutcomesUnreadable)) throw error;
      say(`${error.message.replace(/ Nothing was sent\.$|\.$/, '')} The ledger may be out of date`);
      return undefined;
    });
    if (emptied === false && !signal.aborted) say('More outcomes keep arriving: this is the state so far');
    const tell = { context, ledger, signal, say };
    await withNotices(readConfig(context.env, notifySettings), tell, async (targets) => {
      let concluded = false;
      for (const job of named === undefined ? [] : jobId === undefined ? await ledger.jobs() : [named])
        concluded = (await concludeJob(ledger, job, { who: whoIs(context), targets })) || concluded;
      if (concluded) await dueReports(ledger, context, say).file(signal);
    });
    return await work(emptied === undefined ? undefined : collector);
  } finally {
    await collector.stop();
    queues.close();
  }
}

/** Limit on jobs whose outcomes are reported: anyone who may send updates can name any number of jobs. */
const MAX_TOLD = 20;

/** Reports outcomes of jobs that are not in this ledger, once per job. @param say takes a sentence without its full stop. */
export function unknownJobsTeller(
  { place }: Ledger,
  { commandLine }: Hints,
  say: (sentence: string) => void,
): (stored: EndResult | undefined) => void {
  const told = new Set<string>();
  const tell = (jobId: string, kind: string, sentence: string): void => {
    const what = `${kind} ${jobId}`;
    if (told.has(what) || told.size >= MAX_TOLD) return;
    told.add(what);
    say(sentence);
  };
  return (stored) => {
    for (const { outcome } of stored?.left ?? []) {
      const { JobId: jobId = '' } = outcome;
      tell(
        jobId,
        'left',
        `The queue has outcomes of job ${jobId}, which the ledger ${printable(place)} does not have, or which was moved from it. They are left on the queue ` +
          'for the ledger that has the job: for an hour, or, if the job was moved from here, until that ledger takes them. Give each ledger its own OUTCOME_QUEUE_URL: two ledgers on one queue are both slow',
      );
    }
    for (const jobId of stored?.adopted ?? []) {
      tell(
        jobId,
        'kept',
        `No ledger has taken outcomes of job ${jobId} for an hour. They are kept in ${printable(place)}, which does not have the job: ` +
          `\`${commandLine('jobs', 'report', jobId)}\` prints them. If another ledger has the job, run \`jobs reconcile ${jobId}\` there`,
      );
    }
  };
}

/** Whether a process follows the job and collects its outcomes; a process that only sends it (`enqueue`) does not. */
export async function isFollowed(ledger: Ledger, { key, plan }: JobRecord): Promise<boolean> {
  return !(plan?.enqueued === true && !plan.complete) && (await ledger.isLeased(key));
}

/** The job that changed last, among those whose plan is in the ledger. */
export async function lastChanged(ledger: Ledger): Promise<JobRecord | undefined> {
  return (await ledger.jobs()).find(({ plan }) => plan !== undefined);
}
