/** `jobs status [JOB]`: where a job stands. */
import type { Command } from 'commander';
import { misuse } from '../../cli/flags.ts';
import { type CommandIo, exitCodes } from '../../cli/io.ts';
import { readConfig } from '../../config.ts';
import { createScreen } from '../../text/live-block.ts';
import { shortPrintable } from '../../text/printable.ts';
import { type Ledger, openLedger } from '../ledger/ledger.ts';
import type { JobRecord } from '../ledger/types.ts';
import { Pace } from '../run/pace.ts';
import type { JobView } from '../run/run-job.ts';
import { standingOf } from '../run/standing.ts';
import { watchedView } from '../run/watch.ts';
import { standingJson, standingText } from '../view/job-summary.ts';
import { progressBlock, progressLine } from '../view/progress-view.ts';
import { withHearing } from './hear.ts';
import { interruptible, type JobSurroundings, realSurroundings } from './surroundings.ts';

const LOOK_MS = 500;

/** Adds the command. It prints to `io` alone, or throws CommandError. */
export function addStatus(
  jobs: Command,
  io: CommandIo,
  surroundings: JobSurroundings = realSurroundings,
): void {
  jobs
    .command('status')
    .summary('where a job stands')
    .description(
      'Prints where a job stands: the job that something happened to last, or the one named. Outcomes that wait on ' +
        'OUTCOME_QUEUE_URL are heard first, where it is set.',
    )
    .argument('[job]', 'the job')
    .option('--watch', 'show its progress until every row has ended')
    .option('--json', 'print it as one JSON object')
    .action(async (jobId: string | undefined, flags: { watch?: boolean; json?: boolean }) => {
      await interruptible(io, async (signal) => {
        const ledger = openLedger(readConfig(io.env, ['stateDir']).stateDir, surroundings.clock.wall);
        try {
          const job = chooseJob(ledger, jobId);
          await withHearing(ledger, job, { io, surroundings, signal }, async (collector) => {
            if (flags.watch !== true) return;
            // Nobody else follows it: without a collector nothing would move.
            collector?.start();
            await watch(ledger, job, io, surroundings, signal);
          });
          const standing = standingOf(ledger, ledger.job(job.jobId) ?? job);
          io.stdout.write(flags.json === true ? standingJson(standing) : standingText(standing));
          if (signal.aborted) io.exitCode = exitCodes.interrupted;
        } finally {
          ledger.close();
        }
      });
    });
}

function chooseJob(ledger: Ledger, jobId: string | undefined): JobRecord {
  if (jobId !== undefined) {
    const job = ledger.job(jobId);
    if (job !== undefined) return job;
    throw misuse(`There is no job ${shortPrintable(jobId)}: see \`ota-updater jobs list\`.`);
  }
  for (const job of ledger.jobs()) if (job.plan !== undefined) return job;
  throw misuse('There is no job yet: `ota-updater jobs plan` makes one, `ota-updater jobs apply` begins it.');
}

async function watch(
  ledger: Ledger,
  job: JobRecord,
  io: CommandIo,
  { clock, sleep }: JobSurroundings,
  signal: AbortSignal,
): Promise<void> {
  const screen = createScreen<JobView>({
    stream: io.stderr,
    isTerminal: io.isTerminal,
    now: clock.monotonic,
    block: progressBlock,
    line: progressLine,
  });
  const pace = new Pace(clock.monotonic, ledger.counts(job.key).ended);
  try {
    while (!signal.aborted) {
      const view = watchedView(ledger, ledger.job(job.jobId) ?? job, pace);
      screen.update(view);
      if (view.counts.ended === view.counts.total) return;
      await sleep(LOOK_MS, signal);
    }
  } finally {
    screen.stop();
  }
}
