/** `dead-letters show ID`: letters in full. */
import type { Command } from 'commander';
import { CommandError, type CommandIo, exitCodes } from '../../cli/io.ts';
import { shortPrintable } from '../../text/printable.ts';
import { namedBy } from '../letters/conditions.ts';
import { passOver } from '../pass/pass.ts';
import { letterRecord } from '../view/export.ts';
import { letterText } from '../view/letter.ts';
import { jsonLine, seenText } from '../view/list.ts';
import { type LettersContext, type LettersSurroundings, withBounds, withQueues, write } from './context.ts';

interface Flags {
  readonly limit: number;
  readonly seconds: number;
  readonly json?: boolean;
}

export function addShow(letters: Command, io: CommandIo, surroundings: LettersSurroundings): void {
  const command = letters
    .command('show')
    .description('Show the letters of one message id (or its first 8 characters), RequestId or Identifier')
    .argument('<id>');
  withBounds(command)
    .option('--json', 'a JSON line for each letter, in the form of export')
    .action((id: string, flags: Flags) =>
      withQueues(io, surroundings, (context) => show(id, flags, io, context)),
    );
}

async function show(
  id: string,
  flags: Flags,
  io: CommandIo,
  { dead, surroundings }: LettersContext,
): Promise<void> {
  const named = namedBy(id);
  let found = 0;
  const pass = await passOver(dead, flags, surroundings, async (letters) => {
    for (const letter of letters) {
      if (!named(letter, 0)) continue;
      const text = flags.json === true ? jsonLine(letterRecord(letter)) : letterText(letter);
      await write(io.stdout, found > 0 && flags.json !== true ? `\n${'-'.repeat(80)}\n\n${text}` : text);
      found++;
      // A message id is of one letter alone: no need to look on.
      if (letter.message.messageId === id) return false;
    }
    return true;
  });
  if (pass.end === 'interrupted') io.exitCode = exitCodes.interrupted;
  else if (found === 0)
    throw new CommandError(`No letter ${shortPrintable(id)}.\n${seenText(pass, dead.url).join('\n')}`);
}
