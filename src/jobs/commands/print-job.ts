/** Prints where a job stands to stdout, at the end of the commands about one job. */
import type { CommandContext } from '../../cli/context.ts';
import { columnsOf } from '../../text/layout.ts';
import type { JobStanding } from '../ledger/job.ts';
import { decideOn, outlookOf } from '../run/progress.ts';
import { type RunNotes, standingText } from '../view/standing.ts';
import { standingJson } from '../view/standing-json.ts';

/** Prints where a job stands. @param notes what was just done to it. */
export function printJob(
  { stdout, paint, commandLine, clock }: Pick<CommandContext, 'stdout' | 'paint' | 'commandLine' | 'clock'>,
  standing: JobStanding,
  json: boolean,
  about: RunNotes = {},
): void {
  const notes = { ...about, ...outlook(standing, clock.wall()) };
  stdout.write(
    json
      ? standingJson(standing, notes)
      : paint(standingText(standing, commandLine, notes, columnsOf(stdout))),
  );
}

/**
 * While a process sends the job, by the rate of all its runs: no process watches it here.
 * @param now epoch milliseconds.
 */
function outlook({ job, counts, times, leased }: JobStanding, now: number): Pick<RunNotes, 'outlook'> {
  if (job.plan === undefined) return {};
  const goesOn = leased && ['running', 'scheduled'].includes(job.plan.state.name);
  const perSecond = times === undefined || times.ms === 0 || !goesOn ? 0 : (times.rows / times.ms) * 1_000;
  return {
    outlook: outlookOf(job, counts, perSecond, decideOn(job, counts, perSecond, { now }), now),
  };
}
