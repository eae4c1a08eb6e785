/** `dead-letters export`: letters as JSON Lines, everything left in place. */
import { createWriteStream } from 'node:fs';
import { finished } from 'node:stream/promises';
import type { Command } from 'commander';
import { Option } from 'commander';
import { CommandError, type CommandIo, exitCodes } from '../../cli/io.ts';
import { counted } from '../../text/numbers.ts';
import { shortPrintable } from '../../text/printable.ts';
import { passOver } from '../pass/pass.ts';
import { type ExportForm, exportLine } from '../view/export.ts';
import { seenText } from '../view/list.ts';
import {
  type LettersContext,
  type LettersSurroundings,
  whereOf,
  withBounds,
  withQueues,
  withWhere,
  write,
} from './context.ts';

interface Flags {
  readonly where: readonly string[];
  readonly limit: number;
  readonly seconds: number;
  readonly out?: string;
  readonly as: ExportForm;
}

export function addExport(letters: Command, io: CommandIo, surroundings: LettersSurroundings): void {
  const command = letters
    .command('export')
    .description('Write dead letters as JSON Lines, in one pass that leaves them all in place')
    .option('--out <file>', 'a file that does not exist yet (default: stdout)')
    .addOption(
      new Option('--as <form>', 'whole letters, or the updates in them as `enqueue` reads them')
        .choices(['letters', 'updates'])
        .default('letters'),
    );
  withBounds(withWhere(command)).action((flags: Flags) =>
    withQueues(io, surroundings, (context) => exportLetters(flags, io, context)),
  );
}

async function exportLetters(
  flags: Flags,
  io: CommandIo,
  { dead, surroundings }: LettersContext,
): Promise<void> {
  const where = whereOf(flags.where);
  const out = flags.out === undefined ? undefined : await openNew(flags.out);
  let written = 0;
  let left = 0;
  try {
    const pass = await passOver(dead, flags, surroundings, async (letters) => {
      const now = surroundings.clock.wall();
      for (const letter of letters) {
        if (!where.matches(letter, now)) continue;
        const line = exportLine(letter, flags.as);
        if (line === undefined) left++;
        else {
          await write(out ?? io.stdout, `${line}\n`);
          written++;
        }
      }
      return true;
    });
    io.exitCode = pass.end === 'interrupted' ? exitCodes.interrupted : exitCodes.done;
    const lines = [
      `${counted(written, 'letter')} written${flags.out === undefined ? '' : ` to ${shortPrintable(flags.out, 200)}`}`,
      ...(left > 0
        ? [`${counted(left, 'letter')} left out: not a valid update (--as letters has them)`]
        : []),
      ...seenText(pass, dead.url),
      '  all left in place',
    ];
    io.stderr.write(`${lines.join('\n')}\n`);
    if (left > 0 && io.exitCode === exitCodes.done) io.exitCode = exitCodes.someRefused;
  } finally {
    out?.end();
    if (out !== undefined) await finished(out);
  }
}

/** Never writes over a file: an export may be the only copy of what was purged since. */
async function openNew(path: string) {
  const out = createWriteStream(path, { flags: 'wx', mode: 0o640 });
  await new Promise<void>((resolve, reject) => {
    out.once('open', () => resolve());
    out.once('error', (error) =>
      reject(new CommandError(`--out: ${shortPrintable(error.message, 300)}`, exitCodes.misuse)),
    );
  });
  return out;
}
