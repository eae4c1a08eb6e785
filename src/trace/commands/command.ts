/** `trace IDENTIFIER`: everything that is known about one task. */

import type { Command } from 'commander';
import type { CommandContext } from '../../cli/context.ts';
import { collect, misuse } from '../../cli/flags.ts';
import { interruptible } from '../../cli/signals.ts';
import { type BoundFlags, withBounds } from '../../dead-letters/commands/flags.ts';
import { exitCodes } from '../../errors.ts';
import { updateSchema } from '../../message/update.ts';
import { columnsOf } from '../../text/layout.ts';
import { createProgress } from '../../text/progress.ts';
import { traceJson } from '../json.ts';
import { isComplete, type Trace } from '../trace.ts';
import { updatesOf } from '../updates.ts';
import { traceText } from '../view.ts';
import { askApi, askLedger, askLetters, askLog } from './sources.ts';

interface Flags extends BoundFlags {
  readonly log: readonly string[];
  readonly json?: boolean;
}

/** @param pollSeconds for the pass over the dead-letter queue; see `PassSurroundings`. */
export function configureTrace(command: Command, context: CommandContext, pollSeconds?: number): void {
  command
    .description(
      'Shows what happened to a task: every known update of it and how it ended, in order of time, and what the task ' +
        'holds now. Asks the ledger of jobs, the dead-letter queue (in one pass that leaves everything in place), the API ' +
        "(GetOtaTask) and, with --log, a worker's log. A source that cannot be read is named, and does not stop the others.",
    )
    .argument('<identifier>', 'Identifier of the task')
    .option('--log <file>', "a worker's log, in JSON lines; - for stdin; may be repeated", collect, []);
  withBounds(command)
    .option('--json', 'print it as one JSON object')
    .addHelpText(
      'after',
      '\nExit codes: 0 all sources that were asked were read, 1 a source could not be read, or not to its end.',
    )
    .action((identifier: string, flags: Flags) => trace(identifier, flags, context, pollSeconds));
}

async function trace(
  identifier: string,
  flags: Flags,
  context: CommandContext,
  pollSeconds: number | undefined,
): Promise<void> {
  const { error } = updateSchema.shape.Identifier.safeParse(identifier);
  if (error !== undefined) throw misuse(`IDENTIFIER: ${error.issues[0]?.message}.`);
  await interruptible(context, async (signal) => {
    const progress = createProgress(context);
    const surroundings = { context, identifier, signal };
    const [ledger, letters, task, ...logs] = await Promise.all([
      askLedger(surroundings),
      askLetters(surroundings, flags, pollSeconds, progress),
      askApi(surroundings),
      ...(flags.log.length === 0 ? [undefined] : flags.log).map((file) => askLog(surroundings, file)),
    ]).finally(() => progress.stop());
    const answers = [ledger, letters, ...logs];
    const found: Trace = {
      identifier,
      task: task.task,
      updates: updatesOf(answers.flatMap(({ findings }) => findings)),
      sources: [ledger, letters, task, ...logs].map(({ report }) => report),
    };
    context.stdout.write(
      flags.json === true
        ? traceJson(found)
        : traceText(found, context.commandLine, columnsOf(context.stdout)),
    );
    if (signal.aborted) context.exitCode = exitCodes.interrupted;
    else context.exitCode = isComplete(found) ? exitCodes.done : exitCodes.failed;
  });
}
