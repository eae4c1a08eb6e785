/** `dead-letters …`: what is on the dead-letter queue, and what becomes of it. */
import type { Command } from 'commander';
import type { CommandIo } from '../../cli/io.ts';
import { type LettersSurroundings, realSurroundings } from './context.ts';
import { addExport } from './export.ts';
import { addList } from './list.ts';
import { addPurge } from './purge.ts';
import { addRedrive } from './redrive.ts';
import { addShow } from './show.ts';

/** The group of commands. They print to `io` alone, and set `io.exitCode` or throw CommandError. */
export function configureDeadLetters(
  letters: Command,
  io: CommandIo,
  surroundings: LettersSurroundings = realSurroundings,
): void {
  letters.description(
    'Works on DEAD_LETTER_QUEUE_URL; puts letters back on QUEUE_URL. A pass holds the letters it looks at ' +
      'invisible and makes them visible again when it ends. Changes are logged in STATE_DIR.',
  );
  for (const add of [addList, addShow, addExport, addRedrive, addPurge]) add(letters, io, surroundings);
}
