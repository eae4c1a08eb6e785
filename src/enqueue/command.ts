/** `enqueue FILE|-`: converts flags to options, and the report to an exit code. */

import { resolve } from 'node:path';
import type { Command } from 'commander';
import { requireRightClock } from '../cli/clock.ts';
import type { CommandContext } from '../cli/context.ts';
import { collect, readAssignments, toFields, wholeNumber } from '../cli/flags.ts';
import { addInputOptions, FILE_ARGUMENT, type InputFlags, readInputFlags } from '../cli/input-flags.ts';
import { interruptible } from '../cli/signals.ts';
import { addReasonOptions, deedOf, type ReasonFlags, whoIs } from '../cli/who.ts';
import { ConfigError, readConfig, readConfigForAws } from '../config.ts';
import { CommandError, exitCodes, misuse } from '../errors.ts';
import type { SetFields } from '../input/row.ts';
import { readJobName } from '../jobs/plan/job-name.ts';
import { updateFields } from '../message/update.ts';
import { createSqsClient } from '../queue/client.ts';
import { watchClocks } from '../queue/clock.ts';
import { explainNotice } from '../queue/explain.ts';
import { Queue } from '../queue/queue.ts';
import { isFifoUrl } from '../queue/urls.ts';
import { LANES } from '../sending/send.ts';
import { columnsOf } from '../text/layout.ts';
import { printable } from '../text/printable.ts';
import { createProgress } from '../text/progress.ts';
import { type EnqueueContext, type EnqueueOptions, enqueue } from './run.ts';
import { type Report, summaryJson, summaryText, unfinishedSentence } from './summary.ts';

interface Flags extends InputFlags, ReasonFlags {
  readonly queueUrl?: string;
  readonly set: readonly string[];
  readonly job?: string;
  readonly dryRun?: boolean;
  readonly json?: boolean;
  readonly fromLine: number;
  readonly refused?: string;
}

/** The command prints only to `context`, and sets its exit code or throws CommandError. */
export function configureEnqueue(command: Command, context: CommandContext): void {
  command
    .description(
      'Validates every row of a CSV or JSON file, then sends the valid ones to the queue. ' +
        `The fields are ${updateFields.join(', ')}. Refused rows go to FILE.refused.csv with the reason.`,
    )
    .argument('<file>', FILE_ARGUMENT)
    .option('--queue-url <url>', 'the queue to send to (default: QUEUE_URL)')
    .option('--set <field=value>', 'set a field on every row; may be repeated', collect, [])
    .option(
      '--job <id>',
      'the job of every row; the ledger (STATE_DIR or LEDGER_URL) keeps the rows, for `jobs status` and `jobs report`; --set JobId=<id> only names the job',
    )
    .option(
      '--refused <path>',
      'where to write refused rows (default: FILE.refused.csv, or the next free number)',
    )
    .option(
      '--from-line <n>',
      'continue from this line of the file: rows before it are validated, but not sent',
      wholeNumber,
      1,
    )
    .option('--dry-run', 'validate and write the refused rows, send nothing')
    .option('--json', 'print the summary as one JSON object')
    .addHelpText(
      'after',
      '\nExit codes: 0 all sent, 1 failed, 2 misuse, 3 some rows refused, 130 interrupted.',
    );
  addReasonOptions(addInputOptions(command)).action(async (file: string, flags: Flags) => {
    const faults: string[] = [];
    const options = readOptions(file, flags, context, (fault) => faults.push(fault));
    const sender = options.dryRun ? nowhere : createSender(options.queueUrl ?? '', context);
    const progress = createProgress(context);
    const report = await interruptible(context, (signal) =>
      withJob(options, flags, context, signal, (keep) =>
        enqueue(options, { ...context, ...sender, signal, progress, keep }),
      ),
    ).finally(sender.close);
    for (const fault of faults) context.stderr.write(`${printable(fault)}; a dry run needs no queue.\n`);
    finish(report, flags.json === true, context);
  });
}

interface Sender extends Pick<EnqueueContext, 'send' | 'checkClock'> {
  readonly close: () => void;
}

/** A dry run sends nothing and needs no AWS. */
const nowhere: Sender = {
  send: () => Promise.reject(new Error('a dry run sends nothing')),
  checkClock: async () => {},
  close: () => {},
};

function createSender(queueUrl: string, context: CommandContext): Sender {
  const client = createSqsClient(LANES, {}, context.env);
  const queue = new Queue(client, queueUrl);
  queue.onNotice((notice) => void context.stderr.write(`${explainNotice(notice)}.\n`));
  const { skewMs } = watchClocks(client, context.clock);
  return {
    send: (messages) => queue.sendForIds(messages),
    checkClock: async () => requireRightClock(await skewMs(queue)),
    close: () => client.destroy(),
  };
}

/** Runs `work` with the keeper for the rows of `--job`. The ledger must be usable before anything is read or sent. */
async function withJob<T>(
  { job, file, queueUrl = '', dryRun }: EnqueueOptions,
  said: ReasonFlags,
  context: CommandContext,
  signal: AbortSignal,
  work: (keep: EnqueueContext['keep']) => Promise<T>,
): Promise<T> {
  if (job === undefined || dryRun) return await work(undefined);
  const { env, cwd } = context;
  const { commandPatience, openLedgerAt } = await import('../jobs/ledger/open.ts');
  const { keepRows } = await import('../jobs/run/keep-rows.ts');
  const { stateDir, ledgerUrl } = readConfig(env, ['stateDir', 'ledgerUrl']);
  const place = { stateDir: resolve(cwd, stateDir), ledgerUrl };
  // What was sent must be recorded, even after an interruption.
  const { endsAtOnce: _, ...patience } = commandPatience(
    signal,
    (sentence) => void context.stderr.write(`${sentence}.\n`),
  );
  const opening = openLedgerAt(place, 'create', { ...context, holder: whoIs(context), patience });
  const ledger = await opening.catch((error: unknown) => {
    if (!(error instanceof CommandError) || signal.aborted) throw error;
    throw new CommandError(
      `${error.message} --job keeps its rows there; --set JobId=${job} sends without that. Nothing was sent.`,
      error.exitCode,
    );
  });
  const path = file === '-' ? file : resolve(cwd, file);
  try {
    return await work((good) =>
      keepRows(ledger, { ...good, jobId: job, path, ...deedOf(context, said) }, isFifoUrl(queueUrl)),
    );
  } finally {
    await ledger.close();
  }
}

function finish(report: Report, json: boolean, context: CommandContext): void {
  const unfinished = unfinishedSentence(report);
  if (json) context.stdout.write(summaryJson(report));
  else if (unfinished === undefined || report.sent + report.mayHaveArrived + report.refused > 0)
    context.stdout.write(context.paint(summaryText(report, context.commandLine, columnsOf(context.stdout))));
  if (unfinished !== undefined) {
    throw new CommandError(
      unfinished,
      report.outcome === 'failed' ? exitCodes.failed : exitCodes.interrupted,
    );
  }
  context.exitCode = report.refused > 0 ? exitCodes.someRefused : exitCodes.done;
}

/** @param onFault is called with the fault of a variable that a dry run does not need. */
function readOptions(
  file: string,
  flags: Flags,
  context: CommandContext,
  onFault: (fault: string) => void,
): EnqueueOptions {
  return {
    file,
    ...readInputFlags(flags),
    set: readSet(flags),
    queueUrl: readQueueUrl(flags, context, onFault),
    queueByFlag: flags.queueUrl !== undefined,
    job: flags.job,
    dryRun: flags.dryRun === true,
    fromLine: flags.fromLine,
    ...(flags.refused !== undefined && { refusedFile: flags.refused }),
  };
}

function readSet({ set, job }: Flags): SetFields {
  if (job !== undefined) readJobName(job);
  const assignments = job === undefined ? set : [...set, `JobId=${job}`];
  return toFields(readAssignments('--set', assignments, updateFields));
}

function readQueueUrl(
  flags: Flags,
  context: CommandContext,
  onFault: (fault: string) => void,
): string | undefined {
  const text = flags.queueUrl ?? context.env.QUEUE_URL;
  if (text === undefined || text === '') {
    if (flags.dryRun === true) return undefined;
    throw misuse('No queue is given: set QUEUE_URL or use --queue-url URL.');
  }
  const read = flags.dryRun === true ? readConfig : readConfigForAws;
  try {
    return read({ ...context.env, QUEUE_URL: text }, [], ['queueUrl']).queueUrl;
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    if (flags.queueUrl === undefined) {
      if (flags.dryRun !== true) throw error;
      error.faults.forEach(onFault);
      return undefined;
    }
    throw new ConfigError(error.faults.map((fault) => fault.replace(/^QUEUE_URL:/, '--queue-url:')));
  }
}
