/** `jobs status [JOB]`: where a job stands. */
import type { Command } from 'commander';
import type { CommandContext } from '../../cli/context.ts';
import { interruptible } from '../../cli/signals.ts';
import { exitCodes, misuse } from '../../errors.ts';
import type { JobRecord } from '../ledger/job.ts';
import type { Ledger } from '../ledger/ledger.ts';
import { Pace, viewOf } from '../run/progress.ts';
import { createJobScreen } from '../view/progress.ts';
import { standingJson, standingText } from '../view/standing.ts';
import { findJob, withCollected, withLedger } from './open.ts';

const LOOK_MS = 500;

export function addStatus(jobs: Command, context: CommandContext): void {
  jobs
    .command('status')
    .summary('where a job stands')
    .description(
      'Prints where a job stands: the last changed job, or the one named. Outcomes that wait on OUTCOME_QUEUE_URL are ' +
        'collected first, if it is set.',
    )
    .argument('[job]', 'the job')
    .option('--watch', 'show its progress until every row has ended')
    .option('--json', 'print it as one JSON object')
    .action(async (jobId: string | undefined, flags: { watch?: boolean; json?: boolean }) => {
      await interruptible(context, (signal) =>
        withLedger(context, async (ledger) => {
          const job =
            jobId === undefined ? await lastChanged(ledger, context) : await findJob(ledger, jobId, context);
          await withCollected(ledger, job, context, signal, async (collector) => {
            if (flags.watch !== true) return;
            // No other process follows the job: this one must collect, or nothing would change.
            collector?.start();
            await watch(ledger, job, context, signal);
          });
          const standing = await ledger.standing(await findJob(ledger, job.jobId, context));
          context.stdout.write(
            flags.json === true ? standingJson(standing) : standingText(standing, context.commandLine),
          );
          if (signal.aborted) context.exitCode = exitCodes.interrupted;
        }),
      );
    });
}

async function lastChanged(ledger: Ledger, { commandLine }: CommandContext): Promise<JobRecord> {
  const job = (await ledger.jobs()).find(({ plan }) => plan !== undefined);
  if (job !== undefined) return job;
  throw misuse(
    `There is no job yet: \`${commandLine('jobs', 'plan')}\` makes a plan, \`jobs apply\` begins its job.`,
  );
}

async function watch(
  ledger: Ledger,
  { key, jobId }: JobRecord,
  context: CommandContext,
  signal: AbortSignal,
): Promise<void> {
  const screen = createJobScreen(context);
  const pace = new Pace(context.clock.monotonic, (await ledger.count(key)).ended);
  try {
    while (!signal.aborted) {
      const job = await findJob(ledger, jobId, context);
      const counts = await ledger.count(key);
      pace.observe(counts.ended);
      screen.update(viewOf(job, job.plan ?? {}, counts, pace));
      if (counts.ended === counts.total) return;
      await context.sleep(LOOK_MS, signal);
    }
  } finally {
    screen.stop();
  }
}
