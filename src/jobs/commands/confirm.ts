/** Shows what a plan will do before it is sent, and asks whether to send it. */
import { ask, canAsk, isYes } from '../../cli/ask.ts';
import type { CommandContext } from '../../cli/context.ts';
import { readConfig } from '../../config.ts';
import { CommandError, exitCodes, misuse } from '../../errors.ts';
import { columnsOf, countLine, hang, widthOf } from '../../text/layout.ts';
import { counted } from '../../text/numbers.ts';
import { printable, shortPrintable } from '../../text/printable.ts';
import type { Counts, JobRecord } from '../ledger/job.ts';
import type { Plan } from '../plan/reader.ts';
import { timeNote } from '../plan/time-note.ts';
import { undoNote } from '../plan/undo-note.ts';
import type { JobSettings } from '../rules/settings.ts';
import { ChangeTally } from '../view/changes.ts';
import { settingTexts } from '../view/settings-text.ts';
import { leftOutNote } from '../view/standing-facts.ts';
import { type Session, sentElsewhere } from './session.ts';

/** @throws CommandError if nobody can be asked and `--yes` was not given. */
export function requireAnswer(context: CommandContext, yes: boolean, file: string): void {
  if (yes || canAsk(context)) return;
  const command = context.commandLine('jobs', 'apply', file, '--yes');
  throw misuse(
    `Nothing was sent: without a terminal nobody can confirm it. To send the plan, give --yes: \`${command}\`.`,
  );
}

/**
 * Shows the plan and asks. Does not ask if all its rows were sent before.
 * @param job the job of that name, if it was begun before.
 * @throws CommandError if the answer is no, or if another process sends the job.
 */
export async function confirm(
  { context, ledger, updates, signal }: Session,
  plan: Plan,
  job: JobRecord | undefined,
  settings: JobSettings,
): Promise<void> {
  // Do not ask about a job that is refused afterwards.
  if (job !== undefined && (await ledger.isLeased(job.key))) throw sentElsewhere(context, job.jobId);
  const counts = job === undefined ? undefined : await ledger.count(job.key);
  if (job?.plan?.complete === true && counts?.planned === 0) return;
  const tally = new ChangeTally();
  for await (const row of plan.rows()) {
    signal.throwIfAborted();
    tally.add(row);
  }
  const { rateLimit } = readConfig(context.env, ['rateLimit']);
  const open = tally.rows - (counts === undefined ? 0 : counts.ended + counts.inFlight);
  const time = timeNote(open, await ledger.measuredRate(), rateLimit);
  const lines = planLines({
    plan,
    tally,
    counts,
    open,
    time,
    queue: updates.url,
    settings,
    columns: columnsOf(context.stderr),
  });
  context.stderr.write(`${lines.join('\n')}\n`);
  if (await ask(context, `Send ${counted(open, 'update')}? [y/N]`, isYes, signal)) return;
  if (signal.aborted) throw new CommandError('Interrupted. Nothing was sent.', exitCodes.interrupted);
  throw new CommandError('Nothing was sent.');
}

interface Shown {
  readonly plan: Plan;
  readonly tally: ChangeTally;
  readonly counts: Counts | undefined;
  /** Rows still to be sent. */
  readonly open: number;
  readonly time: string;
  readonly queue: string;
  readonly settings: JobSettings;
  /** Width of the terminal. */
  readonly columns: number | undefined;
}

function planLines({ plan, tally, counts, open, time, queue, settings, columns }: Shown): string[] {
  const { JobId, Source } = plan.header;
  const width = widthOf(columns);
  const line = (name: string, count: number, note = ''): string => countLine(name, count, note, columns);
  const { toChange: _, ...leftOut } = plan.footer.Counts;
  const leftOutRows = Object.values(leftOut).reduce((sum, count) => sum + count, 0);
  const lines = [
    `job ${JobId}, made from ${shortPrintable(Source, 100)}`,
    line('to send', open, `to ${printable(queue)}`),
  ];
  if (counts !== undefined && counts.ended + counts.inFlight > 0)
    lines.push(line('sent before', counts.ended + counts.inFlight));
  if (leftOutRows > 0) lines.push(line('left out', leftOutRows, leftOutNote(leftOut, false)));
  lines.push(...tally.lines());
  lines.push(hang('  undo          ', undoNote(tally.undoable, tally.rows), width));
  lines.push(hang('  time          ', time, width));
  for (const [name, text] of settingTexts(settings)) lines.push(hang(`  ${name.padEnd(12)}  `, text, width));
  return lines;
}
