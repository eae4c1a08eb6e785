/** `jobs send`: a service that sends all due jobs of the ledger. */
import type { Command } from 'commander';
import type { CommandContext } from '../../cli/context.ts';
import { wholeNumber } from '../../cli/flags.ts';
import { readConfig } from '../../config.ts';
import { describeError } from '../../observe/errors.ts';
import { jobLogLines } from '../../observe/job-log-lines.ts';
import { LogDestination } from '../../observe/log-destination.ts';
import { writeLine } from '../../observe/log-events.ts';
import { createLogger, type Logger } from '../../observe/logger.ts';
import { logFormat } from '../../observe/readable.ts';
import { version } from '../../version.ts';
import type { Patience } from '../ledger/open.ts';
import { sendDueJobs } from '../send/send-due-jobs.ts';
import { logScreen } from './log-screen.ts';
import { followJob, type Session, withSession } from './session.ts';

const DEFAULT_MAX_JOBS = 20;

export function addSend(jobs: Command, context: CommandContext): void {
  jobs
    .command('send')
    .summary('send whatever jobs are due, as a service')
    .description(
      'Sends the jobs of this ledger that were left to it (`jobs apply --detach`), or whose sender is gone, and follows them to ' +
        'their ends, until SIGTERM or SIGINT. Several processes may run at once: each job is sent by one of them, and by another ' +
        'when that one is gone. Due jobs come first, by their priority; a job that is paused, or whose time has not come, is not ' +
        'due. Logs to stdout. The console does the same while it runs.',
    )
    .option(
      '--once',
      'end when no job is due any more. A job that another process has is left to it and named in the log: nobody else sends it ' +
        'until 15 s after that process has died',
    )
    .option('--max-jobs <n>', `maximum number of jobs at once (default: ${DEFAULT_MAX_JOBS})`, wholeNumber)
    .action(async ({ once = false, maxJobs = DEFAULT_MAX_JOBS }: { once?: boolean; maxJobs?: number }) => {
      await runSending(context, once, maxJobs);
    });
}

/**
 * Sends what is due until SIGTERM or SIGINT, and logs to stdout.
 * @param once ends when no job is due any more. @param maxJobs maximum number at once. @param told called when sending has begun,
 * and when the ledger is away.
 * @throws CommandError for faults that the user can fix.
 */
export async function runSending(
  context: CommandContext,
  once = false,
  maxJobs = DEFAULT_MAX_JOBS,
  told: { readonly onReady?: () => void; readonly onLedgerAway?: Patience['onAway'] } = {},
): Promise<void> {
  context.stdoutIsLog = true;
  const { logLevel } = readConfig(context.env, ['logLevel']);
  const destination = new LogDestination(context.stdout, () => {});
  const log: Logger = createLogger(logLevel, logFormat(destination, context.stdout, context.env));
  const screen = logScreen(log, context.clock.monotonic);
  await withSession(
    context,
    async (session) => {
      await session.checkClock();
      writeLine(log, jobLogLines.ready, () => ({ version, ledger: session.ledger.place }));
      told.onReady?.();
      await send(session, log, once, maxJobs);
      writeLine(log, jobLogLines.stoppedAll);
    },
    { use: 'create', service: { screen, onLedgerAway: told.onLedgerAway } },
  );
}

async function send(session: Session, log: Logger, once: boolean, maxJobs: number): Promise<void> {
  const { context, ledger, collector, signal } = session;
  collector.start();
  signal.addEventListener('abort', () => writeLine(log, jobLogLines.draining), { once: true });
  await sendDueJobs({
    ...context,
    ledger,
    signal,
    once,
    maxJobs,
    now: context.clock.wall,
    follow: (job, lease, leave) =>
      followJob({ ...session, signal: leave }, lease, job.jobId, { atEnd: 'leave' }),
    onTaken: ({ jobId, plan }) =>
      writeLine(log, jobLogLines.taken, () => ({ jobId, state: plan.state.name, rows: plan.rows })),
    onEnded: ({ jobId }, { end, reason, maybeTwice }) => {
      const line = end === 'done' || end === 'left' ? jobLogLines.ended : jobLogLines.stopped;
      writeLine(log, line, () => ({ jobId, state: end, reason, repeated: maybeTwice }));
    },
    onLeft: ({ jobId, plan: { state } }) =>
      writeLine(log, jobLogLines.left, () => ({
        jobId,
        state: state.name,
        since: new Date(state.since).toISOString(),
        by: state.who,
      })),
    onFailed: ({ jobId }, error) =>
      writeLine(log, jobLogLines.failed, () => ({
        jobId,
        error: typeof error === 'string' ? error : describeError(error),
      })),
    onLook: async () => {
      if (collector.broken !== undefined) throw collector.broken;
    },
  });
}
