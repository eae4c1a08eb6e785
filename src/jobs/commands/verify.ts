/** `jobs verify JOB`: what happened to the devices behind a job's tasks. */
import type { Command } from 'commander';
import type { CommandContext } from '../../cli/context.ts';
import { interruptible } from '../../cli/signals.ts';
import { apiSettings, readConfigForAws } from '../../config.ts';
import { CommandError, exitCodes } from '../../errors.ts';
import { columnsOf } from '../../text/layout.ts';
import { createProgress } from '../../text/progress.ts';
import { hasEnded, type Verification } from '../verify/sum.ts';
import { verifyJob } from '../verify/verify-job.ts';
import { isBad, verificationJson, verificationText } from '../verify/view.ts';
import { findPlannedJob, withLedger } from './open.ts';

interface Flags {
  readonly watch?: boolean;
  readonly executions?: boolean;
  readonly json?: boolean;
}

/** Pause between two looks. */
const PAUSE_MS = 10_000;

export function addVerify(jobs: Command, context: CommandContext): void {
  jobs
    .command('verify')
    .summary("what became of the devices behind a job's tasks")
    .description(
      'An applied update is one that the API has accepted; whether the devices behind the task install it is seen later. ' +
        'Reads the task of every applied row (GetOtaTask), counts the devices by state, and names the tasks whose devices fail most ' +
        'and those that no longer have the values that the job set.',
    )
    .argument('<job>', 'the job')
    .option('--watch', 'look repeatedly until every device has ended')
    .option('--executions', 'ask for every device (ListOtaTaskExecutions), and name some that failed')
    .option('--json', 'print it as one JSON object; with --watch, one per line for each look')
    .addHelpText(
      'after',
      '\nExit codes: 0 all is well so far, 1 failed, 2 misuse, 3 devices failed or tasks were changed or not read, 130 interrupted.',
    )
    .action(async (jobId: string, flags: Flags) => {
      const config = readConfigForAws(context.env, apiSettings);
      await interruptible(context, (signal) =>
        withLedger(context, 'read', signal, async (ledger) => {
          const { key } = await findPlannedJob(ledger, jobId, context);
          const progress = createProgress(context);
          const { createReader } = await import('../../ota/create-reader.ts');
          const reader = createReader(config, context, signal);
          const look = async (): Promise<Verification> => {
            const { applied } = await ledger.count(key);
            progress.stage('verifying ', applied);
            return await verifyJob({
              ledger,
              key,
              reader,
              maxConcurrency: config.maxConcurrency,
              executions: flags.executions === true,
              signal,
              now: context.clock.wall,
              onTask: (count) => progress.update(count),
            }).finally(() => progress.stop());
          };
          try {
            await lookUntilEnded(look, jobId, flags, context, signal);
          } finally {
            await reader.close();
          }
        }),
      );
    });
}

async function lookUntilEnded(
  look: () => Promise<Verification>,
  jobId: string,
  { watch, json }: Flags,
  context: CommandContext,
  signal: AbortSignal,
): Promise<void> {
  const { stdout, paint, commandLine, sleep } = context;
  for (;;) {
    const found = await look();
    if (signal.aborted && found.tasks === 0)
      throw new CommandError('Interrupted. Nothing was changed.', exitCodes.interrupted);
    if (found.tasks === 0 && found.unread > 0)
      throw new CommandError(`No task could be read: ${found.unreadWhy ?? ''}.`);
    const text = verificationText(jobId, found, commandLine, columnsOf(stdout));
    stdout.write(json === true ? verificationJson(jobId, found) : paint(text));
    context.exitCode = signal.aborted
      ? exitCodes.interrupted
      : isBad(found)
        ? exitCodes.someRefused
        : exitCodes.done;
    if (watch !== true || signal.aborted || hasEnded(found)) return;
    await sleep(PAUSE_MS, signal);
    if (signal.aborted) {
      context.exitCode = exitCodes.interrupted;
      return;
    }
  }
}
