/** `jobs report JOB`: one line per row, with its end. */
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { type Command, Option } from 'commander';
import type { CommandContext } from '../../cli/context.ts';
import { collect } from '../../cli/flags.ts';
import { interruptible } from '../../cli/signals.ts';
import { readConfigForAws } from '../../config.ts';
import { CommandError, causeOf, errorCode, exitCodes, misuse } from '../../errors.ts';
import { OutputFile, type OutputKind } from '../../files/output-file.ts';
import { printable } from '../../text/printable.ts';
import { readReportPlace } from '../file-report/place.ts';
import { isReport, type ReportFormat, reportText } from '../view/report.ts';
import { reportFilter, reportStates } from '../view/report-filter.ts';
import { fileJobReport } from './file-report.ts';
import { findJob, withCollected, withLedger } from './open.ts';

interface Flags {
  readonly json?: boolean;
  readonly format?: ReportFormat;
  readonly state: readonly string[];
  readonly error: readonly string[];
  readonly out?: string;
  readonly force?: boolean;
  readonly to?: string;
}

const kind: OutputKind = {
  title: 'The report',
  flag: '--out',
  replaces: { noun: 'a report', isOurs: isReport },
};

export function addReport(jobs: Command, context: CommandContext): void {
  jobs
    .command('report')
    .summary('how every row of a job ended')
    .description(
      'Prints one line for every row of a job with its end, including rows that its plan left out. Outcomes that wait on ' +
        'OUTCOME_QUEUE_URL are collected first, if it is set.',
    )
    .argument('<job>', 'the job')
    .option('--json', 'one JSON array, a line per row, instead of CSV')
    // The former name of a flag.
    .addOption(new Option('--format <format>').choices(['csv', 'json']).hideHelp())
    .option(
      '--state <state>',
      `only rows of this state: ${reportStates.join(', ')}; may be repeated`,
      collect,
      [],
    )
    .option('--error <name>', 'only rows that ended with this error or reason; may be repeated', collect, [])
    .option('--out <path>', 'write it to this file instead of stdout; the file must not exist yet')
    .option('--force', 'replace an earlier report at --out')
    .option(
      '--to <place>',
      'file it as CSV and as JSON with a manifest, in this folder or s3://BUCKET/PREFIX, in a subfolder named after the job and the time',
    )
    .action(async (jobId: string, flags: Flags) => {
      const { json, format, state, error, out, force = false, to } = flags;
      const place = to === undefined ? undefined : readReportPlace('--to', to);
      if (place !== undefined) refuseBeside(flags);
      if (place?.kind === 's3') readConfigForAws(context.env, []);
      const as = json === true ? 'json' : (format ?? 'csv');
      const keep = reportFilter(state, error);
      const file = out === undefined ? undefined : new OutputFile(kind, out, { ...context, force });
      await interruptible(context, (signal) =>
        withLedger(context, 'read', signal, async (ledger) => {
          await withCollected(ledger, jobId, context, signal, async () => {
            const job = await findJob(ledger, jobId, context);
            if (place !== undefined) {
              const filed = await fileJobReport(ledger, job, place, '--to', context, signal);
              context.stdout.write(`${printable(filed)}\n`);
              return;
            }
            await write(reportText(ledger, job, as, keep), file, context, signal);
          });
        }),
      );
    });
}

/** Filing always files the whole report, in both forms. @throws CommandError for flags that select something else. */
function refuseBeside({ json, format, state, error, out, force }: Flags): void {
  const given = { '--json': json, '--format': format, '--out': out, '--force': force };
  const beside = Object.entries(given).flatMap(([flag, value]) => (value === undefined ? [] : [flag]));
  if (state.length > 0) beside.push('--state');
  if (error.length > 0) beside.push('--error');
  if (beside.length > 0)
    throw misuse(`--to files the whole report as CSV and as JSON: leave out ${beside.join(', ')}.`);
}

async function write(
  text: AsyncIterable<string>,
  file: OutputFile | undefined,
  { stdout }: CommandContext,
  signal: AbortSignal,
): Promise<void> {
  try {
    if (file === undefined) await pipeline(Readable.from(text), stdout, { signal, end: false });
    else await writeFile(text, file, signal);
  } catch (error) {
    if (signal.aborted)
      throw new CommandError('Interrupted: the report is not complete.', exitCodes.interrupted);
    if (file !== undefined || error instanceof CommandError) throw error;
    // The reader closed the pipe (`| head`).
    if (errorCode(error) === 'EPIPE') return;
    throw new CommandError(`The report cannot be written to stdout: ${causeOf(error)}.`);
  }
}

/** Writes the complete file, or nothing. */
async function writeFile(text: AsyncIterable<string>, file: OutputFile, signal: AbortSignal): Promise<void> {
  try {
    for await (const chunk of text) {
      signal.throwIfAborted();
      file.write(chunk);
    }
    file.place();
  } finally {
    file.discard();
  }
}
