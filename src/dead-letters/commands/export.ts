/** `dead-letters export`: writes letters as JSON Lines, and leaves all in place. */

import { type Command, Option } from 'commander';
import { exitCodes } from '../../errors.ts';
import { columnsOf } from '../../text/layout.ts';
import { counted } from '../../text/numbers.ts';
import { shortPrintable } from '../../text/printable.ts';
import { isComplete, passOver } from '../pass/pass.ts';
import { type ExportForm, exportLine } from '../view/export.ts';
import { incompleteText, seenText } from '../view/list.ts';
import { type BoundFlags, type WhereFlags, whereOf, withBounds, withWhere } from './flags.ts';
import { type WriteText, withNewFile, write } from './output.ts';
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
  const { stdout, cwd } = run.context;
  if (out === undefined) return exportLetters(flags, run, (text) => write(stdout, text), undefined);
  return withNewFile(out, cwd, (writeText) => exportLetters(flags, run, writeText, out));
}

async function exportLetters(
  flags: Omit<Flags, 'out'>,
  { context, dead, surroundings }: LettersRun,
  writeText: WriteText,
  out: string | undefined,
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
        await writeText(`${line}\n`);
        written++;
      }
    }
    return true;
  });
  const whole = left === 0 && isComplete(pass);
  context.exitCode = whole ? exitCodes.done : exitCodes.someRefused;
  if (pass.end === 'interrupted') context.exitCode = exitCodes.interrupted;
  const columns = columnsOf(context.stderr);
  const lines = [
    `${counted(written, 'letter')} written${out === undefined ? '' : ` to ${shortPrintable(out, 200)}`}`,
    ...(left > 0 ? [`${counted(left, 'letter')} left out: not a valid update (--as letters has them)`] : []),
    ...seenText(pass, dead.url, columns),
    ...(isComplete(pass) ? [] : [incompleteText(pass, columns)]),
    '  all left in place',
  ];
  if (written > 0 && flags.as === 'letters') {
    const purge = ['purge', '--exported', out ?? 'FILE', '--reason', 'exported'];
    lines.push(
      'next: delete what is in the file, and nothing else:',
      context.commandLine('dead-letters', ...purge),
    );
  }
  context.stderr.write(`${lines.join('\n')}\n`);
}
