/** `dead-letters purge`: deletes letters permanently; a dry run unless confirmed. */

import type { Command } from 'commander';
import { wholeNumber } from '../../cli/flags.ts';
import { interruptible } from '../../cli/signals.ts';
import { CommandError, exitCodes } from '../../errors.ts';
import { columnsOf } from '../../text/layout.ts';
import { counted } from '../../text/numbers.ts';
import { jsonLine } from '../../text/printable.ts';
import { printableUrl } from '../../text/urls.ts';
import { type PurgeReport, purge } from '../changes/purge.ts';
import { explain } from '../desk/explain.ts';
import { both } from '../letters/conditions.ts';
import { purgeJson, purgeResult, purgeText } from '../view/changes.ts';
import { type ChangeFlags, checkChangeFlags, makeChange, withChangeFlags } from './change.ts';
import { ExportedLetters } from './exported.ts';
import { whereOf, withWhere } from './flags.ts';
import type { LettersRun, StartRun } from './run.ts';

interface Flags extends ChangeFlags {
  readonly limit: number;
}

export function addPurge(letters: Command, start: StartRun): void {
  const command = letters
    .command('purge')
    .description(
      'Delete letters permanently. `export` them first, and then give that file with --exported: exactly what it holds is ' +
        'deleted. Without --yes it shows what it would do; at a terminal, and with --reason, it then asks.',
    )
    .option('--exported <file>', 'only the letters in a file of `export`, by message id and body');
  withChangeFlags(
    withWhere(command).option(
      '--limit <n>',
      'maximum number of letters to delete',
      wholeNumber,
      Number.POSITIVE_INFINITY,
    ),
  ).action((flags: Flags) => {
    checkChangeFlags(flags);
    return start((run) => purgeLetters(flags, run));
  });
}

async function purgeLetters(flags: Flags, run: LettersRun): Promise<void> {
  const { config, context } = run;
  const { where, all = false, json, exported: path } = flags;
  const exported =
    path === undefined
      ? undefined
      : await interruptible(context, (signal) => ExportedLetters.read(path, context.cwd, signal));
  const matches = exported?.matches ?? whereOf(where).matches;
  const limit = Math.min(flags.limit, exported?.size ?? flags.limit);
  const deadLetterQueueUrl = printableUrl(config.deadLetterQueueUrl);
  await makeChange<PurgeReport>(run, flags, {
    action: 'purge',
    asked: { deadLetterQueueUrl, where, all, limit: flags.limit, exported: path },
    plan: async () => {
      const plan = await purge({ matches, limit, dryRun: true }, { ...run, audit: async () => {} });
      if (plan.error !== undefined) throw plan.error;
      // A FIFO pass that deletes nothing sees only one letter of each group: the user approves the file instead.
      return exported !== undefined && plan.chosen.size > 0 ? { ...plan, chosen: exported.ids } : plan;
    },
    carryOut: (agreed, audit) =>
      purge(
        { matches: both(matches, agreed.matches), limit: Math.min(limit, agreed.limit), dryRun: false },
        { ...run, audit },
      ),
    print: (found) =>
      context.stdout.write(
        json === true
          ? jsonLine(purgeJson(found, exported))
          : context.paint(purgeText(found, config, exported, columnsOf(context.stdout))),
      ),
    conclude: (found) => conclude(found, run),
    resultOf: (found) => purgeResult(found, exported),
  });
  const allFound = exported === undefined || exported.notFound + exported.changed === 0;
  if (!allFound && context.exitCode === exitCodes.done) context.exitCode = exitCodes.someRefused;
}

/** @throws CommandError if the purge was not completed. */
function conclude({ error, purged, notDeleted }: PurgeReport, { config, surroundings }: LettersRun): void {
  const done = `${counted(purged, 'letter')} ${purged === 1 ? 'was' : 'were'} deleted`;
  if (error !== undefined) {
    const why = explain(error, config);
    throw why === undefined ? error : new CommandError(`Stopped: ${why}. ${done}.`);
  }
  if (surroundings.signal.aborted) throw new CommandError(`Interrupted. ${done}.`, exitCodes.interrupted);
  if (notDeleted > 0)
    throw new CommandError(`${counted(notDeleted, 'letter')} could not be deleted. ${done}.`);
}
