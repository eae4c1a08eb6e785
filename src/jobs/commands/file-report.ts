/** A job's report filed by a command, in the name of who runs it. */
import type { CommandContext } from '../../cli/context.ts';
import { whoIs } from '../../cli/who.ts';
import { CommandError, exitCodes } from '../../errors.ts';
import { version } from '../../version.ts';
import { fileReport } from '../file-report/file-report.ts';
import { openDestination } from '../file-report/open.ts';
import type { ReportPlace } from '../file-report/place.ts';
import type { JobRecord } from '../ledger/job.ts';
import type { Ledger } from '../ledger/ledger.ts';

/**
 * @param flag that named the place.
 * @returns where it is filed.
 * @throws CommandError when it cannot be filed.
 */
export async function fileJobReport(
  ledger: Pick<Ledger, 'pages' | 'unmatched' | 'listed'>,
  job: JobRecord,
  place: ReportPlace,
  flag: string,
  context: CommandContext,
  signal: AbortSignal,
): Promise<string> {
  const at = context.clock.wall();
  const destination = await openDestination(place, job.jobId, at, flag, context);
  try {
    const filing = { who: whoIs(context), at, program: `ota-updater ${version}` };
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
