/** `jobs prune --older-than AGE`: deletes jobs that are over from the ledger. */
import type { Command } from 'commander';
import { ask, isYes } from '../../cli/ask.ts';
import type { CommandContext } from '../../cli/context.ts';
import { interruptible } from '../../cli/signals.ts';
import { addReasonOptions, deedOf, type ReasonFlags } from '../../cli/who.ts';
import { CommandError, exitCodes } from '../../errors.ts';
import { columnsOf, table } from '../../text/layout.ts';
import { counted, number } from '../../text/numbers.ts';
import { instant } from '../../text/times.ts';
import type { Ledger } from '../ledger/ledger.ts';
import { LedgerInterrupted } from '../ledger/shared/error.ts';
import { parseSeconds } from '../rules/times.ts';
import type { Deed } from '../steer/deed.ts';
import { findPrunable, type Prunable, pruneJob, pruneRest } from '../steer/prune.ts';
import { withLedger } from './open.ts';

interface Flags extends ReasonFlags {
  readonly olderThan: string;
  readonly dryRun?: boolean;
  readonly yes?: boolean;
}

export function addPrune(jobs: Command, context: CommandContext): void {
  const command = jobs
    .command('prune')
    .summary('delete old jobs from the ledger')
    .description(
      'Deletes jobs that are done, cancelled or elsewhere and have not changed for the given time: their rows, outcomes, runs and ' +
        'notices. Such a job can no longer be reported or undone: file its report first (`jobs report --to`). Also deletes old lines of ' +
        'the log of changes, except the latest 10,000.',
    )
    .requiredOption('--older-than <age>', 'jobs that have not changed for this long, as in 90d')
    .option('--dry-run', 'show what would be deleted, and delete nothing')
    .option('--yes', 'delete without asking');
  addReasonOptions(command).action(async (flags: Flags) => {
    const before = context.clock.wall() - parseSeconds('--older-than', flags.olderThan) * 1_000;
    await interruptible(context, (signal) =>
      withLedger(context, 'write', signal, (ledger) => prune(ledger, before, flags, context, signal)),
    );
  });
}

async function prune(
  ledger: Ledger,
  before: number,
  flags: Flags,
  context: CommandContext,
  signal: AbortSignal,
): Promise<void> {
  const { olderThan, dryRun = false, yes = false } = flags;
  const deed = deedOf(context, flags);
  const { stdout } = context;
  const found = await findPrunable(ledger, before);
  stdout.write(
    found.length === 0
      ? `No job has been over for ${olderThan} or longer.\n`
      : context.paint(listText(found, columnsOf(stdout))),
  );
  if (dryRun) return;
  const rows = found.reduce((sum, one) => sum + one.rows, 0);
  const question = `Delete ${counted(found.length, 'job')} with ${counted(rows, 'row')} for good? [y/N]`;
  if (found.length > 0 && !yes && !(await ask(context, question, isYes, signal)))
    throw new CommandError('Nothing was deleted. To delete without being asked, give --yes.');
  const gone = await pruneAll(ledger, found, before, deed, context, signal);
  const rest = await uninterrupted(signal, gone, () => pruneRest(ledger, before, deed, signal));
  const others = [
    ...(rest.auditLines > 0
      ? [counted(rest.auditLines, 'line of the log of changes', 'lines of the log of changes')]
      : []),
    ...(rest.outcomes > 0 ? [`${counted(rest.outcomes, 'outcome')} of no job`] : []),
  ];
  stdout.write(`Deleted: ${[counted(gone, 'job'), ...others].join(', ')}.\n`);
}

/** @returns how many jobs were deleted. */
async function pruneAll(
  ledger: Ledger,
  found: readonly Prunable[],
  before: number,
  deed: Deed,
  context: CommandContext,
  signal: AbortSignal,
): Promise<number> {
  let gone = 0;
  for (const one of found) {
    const { jobId } = one.job;
    const deleted = await uninterrupted(signal, gone, () => pruneJob(ledger, one, before, deed, signal));
    if (deleted) gone++;
    else
      context.stderr.write(
        `Job ${jobId} was not deleted: it has changed meanwhile, or a process is sending it.\n`,
      );
  }
  return gone;
}

/** @throws CommandError if the user has interrupted `work`. */
async function uninterrupted<T>(signal: AbortSignal, gone: number, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const isOwn = error instanceof CommandError && !(error instanceof LedgerInterrupted);
    if (!signal.aborted || isOwn) throw error;
    throw new CommandError(
      `Interrupted: ${counted(gone, 'job')} deleted. If a job is deleted only in part, run this command again: it begins with that job.`,
      exitCodes.interrupted,
    );
  }
}

function listText(found: readonly Prunable[], columns: number | undefined): string {
  const rows = found.map(({ job, rows: count }) => [
    job.jobId,
    job.plan?.state.name ?? 'outcomes only',
    `${instant(job.updatedAt)} UTC`,
    number(count),
  ]);
  const lines = table([['JOB', 'STATE', 'LAST CHANGED', 'ROWS'], ...rows], columns, [3]);
  return `${lines.join('\n')}\n`;
}
