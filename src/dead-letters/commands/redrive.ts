/** `dead-letters redrive`: sends letters back to the source queue; a dry run unless confirmed. */

import type { Command } from 'commander';
import type { CommandContext } from '../../cli/context.ts';
import { collect, misuse, positiveNumber, readAssignments, toFields, wholeNumber } from '../../cli/flags.ts';
import { CommandError, exitCodes } from '../../errors.ts';
import { updateSchema } from '../../message/update.ts';
import { columnsOf } from '../../text/layout.ts';
import { counted, number } from '../../text/numbers.ts';
import { jsonLine } from '../../text/printable.ts';
import { printableUrl } from '../../text/urls.ts';
import { type SetFields, settableFields } from '../changes/decide.ts';
import { planRedrive, type RedriveOptions, type RedriveReport, redrive } from '../changes/redrive.ts';
import { errorText, explain } from '../desk/explain.ts';
import { both } from '../letters/conditions.ts';
import { redriveJson, redriveResult, redriveText } from '../view/changes.ts';
import { type ChangeFlags, checkChangeFlags, makeChange, withChangeFlags } from './change.ts';
import { whereOf, withWhere } from './flags.ts';
import type { LettersRun, StartRun } from './run.ts';

interface Flags extends ChangeFlags {
  readonly limit: number;
  readonly rate: number;
  readonly canary?: number;
  readonly canarySeconds: number;
  readonly canaryQuiet: number;
  readonly set: readonly string[];
  readonly force?: boolean;
}

export function addRedrive(letters: Command, start: StartRun): void {
  const command = letters
    .command('redrive')
    .description(
      'Put letters back on the source queue: sent first, deleted after the confirmation. Without --yes it shows ' +
        'what it would do; at a terminal, and with --reason, it then asks.',
    );
  withWhere(command)
    .option('--limit <n>', 'maximum number of letters to put back', wholeNumber, Number.POSITIVE_INFINITY)
    .option('--rate <n>', 'maximum letters per second', positiveNumber, Number.POSITIVE_INFINITY)
    .option(
      '--canary <n>',
      'put this many back first, and the others only if none of these is dead-lettered again',
      wholeNumber,
    )
    .option('--canary-seconds <n>', 'how long to wait for the end of the canaries', positiveNumber, 600)
    .option(
      '--canary-quiet <n>',
      'seconds for which the source queue must stay empty before that',
      positiveNumber,
      60,
    )
    .option('--set <field=value>', `change ${settableFields.join(', ')}; renews IssuedAt`, collect, [])
    .option(
      '--force',
      'also letters that were put back too often or rejected again, or that are foreign or invalid',
    );
  withChangeFlags(command).action((flags: Flags) => {
    checkChangeFlags(flags);
    const options = readOptions(flags);
    return start((run) => redriveLetters(flags, options, run));
  });
}

function readOptions(flags: Flags): RedriveOptions {
  return {
    matches: whereOf(flags.where).matches,
    set: readSet(flags.set),
    limit: flags.limit,
    ratePerSecond: flags.rate,
    canary: flags.canary,
    canaryBounds: { seconds: flags.canarySeconds, quietSeconds: flags.canaryQuiet },
    force: flags.force === true,
  };
}

function readSet(texts: readonly string[]): SetFields {
  const assignments = readAssignments('--set', texts, settableFields);
  for (const [field, value] of assignments) {
    const { success, error } = updateSchema.shape[field].safeParse(value);
    if (!success) throw misuse(`--set ${field}: ${error.issues[0]?.message ?? 'is not valid'}.`);
  }
  return toFields(assignments);
}

async function redriveLetters(flags: Flags, options: RedriveOptions, run: LettersRun): Promise<void> {
  const { config, context } = run;
  const { where, all = false, set, force = false, canary, limit, rate, json } = flags;
  const queueUrl = printableUrl(config.queueUrl);
  const deadLetterQueueUrl = printableUrl(config.deadLetterQueueUrl);
  await makeChange<RedriveReport>(run, flags, {
    action: 'redrive',
    asked: { queueUrl, deadLetterQueueUrl, where, all, set, force, canary, limit, rate },
    plan: async () => {
      const plan = await planRedrive(options, run);
      context.exitCode = plan.refused.count > 0 ? exitCodes.someRefused : exitCodes.done;
      return plan;
    },
    carryOut: async (agreed, audit) =>
      redrive(
        {
          ...options,
          matches: both(options.matches, agreed.matches),
          limit: Math.min(options.limit, agreed.limit),
        },
        {
          ...run,
          source: await run.redriveTo(),
          audit,
          onProgress: progress(context),
          onCanary: (sent) =>
            context.stderr.write(
              `${counted(sent, 'canary', 'canaries')} sent; waiting for them: until the source queue has been\n` +
                `empty for ${flags.canaryQuiet} s, ${flags.canarySeconds} s at most\n`,
            ),
        },
      ),
    print: (found) =>
      context.stdout.write(
        json === true
          ? jsonLine(redriveJson(found))
          : context.paint(redriveText(found, config, columnsOf(context.stdout))),
      ),
    conclude: (found) => conclude(found, run),
    resultOf: (found) => redriveResult(found, errorText(found.error, config)),
  });
}

/** @throws CommandError if the redrive was not completed. */
function conclude(report: RedriveReport, run: LettersRun): void {
  const { error, canary, refused, redriven, notDeleted } = report;
  const sent = `${counted(redriven, 'letter')} ${redriven === 1 ? 'was' : 'were'} put back`;
  if (error !== undefined) {
    const why = explain(error, run.config);
    if (why === undefined) throw error;
    throw new CommandError(`Stopped: ${why}. ${sent}; none is lost: run the command again.`);
  }
  if (run.surroundings.signal.aborted)
    throw new CommandError(
      `Interrupted. ${sent}; none is lost: run the command again.`,
      exitCodes.interrupted,
    );
  if (canary?.verdict === 'came-back')
    throw new CommandError(
      'Stopped by the canaries: the cause is not fixed. Nothing more was sent.',
      exitCodes.stoppedEarly,
    );
  if (canary !== undefined && canary.verdict !== 'good')
    throw new CommandError(
      'Stopped: how the canaries ended is not known. Nothing more was sent; look with `dead-letters list --group`.',
      exitCodes.stoppedEarly,
    );
  if (notDeleted > 0)
    throw new CommandError(
      `${sent}, but ${counted(notDeleted, 'letter')} could not be deleted from the dead-letter queue, and ${notDeleted === 1 ? 'is' : 'are'} on both queues. Run the command again: it sends and deletes them once more; applying one twice does no harm.`,
    );
  run.context.exitCode = refused.count > 0 ? exitCodes.someRefused : exitCodes.done;
}

/** A line every ten seconds. */
function progress({ stderr, clock }: CommandContext): (sent: number) => void {
  let next = clock.monotonic() + 10_000;
  return (sent) => {
    if (clock.monotonic() < next) return;
    next = clock.monotonic() + 10_000;
    stderr.write(`${number(sent)} put back so far\n`);
  };
}
