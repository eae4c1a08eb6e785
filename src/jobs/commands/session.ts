/** What the commands that send share: ledger, queues and screen, the lease, and how such a command ends. */

import { resolve } from 'node:path';
import { MOST_OFF_MS, requireRightClock } from '../../cli/clock.ts';
import type { CommandContext } from '../../cli/context.ts';
import { interruptible } from '../../cli/signals.ts';
import { whoIs } from '../../cli/who.ts';
import { readConfigForAws } from '../../config.ts';
import { CommandError, exitCodes } from '../../errors.ts';
import type { TargetName } from '../../notices/outbox.ts';
import type { Queue } from '../../queue/queue.ts';
import type { Screen } from '../../text/live-block.ts';
import { epochMs } from '../../time/instant.ts';
import type { DueReports } from '../file-report/due-reports.ts';
import type { JobStanding, PlannedJob } from '../ledger/job.ts';
import type { Lease, Ledger, LedgerUse } from '../ledger/ledger.ts';
import type { Patience } from '../ledger/open.ts';
import type { Collector } from '../run/collector.ts';
import type { JobView } from '../run/progress.ts';
import type { RunEnd, RunOptions } from '../run/run-job.ts';
import { untilReadable } from '../run/until-readable.ts';
import { Wakeup } from '../run/wakeup.ts';
import { requireHere } from '../steer/resume.ts';
import { nextSteps } from '../view/next-steps.ts';
import { createJobScreen } from '../view/progress.ts';
import type { RunNotes } from '../view/standing.ts';
import { notDone } from '../view/standing-facts.ts';
import { AbortUndo } from './abort-undo.ts';
import { dueReports } from './file-report.ts';
import { notifySettings, withNotices } from './notify.ts';
import { findPlannedJob, openQueues, requireOwnQueues, unknownJobsTeller, withLedger } from './open.ts';
import { printJob } from './print-job.ts';
import { watchDevices } from './watch-devices.ts';

export interface Session {
  readonly context: CommandContext;
  readonly ledger: Ledger;
  readonly updates: Queue;
  readonly collector: Collector;
  /** One for each job that is followed; all are woken when outcomes were stored. */
  readonly wakeups: Set<Wakeup>;
  readonly screen: Screen<JobView>;
  /** STATE_DIR, absolute. */
  readonly stateDir: string;
  /** Targets for notices of the jobs that this process sends. */
  readonly targets: readonly TargetName[];
  readonly reports: DueReports;
  readonly signal: AbortSignal;
  /** @throws CommandError if this machine's clock is too far off to date updates. */
  readonly checkClock: () => Promise<void>;
  /** SQS's time, or this machine's if SQS does not tell; epoch milliseconds. */
  readonly now: () => Promise<number>;
}

/** Requests in flight at once: sends, polls and deletes. */
const SOCKETS = 40;

const FOREIGN =
  'Outcomes name rows of a job in this ledger but belong to no message that it sent: they are ignored and counted as foreign';

export interface SessionOptions {
  /** `create` for a command that may be the first to need a ledger. */
  readonly use?: LedgerUse;
  /** Set for a service: it logs, and waits at its start for queues that cannot be read. */
  readonly service?: {
    readonly screen: Screen<JobView>;
    readonly onLedgerAway: Patience['onAway'] | undefined;
  };
}

/**
 * Runs `work` with everything open, and closes it.
 * @throws CommandError for faults that the user can fix.
 */
export async function withSession<T>(
  context: CommandContext,
  work: (session: Session) => Promise<T>,
  { use = 'write', service }: SessionOptions = {},
): Promise<T> {
  const { screen } = service ?? { screen: createJobScreen(context) };
  const names = ['queueUrl', 'stateDir', 'ledgerUrl', ...notifySettings] as const;
  const config = readConfigForAws(context.env, names, ['outcomeQueueUrl']);
  return await interruptible(context, (signal) => {
    const say = (sentence: string): void => screen.say(`${sentence}.`, 'trouble');
    const onAway = service?.onLedgerAway;
    const patience = { ms: Number.POSITIVE_INFINITY, signal, say, ...(onAway && { onAway }) };
    const withQueues = async (ledger: Ledger): Promise<T> => {
      const queues = await openQueues(context, SOCKETS, say);
      const wakeups = new Set<Wakeup>();
      let foreignSeen = false;
      const tellUnknownJobs = unknownJobsTeller(ledger, context, say);
      const collector = queues.createCollector(config.outcomeQueueUrl, {
        ...context,
        store: (outcomes) => ledger.end(outcomes),
        onStored: (stored) => {
          const { foreign = 0 } = stored ?? {};
          tellUnknownJobs(stored);
          // Only once: anyone who may send updates can cause any number of these.
          if (foreign > 0 && !foreignSeen) screen.say(FOREIGN, 'trouble');
          foreignSeen ||= foreign > 0;
          for (const wakeup of wakeups) wakeup.wake();
        },
        onTrouble: say,
      });
      try {
        const look = (): Promise<void> => requireOwnQueues(context, queues);
        await (service === undefined ? look() : untilReadable(look, { ...context, signal, say }));
        const updates = queues.queue(config.queueUrl);
        const checkClock = async (): Promise<void> => requireRightClock(await queues.clockSkewMs(updates));
        const now = async (): Promise<number> =>
          context.clock.wall() - ((await queues.clockSkewMs(updates)) ?? 0);
        const stateDir = resolve(context.cwd, config.stateDir);
        const queueParts = { updates, collector, wakeups, checkClock, now };
        const reports = dueReports(ledger, context, (sentence, about) => screen.say(`${sentence}.`, about));
        return await withReports(reports, signal, () =>
          withNotices(config, { context, ledger, signal, say }, (targets) =>
            work({ ...queueParts, context, ledger, screen, signal, stateDir, targets, reports }),
          ),
        );
      } finally {
        screen.stop();
        await collector.stop();
        queues.close();
      }
    };
    return withLedger(context, use, signal, withQueues, patience);
  });
}

/**
 * While `work` runs, files reports that other processes have left.
 * @throws what `work` throws; otherwise what the ledger throws.
 */
async function withReports<T>(reports: DueReports, signal: AbortSignal, work: () => Promise<T>): Promise<T> {
  const end = new AbortController();
  const filing = reports.keepFiling(end.signal, signal);
  // Handled below; this only prevents an unhandled rejection until then.
  filing.catch(() => {});
  const result = await work().finally(() => end.abort());
  await filing;
  return result;
}

/** The error for a job that another process sends. */
export function sentElsewhere({ commandLine }: CommandContext, jobId: string): CommandError {
  const watch = commandLine('jobs', 'status', jobId, '--watch');
  return new CommandError(
    `Another process is sending job ${jobId}. Watch it with \`${watch}\`, or stop that process first.`,
  );
}

/**
 * Runs `work` as the only process that sends this job's rows.
 * @throws CommandError if another process sends them.
 */
export async function withLease<T>(
  { context, ledger }: Session,
  { key, jobId }: PlannedJob,
  work: (lease: Lease) => Promise<T>,
): Promise<T> {
  const lease = await ledger.lease(key);
  if (lease === undefined) throw sentElsewhere(context, jobId);
  try {
    // The job may have been moved before the lease was taken.
    requireHere(await ledger.job(jobId));
    return await work(lease);
  } finally {
    await lease.release();
  }
}

/** The end of a command that was interrupted before anything was sent. */
export const interrupted: RunEnd = { end: 'interrupted', reason: 'Interrupted', maybeTwice: 0 };

/**
 * If the IssuedAt of the job's updates is in the future, gives them the present time: the clock of the machine that began the
 * job was ahead. Workers would refuse such updates, or newer ones would lose against them.
 */
async function correctTime({ context, ledger, screen, now }: Session, job: PlannedJob): Promise<PlannedJob> {
  const { issuedAt } = job.plan;
  const present = await now();
  if (epochMs(issuedAt) <= present + MOST_OFF_MS) return job;
  await ledger.reissue(job.key, new Date(present).toISOString());
  screen.say(
    `The time of job ${job.jobId}, ${issuedAt}, is in the future according to SQS's clock: its updates are sent with the current time.`,
  );
  return await findPlannedJob(ledger, job.jobId, context);
}

export interface Following {
  readonly atEnd?: RunOptions['atEnd'];
}

/** Sends the planned rows, and follows them to the end. */
export async function followJob(
  session: Session,
  lease: Lease,
  jobId: string,
  { atEnd = 'stop' }: Following = {},
): Promise<RunEnd> {
  const { context, ledger, updates, collector, wakeups, screen, targets, reports, signal } = session;
  const job = await correctTime(session, await findPlannedJob(ledger, jobId, context));
  const { runJob } = await import('../run/run-job.ts');
  collector.start();
  const wakeup = new Wakeup();
  wakeups.add(wakeup);
  const devices = watchDevices(context, ledger, {
    onSeen: () => wakeup.wake(),
    onTrouble: (sentence) => screen.say(`${sentence}.`, 'trouble'),
  });
  const undo = new AbortUndo(session);
  const run: RunOptions = {
    ...context,
    who: whoIs(context),
    devices: devices.watch,
    targets,
    atEnd,
    ledger,
    lease,
    wakeup,
    signal,
    job,
    queueUrl: updates.url,
    send: (messages) => updates.sendForIds(messages),
    undo: (aborted) => undo.enter(aborted),
    onView: (view) => {
      // Only a failure of the ledger ends the collector, and without the collector no row would end.
      if (collector.broken !== undefined) throw collector.broken;
      screen.update(view);
    },
  };
  const end = await runJob(run).finally(async () => {
    wakeups.delete(wakeup);
    await devices.close();
  });
  await reports.file(signal);
  // A service finds the undo among the due jobs.
  if (atEnd === 'stop') await undo.send((undoing, itsLease) => followJob(session, itsLease, undoing));
  return end;
}

const exitOf = {
  stopped: exitCodes.stoppedEarly,
  aborted: exitCodes.stoppedEarly,
  cancelled: exitCodes.stoppedEarly,
  // Another process took the job over; the same code as when another process sends it from the start.
  left: exitCodes.failed,
  interrupted: exitCodes.interrupted,
  failed: exitCodes.failed,
} as const;

/** Prints where the job stands. @param notes what was just done to it. */
export async function printStanding(
  { context, ledger, screen }: Session,
  jobId: string,
  { json, ...notes }: RunNotes & { readonly json: boolean },
): Promise<JobStanding> {
  screen.stop();
  const standing = await ledger.standing(await findPlannedJob(ledger, jobId, context));
  printJob(context, standing, json, notes);
  return standing;
}

/** Prints where the job stands and sets the exit code. @throws CommandError if the job did not reach its end. */
export async function finishRun(
  session: Session,
  jobId: string,
  { end, reason, maybeTwice }: RunEnd,
  notes: RunNotes & { readonly json: boolean },
): Promise<void> {
  const { context } = session;
  const standing = await printStanding(session, jobId, { ...notes, end, reason, maybeTwice });
  if (end !== 'done') {
    throw new CommandError(
      `${(reason ?? end).replace(/\.$/, '')}. ${goOn(standing, context)}`.trimEnd(),
      exitOf[end],
    );
  }
  const { job, counts } = standing;
  const allDone = counts.failed === 0 && notDone(job, counts) === undefined;
  context.exitCode = allDone ? exitCodes.done : exitCodes.someRefused;
}

/** The next step as a sentence: the first one of the standing. */
function goOn(standing: JobStanding, { commandLine }: CommandContext): string {
  const [first] = nextSteps(standing, commandLine);
  if (first === undefined) return '';
  if (first.why === undefined) return `Continue with \`${first.command}\`.`;
  return `\`${first.command}\` ${first.why}.`;
}
