/** `dead-letters purge`: letters deleted for good; a dry run unless confirmed. */
import type { Command } from 'commander';
import { CommandError, type CommandIo, exitCodes } from '../../cli/io.ts';
import { counted } from '../../text/numbers.ts';
import { printable } from '../../text/printable.ts';
import { printableUrl } from '../../text/urls.ts';
import { type PurgeReport, purge } from '../changes/purge.ts';
import { purgeJson, purgeText } from '../view/changes.ts';
import { jsonLine } from '../view/list.ts';
import { ask, type ChangeFlags, canAsk, checkChangeFlags, nothingChanged, openLog } from './confirm.ts';
import {
  explain,
  isExplained,
  type LettersContext,
  type LettersSurroundings,
  whereOf,
  wholeNumber,
  withQueues,
  withWhere,
} from './context.ts';

interface Flags extends ChangeFlags {
  readonly limit: number;
}

export function addPurge(letters: Command, io: CommandIo, surroundings: LettersSurroundings): void {
  const command = letters
    .command('purge')
    .description(
      'Delete letters for good; `export` them first. Without --yes it shows what it would do; at a terminal, and ' +
        'with --reason, it then asks.',
    );
  withWhere(command)
    .option('--all', 'every letter')
    .option('--limit <n>', 'letters to delete, at most', wholeNumber, Number.POSITIVE_INFINITY)
    .option('--reason <text>', 'why; it is logged')
    .option('--by <name>', 'who, for the log (default: USER)')
    .option('--yes', 'do it without asking')
    .option('--json', 'print one JSON object')
    .action((flags: Flags) => {
      checkChangeFlags(flags);
      return withQueues(io, surroundings, (context) => run(flags, io, context, surroundings));
    });
}

async function run(
  flags: Flags,
  io: CommandIo,
  context: LettersContext,
  surroundings: LettersSurroundings,
): Promise<void> {
  const { signal } = context.surroundings;
  const { matches } = whereOf(flags.where);
  const { limit, where, all = false } = flags;
  let agreed = Number.POSITIVE_INFINITY;
  if (flags.yes !== true) {
    const plan = await purge({ matches, limit, dryRun: true }, { ...context, audit: async () => {} });
    if (plan.error !== undefined) throw plan.error;
    print(plan, flags, io, context);
    if (signal.aborted) throw nothingChanged(signal);
    if (plan.purged === 0) return;
    if (!canAsk(io, flags)) {
      io.stderr.write('Dry run: nothing was changed. To do it, add --yes and --reason "…".\n');
      return;
    }
    if (!(await ask(io, `purge ${plan.purged}`, signal))) throw nothingChanged(signal);
    // Letters that came since were not agreed to.
    agreed = plan.purged;
  }
  const log = await openLog('purge', flags, io, context, surroundings);
  try {
    const deadLetterQueueUrl = printableUrl(context.config.deadLetterQueueUrl);
    await log.write({ event: 'begin', what: { deadLetterQueueUrl, where, all, limit } });
    const report = await purge(
      { matches, limit: Math.min(limit, agreed), dryRun: false },
      { ...context, audit: log.write },
    );
    const { groups: _, pass: __, ...result } = purgeJson(report);
    await log.write({ event: 'end', result });
    print(report, flags, io, context);
    io.stderr.write(`Logged in ${printable(log.path)}.\n`);
    conclude(report, context);
  } finally {
    await log.close();
  }
}

function print(report: PurgeReport, { json }: Flags, io: CommandIo, { config }: LettersContext): void {
  io.stdout.write(json === true ? jsonLine(purgeJson(report)) : purgeText(report, config));
}

/** @throws CommandError when it did not come to its end. */
function conclude({ error, purged, notDeleted }: PurgeReport, context: LettersContext): void {
  const done = `${counted(purged, 'letter')} ${purged === 1 ? 'was' : 'were'} deleted`;
  if (error !== undefined && !isExplained(error)) throw error;
  if (error !== undefined) throw new CommandError(`Stopped: ${explain(error, context.config)}. ${done}.`);
  if (context.surroundings.signal.aborted)
    throw new CommandError(`Interrupted. ${done}.`, exitCodes.interrupted);
  if (notDeleted > 0)
    throw new CommandError(`${counted(notDeleted, 'letter')} could not be deleted. ${done}.`);
}
