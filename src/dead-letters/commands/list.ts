/** `dead-letters list`: lists letters or causes in one pass, and leaves all in place. */

import type { Command } from 'commander';
import { wholeNumber } from '../../cli/flags.ts';
import { exitCodes } from '../../errors.ts';
import { columnsOf } from '../../text/layout.ts';
import { counted, number } from '../../text/numbers.ts';
import { jsonLine } from '../../text/printable.ts';
import type { CommandLine } from '../../text/shell.ts';
import { Groups } from '../letters/causes.ts';
import { type PassResult, passOver } from '../pass/pass.ts';
import {
  groupsJson,
  groupsText,
  letterJson,
  letterLine,
  lettersHead,
  nextLines,
  seenText,
} from '../view/list.ts';
import { type BoundFlags, type WhereFlags, whereOf, withBounds, withWhere } from './flags.ts';
import { write } from './output.ts';
import type { LettersRun, StartRun } from './run.ts';

interface Flags extends WhereFlags, BoundFlags {
  readonly group?: boolean;
  readonly rows: number;
  readonly json?: boolean;
}

export function addList(letters: Command, start: StartRun): void {
  const command = letters
    .command('list')
    .description('List dead letters, or their causes, in one pass that leaves them all in place')
    .option('--group', 'group letters by cause: how many, first, last, an example');
  withBounds(withWhere(command))
    .option('--rows <n>', 'maximum number of letters to print, without --group and --json', wholeNumber, 50)
    .option('--json', 'with --group one JSON object, without it a JSON line for each letter')
    .action((flags: Flags) => start((run) => list(flags, run)));
}

async function list(flags: Flags, { context, dead, surroundings }: LettersRun): Promise<void> {
  const { stdout, stderr } = context;
  const columns = columnsOf(stdout);
  const where = whereOf(flags.where);
  const groups = new Groups();
  let matched = 0;
  const pass = await passOver(dead, flags, surroundings, async (letters) => {
    const now = surroundings.clock.wall();
    for (const letter of letters) {
      if (!where.matches(letter, now)) continue;
      matched++;
      if (flags.group === true) groups.add(letter);
      else if (flags.json === true) await write(stdout, jsonLine(letterJson(letter)));
      else if (matched <= flags.rows)
        await write(
          stdout,
          `${matched === 1 ? `${lettersHead(columns)}\n` : ''}${letterLine(letter, columns)}\n`,
        );
    }
    return true;
  });
  context.exitCode = pass.end === 'interrupted' ? exitCodes.interrupted : exitCodes.done;
  if (flags.group === true && flags.json === true) {
    stdout.write(jsonLine(groupsJson(matched, groups, pass)));
    return;
  }
  const lines = [
    ...(flags.group === true ? groupsText(groups, columns) : moreText(matched, flags.rows)),
    ...(matched > 0 ? [''] : []),
    ...seenText(pass, dead.url, columns),
    ...closing(flags, matched, pass, groups, context.commandLine),
  ];
  const text = `${lines.join('\n')}\n`;
  if (flags.json === true) stderr.write(text);
  else stdout.write(context.paint(text));
}

function moreText(matched: number, rows: number): string[] {
  return matched > rows ? [`… and ${number(matched - rows)} more: --rows, --group or export`] : [];
}

function closing(
  flags: Flags,
  matched: number,
  pass: PassResult,
  groups: Groups,
  commandLine: CommandLine,
): string[] {
  const lines: string[] = [];
  if (flags.where.length > 0) lines.push(`  ${counted(matched, 'letter')} matched`);
  if (pass.seen === 0) return lines;
  lines.push('  all left in place');
  return [...lines, ...nextLines(groups, flags.where, commandLine)];
}
