/** `enqueue FILE|-`: flags to options, report to exit code. */
import { setTimeout as delay } from 'node:timers/promises';
import type { Command } from 'commander';
import { collect, misuse, readAssignments, readFormat, toFields } from '../cli/flags.ts';
import { CommandError, type CommandIo, exitCodes } from '../cli/io.ts';
import { EnqueueFailure, InputFault } from '../input/faults.ts';
import type { SetFields } from '../input/validate.ts';
import { updateFields } from '../message/update.ts';
import { createSqsClient, silentLogger } from '../queue/client.ts';
import { Queue } from '../queue/queue.ts';
import { LANES } from '../sending/send.ts';
import { shortPrintable } from '../text/printable.ts';
import { createProgress } from '../text/progress.ts';
import { systemClock } from '../time/clock.ts';
import type { EnqueueContext, EnqueueOptions } from './options.ts';
import { enqueue } from './run.ts';
import { type Report, summaryJson, summaryText, unfinishedSentence } from './summary.ts';

interface Flags {
  readonly queueUrl?: string;
  readonly format?: string;
  readonly set: readonly string[];
  readonly job?: string;
  readonly dryRun?: boolean;
  readonly json?: boolean;
  readonly fromLine?: string;
  readonly refused?: string;
}

/** What a run takes from the process besides its streams. */
export type EnqueueSurroundings = Pick<EnqueueContext, 'cwd' | 'clock' | 'random' | 'sleep'>;

const realSurroundings: EnqueueSurroundings = {
  get cwd() {
    return process.cwd();
  },
  clock: systemClock,
  random: Math.random,
  // An abort ends the wait early; it is no failure.
  sleep: (ms, signal) => delay(ms, undefined, { signal }).catch(() => undefined),
};

/** The command prints to `io` alone, sets `io.exitCode` or throws CommandError. */
export function configureEnqueue(
  command: Command,
  io: CommandIo,
  surroundings: EnqueueSurroundings = realSurroundings,
): void {
  command
    .description(
      'Validates every row of a CSV or JSON Lines file, then puts the good ones on the queue. ' +
        `The fields are ${updateFields.join(', ')}. Refused rows go to FILE.refused.csv with the reason.`,
    )
    .argument('<file>', 'CSV with a header row, or JSON Lines; - for stdin')
    .option('--queue-url <url>', 'the queue to put them on (default: QUEUE_URL)')
    .option('--format <format>', 'csv or jsonl (default: by extension; for stdin by the first character)')
    .option('--set <field=value>', 'set a field on every row; may be repeated', collect, [])
    .option('--job <id>', 'the same as --set JobId=<id>')
    .option('--refused <path>', 'where refused rows go (default: FILE.refused.csv)')
    .option('--from-line <n>', 'go on from this line of the file: rows before it are validated, not sent')
    .option('--dry-run', 'validate and write the refused rows, send nothing')
    .option('--json', 'print the summary as one JSON object')
    .addHelpText(
      'after',
      '\nExit codes: 0 all sent, 1 failed, 2 misuse, 3 some rows refused, 130 interrupted.',
    )
    .action(async (file: string, flags: Flags) => {
      const report = await runEnqueue(readOptions(file, flags, io), io, surroundings);
      finish(report, flags.json === true, io);
    });
}

async function runEnqueue(
  options: EnqueueOptions,
  io: CommandIo,
  surroundings: EnqueueSurroundings,
): Promise<Report> {
  const interrupted = new AbortController();
  const off = io.onSignal((signal) => {
    if (!interrupted.signal.aborted) interrupted.abort();
    else io.exitNow(signal === 'SIGINT' ? exitCodes.interrupted : exitCodes.terminated);
  });
  const client = createSqsClient(LANES, { logger: silentLogger }, io.env);
  const queue = new Queue(client, options.queueUrl ?? '');
  try {
    return await enqueue(options, {
      ...surroundings,
      stdin: io.stdin,
      signal: interrupted.signal,
      send: (messages) => queue.send(messages),
      progress: createProgress({ ...io, clock: surroundings.clock }),
    });
  } catch (error) {
    if (error instanceof InputFault) throw new CommandError(error.message, exitCodes.misuse);
    if (error instanceof EnqueueFailure) throw new CommandError(error.message, exitCodes.failed);
    throw error;
  } finally {
    off();
    client.destroy();
  }
}

function finish(report: Report, json: boolean, io: CommandIo): void {
  const unfinished = unfinishedSentence(report);
  if (json) io.stdout.write(summaryJson(report));
  else if (unfinished === undefined || report.sent > 0 || report.refused > 0)
    io.stdout.write(summaryText(report));
  if (unfinished !== undefined) {
    throw new CommandError(
      unfinished,
      report.outcome === 'failed' ? exitCodes.failed : exitCodes.interrupted,
    );
  }
  io.exitCode = report.refused > 0 ? exitCodes.someRefused : exitCodes.done;
}

function readOptions(file: string, flags: Flags, io: CommandIo): EnqueueOptions {
  return {
    file,
    format: readFormat(flags.format),
    set: readSet(flags),
    queueUrl: readQueueUrl(flags, io),
    dryRun: flags.dryRun === true,
    fromLine: readFromLine(flags.fromLine),
    ...(flags.refused !== undefined && { refusedFile: flags.refused }),
  };
}

function readSet({ set, job }: Flags): SetFields {
  const assignments = job === undefined ? set : [...set, `JobId=${job}`];
  return toFields(readAssignments('--set', assignments, updateFields));
}

function readQueueUrl(flags: Flags, io: CommandIo): string | undefined {
  const text = flags.queueUrl ?? io.env.QUEUE_URL;
  if (text === undefined || text === '') {
    if (flags.dryRun === true) return undefined;
    throw misuse('No queue is given: set QUEUE_URL or use --queue-url URL.');
  }
  if (/^https?:$/.test(URL.parse(text)?.protocol ?? '')) return text;
  const source = flags.queueUrl === undefined ? 'QUEUE_URL' : '--queue-url';
  throw misuse(`${source}: must be the URL of a queue (https://sqs.…).`);
}

function readFromLine(text: string | undefined): number {
  if (text === undefined) return 1;
  if (/^[1-9]\d{0,14}$/.test(text)) return Number(text);
  throw misuse(`--from-line ${shortPrintable(text)}: must be a line number, from 1.`);
}
