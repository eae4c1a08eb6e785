/** `jobs status [JOB]`: where a job stands. */

import type { Command } from 'commander';
import type { CommandContext } from '../../cli/context.ts';
import { interruptible } from '../../cli/signals.ts';
import { exitCodes, misuse } from '../../errors.ts';
import type { JobRecord } from '../ledger/job.ts';
import type { Ledger } from '../ledger/ledger.ts';
import type { Collector } from '../run/collector.ts';
import { decideOn, Pace, viewOf } from '../run/progress.ts';
import { createJobScreen } from '../view/progress.ts';
import { findJob, isFollowed, lastChanged, noJob, withCollected, withLedger } from './open.ts';
import { printJob } from './print-job.ts';

const LOOK_MS = 500;

export function addStatus(jobs: Command, context: CommandContext): void {
  jobs
    .command('status')
    .summary('where a job stands')
    .description(
      'Prints where a job stands: the one named, or else the most recently changed one. Outcomes that wait on OUTCOME_QUEUE_URL are ' +
        'collected first, if it is set.',
    )
    .argument('[job]', 'the job')
    .option('--watch', 'show its progress until every row has ended')
    .option('--json', 'print it as one JSON object')
    .action(async (jobId: string | undefined, flags: { watch?: boolean; json?: boolean }) => {
      await interruptible(context, (signal) =>
        withLedger(context, 'read', signal, async (ledger) => {
          const find = () =>
            jobId === undefined ? findLastChanged(ledger, context) : findJob(ledger, jobId, context);
          const job = await withCollected(ledger, jobId, context, signal, async (collector) => {
            const found = await find();
            if (flags.watch !== true) return found;
            await watch(ledger, found, context, signal, collector);
            return found;
          });
          const standing = await ledger.standing(await findJob(ledger, job.jobId, context));
          printJob(context, standing, flags.json === true);
          if (signal.aborted) context.exitCode = exitCodes.interrupted;
        }),
      );
    });
}

async function findLastChanged(ledger: Ledger, context: CommandContext): Promise<JobRecord> {
  const job = await lastChanged(ledger);
  if (job !== undefined) return job;
  throw misuse(noJob(ledger, context));
}

async function watch(
  ledger: Ledger,
  { key, jobId }: JobRecord,
  context: CommandContext,
  signal: AbortSignal,
  collector: Collector | undefined,
): Promise<void> {
  const screen = createJobScreen(context);
  const pace = new Pace(context.clock.monotonic, await ledger.count(key));
  let collecting = false;
  try {
    while (!signal.aborted) {
      if (collector?.broken !== undefined) throw collector.broken;
      const job = await findJob(ledger, jobId, context);
      const followed = await isFollowed(ledger, job);
      if (!collecting && !followed) {
        // No other process follows the job now: this one must collect, or nothing would change.
        collector?.start();
        collecting = true;
      }
      const counts = await ledger.count(key);
      pace.observe(counts);
      const now = context.clock.wall();
      const view = viewOf(job, counts, pace, followed, decideOn(job, counts, pace.perSecond, { now }), now);
      screen.update(view);
      // The process that sends it looks at its devices.
      const isLookedAt = followed && view.waitsFor !== undefined;
      // A file that is being sent has rows that are not in the ledger yet.
      if (
        !isLookedAt &&
        counts.ended === counts.total &&
        (job.plan?.complete !== false || !(await ledger.isLeased(key)))
      )
        return;
      await context.sleep(LOOK_MS, signal);
    }
  } finally {
    screen.stop();
  }
}
