/** A job's report filed by a command, in the name of who runs it. */
import type { CommandContext } from '../../cli/context.ts';
import { whoIs } from '../../cli/who.ts';
import { CommandError, exitCodes } from '../../errors.ts';
import { printable } from '../../text/printable.ts';
import { version } from '../../version.ts';
import { fileReport } from '../file-report/file-report.ts';
import { filingPlace, openDestination } from '../file-report/open.ts';
import { type ReportPlace, readReportPlace } from '../file-report/place.ts';
import type { JobRecord, PlannedJob } from '../ledger/job.ts';
import type { Ledger } from '../ledger/ledger.ts';
import type { RunEnd } from '../run/run-job.ts';

/**
 * @param at names the filing, epoch milliseconds; default: now.
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
 * The report that a job files at its end, if its settings say where: where it is going to be is known before, for notices.
 * A report that cannot be filed is told of, and changes nothing else.
 */
export class ReportAtEnd {
  readonly #context: CommandContext;
  readonly #say: (sentence: string) => void;
  readonly #places = new Map<string, string>();

  /** @param say takes a sentence without its full stop. */
  constructor(context: CommandContext, say: (sentence: string) => void) {
    this.#context = context;
    this.#say = say;
  }

  /** Where the report of a job that this process sends is going to be, or is; undefined: nowhere. */
  readonly placeOf = (jobId: string): string | undefined => this.#places.get(jobId);

  /** Runs `work`, which sends the job, and files the report when that has not left the job to others. */
  async around(
    ledger: Pick<Ledger, 'job' | 'pages' | 'unmatched' | 'listed'>,
    { jobId, plan }: PlannedJob,
    signal: AbortSignal,
    work: () => Promise<RunEnd>,
  ): Promise<RunEnd> {
    const { reportTo } = plan.settings;
    if (reportTo === undefined) return await work();
    const place = readReportPlace('--report-to', reportTo);
    const at = this.#context.clock.wall();
    this.#places.set(jobId, filingPlace(place, jobId, at));
    const end = await work();
    const job = filed.has(end.end) && !signal.aborted ? await ledger.job(jobId) : undefined;
    if (job !== undefined) await this.#file(ledger, job, place, signal, at);
    return end;
  }

  async #file(
    ledger: Pick<Ledger, 'pages' | 'unmatched' | 'listed'>,
    job: JobRecord,
    place: ReportPlace,
    signal: AbortSignal,
    at: number,
  ): Promise<void> {
    try {
      const filed = await fileJobReport(ledger, job, place, '--report-to', this.#context, signal, at);
      this.#say(`The report of job ${job.jobId} is filed in ${printable(filed)}`);
    } catch (error) {
      if (!(error instanceof CommandError)) throw error;
      const again = this.#context.commandLine('jobs', 'report', job.jobId, '--to', '…');
      this.#say(`Job ${job.jobId}: ${error.message.replace(/\.$/, '')}. File it with \`${again}\``);
    }
  }
}

/** The ends of a run after which nothing more of the job happens by itself. */
const filed: ReadonlySet<RunEnd['end']> = new Set(['done', 'stopped', 'aborted', 'cancelled']);
