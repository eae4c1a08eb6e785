/** `dead-letters redrive`: letters back to the source queue; a dry run unless confirmed. */
import type { Command } from 'commander';
import { CommandError, type CommandIo, exitCodes } from '../../cli/io.ts';
import { updateSchema } from '../../message/update.ts';
import { counted, number } from '../../text/numbers.ts';
import { printable, shortPrintable } from '../../text/printable.ts';
import { printableUrl } from '../../text/urls.ts';
import { type SetFields, settableFields } from '../changes/decide.ts';
import { planRedrive, type RedriveOptions, type RedriveReport, redrive } from '../changes/redrive.ts';
import { redriveJson, redriveText } from '../view/changes.ts';
import { jsonLine } from '../view/list.ts';
import { ask, type ChangeFlags, canAsk, checkChangeFlags, nothingChanged, openLog } from './confirm.ts';
import {
  collect,
  explain,
  isExplained,
  type LettersContext,
  type LettersSurroundings,
  misuse,
  positive,
  whereOf,
  wholeNumber,
  withQueues,
  withWhere,
} from './context.ts';

interface Flags extends ChangeFlags {
  readonly limit: number;
  readonly rate: number;
  readonly canary?: number;
  readonly canarySeconds: number;
  readonly canaryQuiet: number;
  readonly set: readonly string[];
  readonly force?: boolean;
}

export function addRedrive(letters: Command, io: CommandIo, surroundings: LettersSurroundings): void {
  const command = letters
    .command('redrive')
    .description(
      'Put letters back on the source queue: sent first, deleted after the confirmation. Without --yes it shows ' +
        'what it would do; at a terminal, and with --reason, it then asks.',
    );
  withWhere(command)
    .option('--all', 'every letter')
    .option('--limit <n>', 'letters to put back, at most', wholeNumber, Number.POSITIVE_INFINITY)
    .option('--rate <n>', 'letters per second, at most', positive, Number.POSITIVE_INFINITY)
    .option(
      '--canary <n>',
      'put back so many first, and the others only when none of them comes back',
      wholeNumber,
    )
    .option('--canary-seconds <n>', 'how long to wait for the end of the canaries', positive, 600)
    .option('--canary-quiet <n>', 'seconds that the source queue must stay empty for that', positive, 60)
    .option('--set <field=value>', `change ${settableFields.join(', ')}; renews IssuedAt`, collect, [])
    .option('--force', 'also what was put back too often, rejected again, came from elsewhere or is invalid')
    .option('--reason <text>', 'why; it is logged')
    .option('--by <name>', 'who, for the log (default: USER)')
    .option('--yes', 'do it without asking')
    .option('--json', 'print one JSON object')
    .action((flags: Flags) => {
      checkChangeFlags(flags);
      const options = readOptions(flags);
      return withQueues(io, surroundings, (context) => run(flags, options, io, context, surroundings));
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

function readSet(assignments: readonly string[]): SetFields {
  const fields: Partial<Record<(typeof settableFields)[number], string>> = {};
  for (const assignment of assignments) {
    const equals = assignment.indexOf('=');
    const name = equals === -1 ? assignment : assignment.slice(0, equals);
    const field = settableFields.find((known) => known === name);
    if (field === undefined)
      throw misuse(
        `--set: "${shortPrintable(name)}" cannot be set. The fields are ${settableFields.join(', ')}.`,
      );
    const value = updateSchema.shape[field].safeParse(
      equals === -1 ? undefined : assignment.slice(equals + 1),
    );
    if (!value.success || value.data === undefined)
      throw misuse(`--set ${field}: ${value.error?.issues[0]?.message ?? 'give a value'}.`);
    if (fields[field] !== undefined) throw misuse(`--set ${field}: is given twice.`);
    fields[field] = value.data;
  }
  return fields;
}

async function run(
  flags: Flags,
  options: RedriveOptions,
  io: CommandIo,
  context: LettersContext,
  surroundings: LettersSurroundings,
): Promise<void> {
  const { signal } = context.surroundings;
  let agreed = Number.POSITIVE_INFINITY;
  if (flags.yes !== true) {
    const plan = await planRedrive(options, context);
    print(plan, flags, io, context);
    if (signal.aborted) throw nothingChanged(signal);
    io.exitCode = plan.refused.count > 0 ? exitCodes.someRefused : exitCodes.done;
    if (plan.redriven === 0) return;
    if (!canAsk(io, flags)) {
      io.stderr.write('Dry run: nothing was changed. To do it, add --yes and --reason "…".\n');
      return;
    }
    if (!(await ask(io, `redrive ${plan.redriven}`, signal))) throw nothingChanged(signal);
    // Letters that came since were not agreed to.
    agreed = plan.redriven;
  }
  const log = await openLog('redrive', flags, io, context, surroundings);
  try {
    const { config } = context;
    const queues = {
      queueUrl: printableUrl(config.queueUrl),
      deadLetterQueueUrl: printableUrl(config.deadLetterQueueUrl),
    };
    const { where, all = false, set, force = false, canary, limit, rate } = flags;
    const asked = { where, all, set, force, canary, limit, rate };
    await log.write({ event: 'begin', what: { ...queues, ...asked } });
    const report = await redrive(
      { ...options, limit: Math.min(options.limit, agreed) },
      {
        ...context,
        audit: log.write,
        onProgress: progress(io, surroundings.clock.monotonic),
        onCanary: (sent) =>
          io.stderr.write(
            `${counted(sent, 'canary', 'canaries')} sent; waiting for them: until the source queue has been\n` +
              `empty for ${flags.canaryQuiet} s, ${flags.canarySeconds} s at most\n`,
          ),
      },
    );
    const { groups: _, pass: __, ...result } = redriveJson(report);
    await log.write({ event: 'end', result: { ...result, error: errorText(report.error, context) ?? null } });
    print(report, flags, io, context);
    io.stderr.write(`Logged in ${printable(log.path)}.\n`);
    conclude(report, io, context);
  } finally {
    await log.close();
  }
}

function print(report: RedriveReport, { json }: Flags, io: CommandIo, { config }: LettersContext): void {
  io.stdout.write(json === true ? jsonLine(redriveJson(report)) : redriveText(report, config));
}

/** @throws CommandError when it did not come to its end. */
function conclude(report: RedriveReport, io: CommandIo, context: LettersContext): void {
  const { error, canary, refused, redriven, notDeleted } = report;
  const sent = `${counted(redriven, 'letter')} ${redriven === 1 ? 'was' : 'were'} put back`;
  const failure = errorText(error, context);
  if (failure !== undefined) {
    if (!isExplained(error)) throw error;
    throw new CommandError(`Stopped: ${failure}. ${sent}; none is lost: run the command again.`);
  }
  if (context.surroundings.signal.aborted)
    throw new CommandError(
      `Interrupted. ${sent}; none is lost: run the command again.`,
      exitCodes.interrupted,
    );
  if (canary?.verdict === 'came-back')
    throw new CommandError(
      'Stopped by the canaries: the cause is not mended. Nothing more was sent.',
      exitCodes.stoppedByThreshold,
    );
  if (canary !== undefined && canary.verdict !== 'good')
    throw new CommandError(
      'Stopped: no telling how the canaries ended. Nothing more was sent; look with `dead-letters list --group`.',
      exitCodes.stoppedByThreshold,
    );
  if (notDeleted > 0)
    throw new CommandError(
      `${sent}, but ${counted(notDeleted, 'letter')} could not be deleted from the dead-letter queue, and ${notDeleted === 1 ? 'is' : 'are'} on both. Applying one twice does no harm; \`dead-letters purge\` takes away what is left.`,
    );
  io.exitCode = refused.count > 0 ? exitCodes.someRefused : exitCodes.done;
}

function errorText(error: unknown, context: LettersContext): string | undefined {
  if (error === undefined) return undefined;
  return isExplained(error) ? explain(error, context.config) : printable(String(error));
}

/** A line every ten seconds. */
function progress(io: CommandIo, monotonic: () => number): (sent: number) => void {
  let next = monotonic() + 10_000;
  return (sent) => {
    if (monotonic() < next) return;
    next = monotonic() + 10_000;
    io.stderr.write(`${number(sent)} put back so far\n`);
  };
}
