/** Files a job's report from a command, in the name of the user who runs it. */
import type { CommandContext } from '../../cli/context.ts';
import { whoIs } from '../../cli/who.ts';
import { CommandError, exitCodes } from '../../errors.ts';
import { version } from '../../version.ts';
import { DueReports, type DueReportsOptions } from '../file-report/due-reports.ts';
import { fileReport } from '../file-report/file-report.ts';
import { openDestination } from '../file-report/open.ts';
import type { ReportPlace } from '../file-report/place.ts';
import type { JobRecord } from '../ledger/job.ts';
import type { Ledger } from '../ledger/ledger.ts';

/**
 * @param at names the filing, epoch milliseconds; default: now.
 * @param flag the flag that named the place.
 * @returns where the report is filed.
 * @throws CommandError if it cannot be filed.
 */
export async function fileJobReport(
  ledger: Pick<Ledger, 'pages' | 'unmatched' | 'listed'>,
  job: JobRecord,
  place: ReportPlace,
  flag: string,
  context: CommandContext,
  signal: AbortSignal,
  at: number = context.clock.wall(),
): Promise<string> {
  const destination = await openDestination(place, job.jobId, at, flag, context);
  try {
    const filing = { who: whoIs(context), at: context.clock.wall(), program: `ota-updater ${version}` };
    await fileReport(ledger, job, destination, filing, signal);
    return destination.place;
  } catch (error) {
    if (!signal.aborted || error instanceof CommandError) throw error;
    throw new CommandError(
      `Interrupted: the report in ${destination.place} is not complete, and has no manifest.`,
      exitCodes.interrupted,
    );
  } finally {
    destination.close();
  }
}

/**
 * Files reports that are due, in the name of the user who runs the command.
 * @param say takes a sentence without its full stop.
 */
export function dueReports(
  ledger: DueReportsOptions['ledger'] & Parameters<typeof fileJobReport>[0],
  context: CommandContext,
  say: DueReportsOptions['say'],
): DueReports {
  return new DueReports({
    ...context,
    ledger,
    say,
    file: (job, place, at, signal) => fileJobReport(ledger, job, place, '--report-to', context, signal, at),
    again: (jobId) => context.commandLine('jobs', 'report', jobId, '--to', '…'),
  });
}
