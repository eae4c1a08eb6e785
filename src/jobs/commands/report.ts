/** `jobs report JOB`: a line per row, with its end. */
import { createWriteStream } from 'node:fs';
import { resolve } from 'node:path';
import { Readable, type Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Command } from 'commander';
import { misuse } from '../../cli/flags.ts';
import { CommandError, type CommandIo, exitCodes } from '../../cli/io.ts';
import { readConfig } from '../../config.ts';
import { errorCode } from '../../input/faults.ts';
import { printable, shortPrintable } from '../../text/printable.ts';
import { openLedger } from '../ledger/ledger.ts';
import { type ReportFormat, reportRows, reportText } from '../view/report.ts';
import { withHearing } from './hear.ts';
import { interruptible, type JobSurroundings, realSurroundings } from './surroundings.ts';

interface Flags {
  readonly format: string;
  readonly out?: string;
}

/** Adds the command. It prints to `io` alone, or throws CommandError. */
export function addReport(
  jobs: Command,
  io: CommandIo,
  surroundings: JobSurroundings = realSurroundings,
): void {
  jobs
    .command('report')
    .summary('how every row of a job ended')
    .description(
      'Prints a line for every row of a job with its end, those that its plan left out included. Outcomes that wait on ' +
        'OUTCOME_QUEUE_URL are heard first, where it is set.',
    )
    .argument('<job>', 'the job')
    .option('--format <format>', 'csv or json (one array, a line per row)', 'csv')
    .option('--out <path>', 'write it to this file instead of stdout')
    .action(async (jobId: string, { format, out }: Flags) => {
      const as = readFormat(format);
      const ledger = openLedger(readConfig(io.env, ['stateDir']).stateDir, surroundings.clock.wall);
      try {
        const job = ledger.job(jobId);
        if (job === undefined)
          throw misuse(`There is no job ${shortPrintable(jobId)}: see \`ota-updater jobs list\`.`);
        await interruptible(io, (signal) =>
          withHearing(ledger, job, { io, surroundings, signal }, () =>
            write(reportText(reportRows(ledger, job), as), io, out, surroundings.cwd, signal),
          ),
        );
      } finally {
        ledger.close();
      }
    });
}

function readFormat(format: string): ReportFormat {
  if (format === 'csv' || format === 'json') return format;
  throw misuse(`--format ${shortPrintable(format)}: the formats are csv and json.`);
}

async function write(
  text: Iterable<string>,
  io: CommandIo,
  out: string | undefined,
  cwd: string,
  signal: AbortSignal,
): Promise<void> {
  const target: Writable = out === undefined ? io.stdout : createWriteStream(resolve(cwd, out));
  try {
    await pipeline(Readable.from(text), target, { signal, end: out !== undefined });
  } catch (error) {
    // `| head` has seen enough.
    if (errorCode(error) === 'EPIPE' && out === undefined) return;
    if (signal.aborted)
      throw new CommandError('Interrupted: the report is not complete.', exitCodes.interrupted);
    throw new CommandError(
      `The report cannot be written to ${printable(out ?? 'stdout')} (${errorCode(error) ?? String(error)}).`,
    );
  }
}
