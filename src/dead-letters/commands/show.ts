/** `dead-letters show ID`: prints letters in full. */

import type { Command } from 'commander';
import { CommandError, exitCodes } from '../../errors.ts';
import { columnsOf } from '../../text/layout.ts';
import { jsonLine, shortPrintable } from '../../text/printable.ts';
import { namedBy } from '../letters/conditions.ts';
import { passOver } from '../pass/pass.ts';
import { letterRecord } from '../view/export.ts';
import { letterText } from '../view/letter.ts';
import { seenText } from '../view/list.ts';
import { type BoundFlags, withBounds } from './flags.ts';
import { write } from './output.ts';
import type { LettersRun, StartRun } from './run.ts';

interface Flags extends BoundFlags {
  readonly json?: boolean;
}

export function addShow(letters: Command, start: StartRun): void {
  const command = letters
    .command('show')
    .description('Show the letters of one message id (or its first 8 characters), RequestId or Identifier')
    .argument('<id>');
  withBounds(command)
    .option('--json', 'a JSON line for each letter, in the same form as export')
    .action((id: string, flags: Flags) => start((run) => show(id, flags, run)));
}

async function show(id: string, flags: Flags, { context, dead, surroundings }: LettersRun): Promise<void> {
  const named = namedBy(id);
  let found = 0;
  const pass = await passOver(dead, flags, surroundings, async (letters) => {
    for (const letter of letters) {
      if (!named(letter, 0)) continue;
      const text =
        flags.json === true ? jsonLine(letterRecord(letter)) : letterText(letter, columnsOf(context.stdout));
      await write(context.stdout, found > 0 && flags.json !== true ? `\n${'-'.repeat(80)}\n\n${text}` : text);
      found++;
      // No other letter has this message id.
      if (letter.message.messageId === id) return false;
    }
    return true;
  });
  if (pass.end === 'interrupted') context.exitCode = exitCodes.interrupted;
  else if (found === 0)
    throw new CommandError(
      `No letter ${shortPrintable(id)}.\n${seenText(pass, dead.url, columnsOf(context.stderr)).join('\n')}`,
    );
}
