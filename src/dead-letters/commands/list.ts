/** `dead-letters list`: one pass, letters or causes, everything left in place. */
import type { Command } from 'commander';
import { type CommandIo, exitCodes } from '../../cli/io.ts';
import { counted, number } from '../../text/numbers.ts';
import { Groups } from '../letters/causes.ts';
import { type PassResult, passOver } from '../pass/pass.ts';
import {
  groupJson,
  groupsText,
  jsonLine,
  letterJson,
  letterLine,
  lettersHead,
  passJson,
  seenText,
} from '../view/list.ts';
import {
  type LettersContext,
  type LettersSurroundings,
  whereOf,
  wholeNumber,
  withBounds,
  withQueues,
  withWhere,
  write,
} from './context.ts';

interface Flags {
  readonly where: readonly string[];
  readonly group?: boolean;
  readonly limit: number;
  readonly seconds: number;
  readonly rows: number;
  readonly json?: boolean;
}

export function addList(letters: Command, io: CommandIo, surroundings: LettersSurroundings): void {
  const command = letters
    .command('list')
    .description('List dead letters, or their causes, in one pass that leaves them all in place')
    .option('--group', 'by cause: how many, first, last, an example');
  withBounds(withWhere(command))
    .option('--rows <n>', 'letters to print at most, without --group and --json', wholeNumber, 50)
    .option('--json', 'with --group one JSON object, without it a JSON line for each letter')
    .action((flags: Flags) => withQueues(io, surroundings, (context) => list(flags, io, context)));
}

async function list(flags: Flags, io: CommandIo, { dead, surroundings }: LettersContext): Promise<void> {
  const where = whereOf(flags.where);
  const groups = new Groups();
  let matched = 0;
  const show = async (line: string): Promise<void> => write(io.stdout, line);
  const pass = await passOver(dead, flags, surroundings, async (letters) => {
    const now = surroundings.clock.wall();
    for (const letter of letters) {
      if (!where.matches(letter, now)) continue;
      matched++;
      if (flags.group === true) groups.add(letter);
      else if (flags.json === true) await show(jsonLine(letterJson(letter)));
      else if (matched <= flags.rows)
        await show(`${matched === 1 ? `${lettersHead}\n` : ''}${letterLine(letter)}\n`);
    }
    return true;
  });
  io.exitCode = pass.end === 'interrupted' ? exitCodes.interrupted : exitCodes.done;
  if (flags.group === true && flags.json === true) {
    const json = {
      matched,
      groups: groups.all().map(groupJson),
      others: groups.others,
      pass: passJson(pass),
    };
    io.stdout.write(jsonLine(json));
    return;
  }
  const lines = [
    ...(flags.group === true ? groupsText(groups) : moreText(matched, flags.rows)),
    ...(matched > 0 ? [''] : []),
    ...seenText(pass, dead.url),
    ...closing(flags, matched, pass, groups),
  ];
  (flags.json === true ? io.stderr : io.stdout).write(`${lines.join('\n')}\n`);
}

function moreText(matched: number, rows: number): string[] {
  return matched > rows ? [`… and ${number(matched - rows)} more: --rows, --group or export`] : [];
}

function closing(flags: Flags, matched: number, pass: PassResult, groups: Groups): string[] {
  const lines: string[] = [];
  if (flags.where.length > 0) lines.push(`  ${counted(matched, 'letter')} matched`);
  if (pass.seen === 0) return lines;
  lines.push('  all left in place');
  const [first] = groups.all();
  if (first !== undefined)
    lines.push(
      '',
      'next: look at one (`dead-letters show`), mend the cause, put its group back with',
      `  dead-letters redrive --where group=${first.group} --canary 5 --reason "…"`,
    );
  return lines;
}
