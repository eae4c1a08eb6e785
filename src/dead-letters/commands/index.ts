/** `dead-letters …`: shows what is on the dead-letter queue, and redrives, exports or deletes it. */
import type { Command } from 'commander';
import type { CommandContext } from '../../cli/context.ts';
import { addExport } from './export.ts';
import { addList } from './list.ts';
import { addPurge } from './purge.ts';
import { addRedrive } from './redrive.ts';
import { type StartRun, startRun } from './run.ts';
import { addShow } from './show.ts';

/**
 * The group of commands. They print only to the streams of `context`, and set its `exitCode` or throw CommandError.
 * @param pollSeconds see `PassSurroundings`.
 */
export function configureDeadLetters(letters: Command, context: CommandContext, pollSeconds?: number): void {
  letters.description(
    'Works on DEAD_LETTER_QUEUE_URL; puts letters back on QUEUE_URL. A pass holds the letters it looks at ' +
      'invisible and makes them visible again when it ends. Changes are logged in STATE_DIR.',
  );
  const start: StartRun = (work) => startRun(context, pollSeconds, work);
  for (const add of [addList, addShow, addExport, addRedrive, addPurge]) add(letters, start);
}
