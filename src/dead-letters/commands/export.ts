/** `dead-letters export`: letters as JSON Lines, everything left in place. */
import type { Writable } from 'node:stream';
import { type Command, Option } from 'commander';
import { exitCodes } from '../../errors.ts';
import { counted } from '../../text/numbers.ts';
import { shortPrintable } from '../../text/printable.ts';
import { passOver } from '../pass/pass.ts';
import { type ExportForm, exportLine } from '../view/export.ts';
import { seenText } from '../view/list.ts';
import { type BoundFlags, type WhereFlags, whereOf, withBounds, withWhere } from './flags.ts';
import { withNewFile, write } from './output.ts';
import type { LettersRun, StartRun } from './run.ts';

interface Flags extends WhereFlags, BoundFlags {
  readonly out?: string;
  readonly as: ExportForm;
}

export function addExport(letters: Command, start: StartRun): void {
  const command = letters
    .command('export')
    .description('Write dead letters as JSON Lines, in one pass that leaves them all in place')
    .option('--out <file>', 'a file that does not exist yet (default: stdout)')
    .addOption(
      new Option('--as <form>', 'whole letters, or the updates in them as `enqueue` reads them')
        .choices(['letters', 'updates'])
        .default('letters'),
    );
  withBounds(withWhere(command)).action((flags: Flags) => start((run) => exportTo(flags, run)));
}

function exportTo({ out, ...flags }: Flags, run: LettersRun): Promise<void> {
  if (out === undefined) return exportLetters(flags, run, run.context.stdout, '');
  return withNewFile(out, (file) => exportLetters(flags, run, file, ` to ${shortPrintable(out, 200)}`));
}

async function exportLetters(
  flags: Omit<Flags, 'out'>,
  { context, dead, surroundings }: LettersRun,
  out: Writable,
  where: string,
): Promise<void> {
  const { matches } = whereOf(flags.where);
  let written = 0;
  let left = 0;
  const pass = await passOver(dead, flags, surroundings, async (letters) => {
    const now = surroundings.clock.wall();
    for (const letter of letters) {
      if (!matches(letter, now)) continue;
      const line = exportLine(letter, flags.as);
      if (line === undefined) left++;
      else {
        await write(out, `${line}\n`);
        written++;
      }
    }
    return true;
  });
  context.exitCode = pass.end === 'interrupted' ? exitCodes.interrupted : exitCodes.done;
  const lines = [
    `${counted(written, 'letter')} written${where}`,
    ...(left > 0 ? [`${counted(left, 'letter')} left out: not a valid update (--as letters has them)`] : []),
    ...seenText(pass, dead.url),
    '  all left in place',
  ];
  context.stderr.write(`${lines.join('\n')}\n`);
  if (left > 0 && context.exitCode === exitCodes.done) context.exitCode = exitCodes.someRefused;
}
