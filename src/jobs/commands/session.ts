/** What the commands that send have in common: the ledger, both queues, the screen, and how such a command ends. */

import { CommandError, type CommandIo, exitCodes } from '../../cli/io.ts';
import { readConfig } from '../../config.ts';
import { InputFault } from '../../input/faults.ts';
import type { Queue } from '../../queue/queue.ts';
import { createScreen, type Screen } from '../../text/live-block.ts';
import { shortPrintable } from '../../text/printable.ts';
import { type Ledger, openLedger } from '../ledger/ledger.ts';
import type { Guards, JobRecord } from '../ledger/types.ts';
import type { Collector } from '../run/collector.ts';
import { countFrom } from '../run/guards.ts';
import type { JobView, RunEnd } from '../run/run-job.ts';
import { standingOf } from '../run/standing.ts';
import { Wakeup } from '../run/wakeup.ts';
import { type RunNotes, standingJson, standingText } from '../view/job-summary.ts';
import { progressBlock, progressLine } from '../view/progress-view.ts';
import { hear } from './hear.ts';
import { interruptible, type JobSurroundings } from './surroundings.ts';

export interface Session {
  readonly ledger: Ledger;
  readonly updates: Queue;
  readonly collector: Collector;
  readonly wakeup: Wakeup;
  readonly screen: Screen<JobView>;
  readonly signal: AbortSignal;
  readonly surroundings: JobSurroundings;
}

/** Requests under way at once: sends, polls and deletes. */
const SOCKETS = 40;

/**
 * Runs `work` with everything open, and closes it.
 * @throws ConfigError; CommandError for what the user can mend.
 */
export async function withSession<T>(
  io: CommandIo,
  surroundings: JobSurroundings,
  work: (session: Session) => Promise<T>,
): Promise<T> {
  const config = readConfig(io.env, ['queueUrl', 'stateDir'], ['outcomeQueueUrl']);
  // The SDK takes 25 MB that other commands of this group do without.
  const { createSqsClient, silentLogger } = await import('../../queue/client.ts');
  const { Queue } = await import('../../queue/queue.ts');
  const { Collector } = await import('../run/collector.ts');
  return await interruptible(io, async (signal) => {
    const ledger = openLedger(config.stateDir, surroundings.clock.wall);
    const client = createSqsClient(SOCKETS, { logger: silentLogger }, io.env);
    const wakeup = new Wakeup();
    const screen = createScreen<JobView>({
      stream: io.stderr,
      isTerminal: io.isTerminal,
      now: surroundings.clock.monotonic,
      block: progressBlock,
      line: progressLine,
    });
    const collector = new Collector({
      ...surroundings,
      queue: new Queue(client, config.outcomeQueueUrl),
      store: (arrivals) => ledger.store(arrivals),
      onStored: ({ strays }) => {
        if (strays > 0)
          screen.say(`${strays} on the outcome queue are no outcomes; kept aside in the ledger`);
        wakeup.wake();
      },
      onTrouble: (sentence) => screen.say(`${sentence}.`),
    });
    try {
      const updates = new Queue(client, config.queueUrl);
      return await work({ ledger, updates, collector, wakeup, screen, signal, surroundings });
    } finally {
      screen.stop();
      await collector.stop();
      ledger.close();
      client.destroy();
    }
  });
}

/**
 * Takes in what outcomes wait already, of redriven letters say, before it is decided what there is to do. Not longer
 * than a while: other jobs may fill the queue as fast as it is emptied, and it is heard all along.
 * @throws EnqueueFailure when the queue cannot be read: nothing could be followed then.
 */
export async function hearFirst({ collector, signal, surroundings }: Session): Promise<void> {
  await hear(collector, surroundings, signal);
}

/**
 * Runs `work` as the one process that sends this job's rows.
 * @throws CommandError when another process does.
 */
export async function withLock<T>({ ledger }: Session, job: JobRecord, work: () => Promise<T>): Promise<T> {
  const unlock = ledger.lock(job.key);
  if (unlock === undefined) {
    throw new CommandError(
      `Job ${job.jobId} is in another process's hands. Watch it with \`ota-updater jobs status ${job.jobId} --watch\`, or stop that process first.`,
    );
  }
  try {
    return await work();
  } finally {
    unlock();
  }
}

/** @throws InputFault when there is no such job, or only outcomes of it. */
export function plannedJob(
  ledger: Ledger,
  jobId: string,
): JobRecord & { plan: NonNullable<JobRecord['plan']> } {
  const job = ledger.job(jobId);
  if (job === undefined) {
    throw new InputFault(`There is no job ${shortPrintable(jobId)}: see \`ota-updater jobs list\`.`);
  }
  const { plan } = job;
  if (plan === undefined) {
    throw new InputFault(`The plan of job ${jobId} is not in this ledger, only outcomes that named it.`);
  }
  return { ...job, plan };
}

/** Sends what is planned, with these guards besides those the job has, and follows it to the end. */
export async function followJob(session: Session, jobId: string, guards: Partial<Guards>): Promise<RunEnd> {
  const { ledger, collector, updates, screen, surroundings } = session;
  const before = plannedJob(ledger, jobId);
  ledger.setGuards(before.key, { ...before.plan.guards, ...guards });
  // A canary asked for now is of the rows that are sent from now on.
  if (guards.canary !== undefined) ledger.setCounting(before.key, countFrom(ledger.counts(before.key)));
  const { runJob } = await import('../run/run-job.ts');
  collector.start();
  return await runJob({
    ...session,
    ...surroundings,
    job: plannedJob(ledger, jobId),
    queueUrl: updates.url,
    send: (messages) => updates.send(messages),
    onView: (view) => {
      // The collector ends by itself only when the ledger fails, and nothing goes on without one.
      if (collector.broken !== undefined) throw collector.broken;
      screen.update(view);
    },
  });
}

const exitOf = {
  stopped: exitCodes.stoppedByThreshold,
  interrupted: exitCodes.interrupted,
  failed: exitCodes.failed,
} as const;

/** Prints where the job stands and sets the exit code. @throws CommandError when it did not come to its end. */
export function finishRun(
  { ledger, screen }: Session,
  jobId: string,
  { end, reason, maybeTwice }: Pick<RunEnd, 'end' | 'reason' | 'maybeTwice'>,
  { json, ...notes }: RunNotes & { readonly json: boolean },
  io: CommandIo,
): void {
  screen.stop();
  const standing = standingOf(ledger, plannedJob(ledger, jobId));
  const all = { ...notes, end, reason, maybeTwice };
  io.stdout.write(json ? standingJson(standing, all) : standingText(standing, all));
  if (end !== 'done') {
    const goOn = `Go on with \`ota-updater jobs resume ${jobId}\``;
    throw new CommandError(`${(reason ?? end).replace(/\.$/, '')}. ${goOn}.`, exitOf[end]);
  }
  io.exitCode = standing.counts.failed > 0 ? exitCodes.someRefused : exitCodes.done;
}
