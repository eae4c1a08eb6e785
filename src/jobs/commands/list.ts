/** `jobs list`: all jobs in the ledger. */

import type { Command } from 'commander';
import type { CommandContext } from '../../cli/context.ts';
import { interruptible } from '../../cli/signals.ts';
import { columnsOf } from '../../text/layout.ts';
import { isLeft, type ListedJob, listText } from '../view/listed.ts';
import { standingJson } from '../view/standing-json.ts';
import { noJob, withCollected, withLedger } from './open.ts';

export function addList(jobs: Command, context: CommandContext): void {
  jobs
    .command('list')
    .summary('all jobs')
    .description(
      'Lists all jobs, the most recently changed first. If OUTCOME_QUEUE_URL is set, collects the outcomes waiting there first.',
    )
    .option('--json', 'print one JSON object per job, one per line')
    .action(async ({ json }: { json?: boolean }) => {
      const { stdout, stderr } = context;
      await interruptible(context, (signal) =>
        withLedger(context, 'read', signal, (ledger) =>
          withCollected(ledger, undefined, context, signal, async () => {
            const jobs = await ledger.jobs();
            const listed: ListedJob[] = [];
            if (json === true) for (const job of jobs) stdout.write(standingJson(await ledger.standing(job)));
            else {
              for (const job of jobs) listed.push(await ledger.listed(job));
              stdout.write(context.paint(listText(listed, columnsOf(stdout))));
            }
            if (listed.some(isLeft))
              stderr.write(
                `Some jobs have no sender, or nobody looks at their devices: \`${context.commandLine('jobs', 'send')}\` does what is due.\n`,
              );
            if (jobs.length === 0) stderr.write(`${noJob(ledger, context)}\n`);
          }),
        ),
      );
    });
}
