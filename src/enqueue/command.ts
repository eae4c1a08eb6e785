/** `enqueue FILE|-`: flags to options, report to exit code. */
import type { Command } from 'commander';
import { requireRightClock } from '../cli/clock.ts';
import type { CommandContext } from '../cli/context.ts';
import { collect, readAssignments, readFormat, toFields, wholeNumber } from '../cli/flags.ts';
import { interruptible } from '../cli/signals.ts';
import { ConfigError, readConfig, readConfigForAws } from '../config.ts';
import { CommandError, exitCodes, misuse } from '../errors.ts';
import type { SetFields } from '../input/rows.ts';
import { updateFields } from '../message/update.ts';
import { createSqsClient } from '../queue/client.ts';
import { watchClocks } from '../queue/clock.ts';
import { explainNotice } from '../queue/explain.ts';
import { Queue } from '../queue/queue.ts';
import { LANES } from '../sending/send.ts';
import { createProgress } from '../text/progress.ts';
import { type EnqueueOptions, enqueue } from './run.ts';
import { type Report, summaryJson, summaryText, unfinishedSentence } from './summary.ts';

interface Flags {
  readonly queueUrl?: string;
  readonly format?: string;
  readonly set: readonly string[];
  readonly job?: string;
  readonly dryRun?: boolean;
  readonly json?: boolean;
  readonly fromLine: number;
  readonly refused?: string;
  readonly force?: boolean;
}

/** The command prints to `context` alone, sets its exit code or throws CommandError. */
export function configureEnqueue(command: Command, context: CommandContext): void {
  command
    .description(
      'Validates every row of a CSV or JSON Lines file, then sends the valid ones to the queue. ' +
        `The fields are ${updateFields.join(', ')}. Refused rows go to FILE.refused.csv with the reason.`,
    )
    .argument('<file>', 'CSV with a header row, or JSON Lines; - for stdin')
    .option('--queue-url <url>', 'the queue to send to (default: QUEUE_URL)')
    .option('--format <format>', 'csv or jsonl (default: by extension; for stdin by the first character)')
    .option('--set <field=value>', 'set a field on every row; may be repeated', collect, [])
    .option('--job <id>', 'the same as --set JobId=<id>')
    .option('--refused <path>', 'where refused rows go (default: FILE.refused.csv, or the next free number)')
    .option('--force', 'replace an earlier file of refused rows at --refused')
    .option(
      '--from-line <n>',
      'continue from this line of the file: rows before it are validated, not sent',
      wholeNumber,
      1,
    )
    .option('--dry-run', 'validate and write the refused rows, send nothing')
    .option('--json', 'print the summary as one JSON object')
    .addHelpText(
      'after',
      '\nExit codes: 0 all sent, 1 failed, 2 misuse, 3 some rows refused, 130 interrupted.',
    )
    .action(async (file: string, flags: Flags) => {
      const options = readOptions(file, flags, context);
      const client = createSqsClient(LANES, {}, context.env);
      const queue = new Queue(client, options.queueUrl ?? '');
      queue.onNotice((notice) => void context.stderr.write(`${explainNotice(notice)}.\n`));
      const send: Queue['sendForIds'] = (messages) => queue.sendForIds(messages);
      const progress = createProgress(context);
      const { skewMs } = watchClocks(client, context.clock);
      const checkClock = async (): Promise<void> => requireRightClock(await skewMs(queue));
      const report = await interruptible(context, (signal) =>
        enqueue(options, { ...context, signal, send, progress, checkClock }),
      ).finally(() => client.destroy());
      finish(report, flags.json === true, context);
    });
}

function finish(report: Report, json: boolean, context: CommandContext): void {
  const unfinished = unfinishedSentence(report);
  if (json) context.stdout.write(summaryJson(report));
  else if (unfinished === undefined || report.sent > 0 || report.refused > 0)
    context.stdout.write(summaryText(report, context.commandLine));
  if (unfinished !== undefined) {
    throw new CommandError(
      unfinished,
      report.outcome === 'failed' ? exitCodes.failed : exitCodes.interrupted,
    );
  }
  context.exitCode = report.refused > 0 ? exitCodes.someRefused : exitCodes.done;
}

function readOptions(file: string, flags: Flags, context: CommandContext): EnqueueOptions {
  return {
    file,
    format: readFormat(flags.format),
    set: readSet(flags),
    queueUrl: readQueueUrl(flags, context),
    dryRun: flags.dryRun === true,
    fromLine: flags.fromLine,
    force: flags.force === true,
    ...(flags.refused !== undefined && { refusedFile: flags.refused }),
  };
}

function readSet({ set, job }: Flags): SetFields {
  const assignments = job === undefined ? set : [...set, `JobId=${job}`];
  return toFields(readAssignments('--set', assignments, updateFields));
}

function readQueueUrl(flags: Flags, context: CommandContext): string | undefined {
  const text = flags.queueUrl ?? context.env.QUEUE_URL;
  if (text === undefined || text === '') {
    if (flags.dryRun === true) return undefined;
    throw misuse('No queue is given: set QUEUE_URL or use --queue-url URL.');
  }
  const read = flags.dryRun === true ? readConfig : readConfigForAws;
  try {
    return read({ ...context.env, QUEUE_URL: text }, [], ['queueUrl']).queueUrl;
  } catch (error) {
    if (flags.queueUrl === undefined || !(error instanceof ConfigError)) throw error;
    throw new ConfigError(error.faults.map((fault) => fault.replace(/^QUEUE_URL:/, '--queue-url:')));
  }
}
