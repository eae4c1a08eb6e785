/** Where a job stands, on stdout: how the commands about one job end. */
import type { CommandContext } from '../../cli/context.ts';
import { columnsOf } from '../../text/layout.ts';
import type { JobStanding } from '../ledger/job.ts';
import { type RunNotes, standingJson, standingText } from '../view/standing.ts';

/** Prints where a job stands. @param notes what has just been done to it. */
export function printJob(
  { stdout, paint, commandLine }: Pick<CommandContext, 'stdout' | 'paint' | 'commandLine'>,
  standing: JobStanding,
  json: boolean,
  notes: RunNotes = {},
): void {
  stdout.write(
    json
      ? standingJson(standing, notes)
      : paint(standingText(standing, commandLine, notes, columnsOf(stdout))),
  );
}
