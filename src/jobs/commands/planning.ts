/**
 * What `jobs plan` and `jobs undo` share: the reader of tasks, the name of the new job,
 * warnings and the result.
 */

import type { CommandContext } from '../../cli/context.ts';
import { interruptible } from '../../cli/signals.ts';
import { type ApiConfig, ConfigError, readConfigForAws } from '../../config.ts';
import { CommandError, exitCodes, messageOf } from '../../errors.ts';
import type { ReaderSurroundings } from '../../ota/create-reader.ts';
import type { OtaReader } from '../../ota/reader.ts';
import { columnsOf } from '../../text/layout.ts';
import { printable } from '../../text/printable.ts';
import { createProgress } from '../../text/progress.ts';
import { remoteText } from '../../text/remote.ts';
import type { MeasuredRate } from '../ledger/job.ts';
import type { PlanContext } from '../plan/options.ts';
import { type PlanReport, planJson, planText } from '../plan/summary.ts';
import { withLedger } from './open.ts';

/**
 * Runs `work` with everything needed to make a plan, and prints the result.
 * @throws CommandError if interrupted, and what `work` throws.
 */
export async function runPlanning(
  context: CommandContext,
  config: ApiConfig,
  json: boolean,
  work: (planning: PlanContext) => Promise<PlanReport | undefined>,
): Promise<void> {
  const report = await interruptible(context, async (signal) => {
    const progress = createProgress(context);
    const say = (line: string): void => {
      // Otherwise the progress bar would overwrite the line.
      progress.stop();
      context.stderr.write(`${line}\n`);
    };
    return await withPlanning(context, config, { signal, progress, say }, work);
  });
  if (report === undefined) {
    throw new CommandError('Interrupted. Nothing was written.', exitCodes.interrupted);
  }
  context.stdout.write(
    json ? planJson(report) : context.paint(planText(report, context.commandLine, columnsOf(context.stdout))),
  );
  context.exitCode = report.counts.refused > 0 ? exitCodes.someRefused : exitCodes.done;
}

/** Runs `work` with everything needed to make a plan. @throws what `work` throws. */
export async function withPlanning<T>(
  context: CommandContext,
  config: ApiConfig,
  {
    signal,
    progress,
    say,
    onAway,
  }: Pick<PlanContext, 'signal' | 'progress' | 'say'> & Pick<ReaderSurroundings, 'onAway'>,
  work: (planning: PlanContext) => Promise<T>,
): Promise<T> {
  const over = new AbortController();
  let made: Promise<OtaReader> | undefined;
  const reader = (): Promise<OtaReader> => {
    // Created on first use: the SDK takes 25 MB, and most plans from a file do not need it.
    made ??= import('../../ota/create-reader.ts').then(({ createReader }) =>
      createReader(config, { ...context, ...(onAway && { onAway }) }, AbortSignal.any([signal, over.signal])),
    );
    return made;
  };
  try {
    return await work({
      ...context,
      signal,
      reader: {
        get: async (identifier) => (await reader()).get(identifier),
        list: async (token) => (await reader()).list(token),
        configuration: async (id) => (await reader()).configuration(id),
      },
      progress,
      say,
      check: () => checkWarnings(context),
      measuredRate: () => measuredRate(context, signal),
    });
  } finally {
    // Ends retries of reads that were given up.
    over.abort();
    await (await made)?.close();
  }
}

/** How fast the latest jobs of the ledger ended; undefined if there are none, or the ledger cannot be read. */
function measuredRate(context: CommandContext, signal: AbortSignal): Promise<MeasuredRate | undefined> {
  // A plan does not need a ledger.
  return withLedger(context, 'read', signal, (ledger) => ledger.measuredRate()).catch(() => undefined);
}

/** Without characters that are easily confused when read aloud or copied by hand. */
const ALPHABET = 'abcdefghjkmnpqrstuvwxyz23456789';
const RANDOM_CHARACTERS = 6;

/** `2026-11-25-k3f9qa`. */
export function defaultJobId({ clock, random }: Pick<CommandContext, 'clock' | 'random'>): string {
  const pick = (): string => ALPHABET[Math.floor(random() * ALPHABET.length)] ?? '2';
  const end = Array.from({ length: RANDOM_CHARACTERS }, pick).join('');
  return `${new Date(clock.wall()).toISOString().slice(0, 10)}-${end}`;
}

/** Time limit for warnings. */
const PATIENCE_MS = 10_000;

/**
 * What `check` finds for a worker in this environment, and what a job needs in addition, one line each. Never
 * rejects.
 */
async function checkWarnings(context: CommandContext): Promise<readonly string[]> {
  const { sleep, commandLine } = context;
  const enough = new AbortController();
  const late = sleep(PATIENCE_MS, enough.signal).then(() => [
    `check: no answer within ${PATIENCE_MS / 1_000} s; see \`${commandLine('check')}\``,
  ]);
  try {
    return await Promise.race([findings(context), late]);
  } catch (error) {
    if (error instanceof ConfigError) return error.faults.map((fault) => `check: ${fault}`);
    return [`check failed: ${printable(remoteText(messageOf(error)))}`];
  } finally {
    enough.abort();
  }
}

async function findings(context: CommandContext): Promise<readonly string[]> {
  const config = readConfigForAws(context.env);
  // The SDK takes 25 MB: it is not loaded for an invalid configuration.
  const { runCheck } = await import('../../check/run-check.ts');
  const found = await runCheck(config, context);
  const warnings = found
    .filter(({ severity }) => severity === 'warning' || severity === 'error')
    .map(({ where, what, fix }) =>
      printable(`check: ${where} ${what}${fix === undefined ? '' : `; ${fix}`}`),
    );
  // A worker can run without an outcome queue, a job cannot.
  return config.outcomeQueueUrl === undefined
    ? [...warnings, 'check: OUTCOME_QUEUE_URL is not set; sending the job needs it']
    : warnings;
}
