/** `jobs list`: every job the ledger knows. */
import type { Command } from 'commander';
import type { CommandIo } from '../../cli/io.ts';
import { readConfig } from '../../config.ts';
import { openLedger } from '../ledger/ledger.ts';
import { standingOf } from '../run/standing.ts';
import { listText, standingJson } from '../view/job-summary.ts';
import { interruptible, type JobSurroundings, realSurroundings } from './surroundings.ts';

/** Adds the command. It prints to `io` alone, or throws CommandError. */
export function addList(
  jobs: Command,
  io: CommandIo,
  surroundings: JobSurroundings = realSurroundings,
): void {
  jobs
    .command('list')
    .summary('all jobs')
    .description('Lists all jobs, the one that something happened to last first.')
    .option('--json', 'print one JSON object per job, a line each')
    .action(async ({ json }: { json?: boolean }) => {
      await interruptible(io, async () => {
        const ledger = openLedger(readConfig(io.env, ['stateDir']).stateDir, surroundings.clock.wall);
        try {
          const standings = [...ledger.jobs()].map((job) => standingOf(ledger, job));
          const lines =
            json === true ? standings.map((standing) => standingJson(standing)) : listText(standings);
          for (const line of lines) io.stdout.write(line);
          if (standings.length === 0)
            io.stderr.write(
              'There is no job yet: `ota-updater jobs plan` makes one, `ota-updater jobs apply` begins it.\n',
            );
          const strays = ledger.strays();
          if (strays > 0)
            io.stderr.write(`${strays} messages on the outcome queue were no outcomes (table strays)\n`);
        } finally {
          ledger.close();
        }
      });
    });
}
