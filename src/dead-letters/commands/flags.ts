/** Flags of several dead-letter commands. */
import type { Command } from 'commander';
import { collect, misuse, positiveNumber, wholeNumber } from '../../cli/flags.ts';
import { shortPrintable } from '../../text/printable.ts';
import { readWhere, type WhereResult, whereFields } from '../letters/conditions.ts';
import { MAX_IN_FLIGHT } from '../pass/pass.ts';

/** Selects letters. */
export interface WhereFlags {
  readonly where: readonly string[];
}

/** The limits of a pass that changes nothing. */
export interface BoundFlags {
  readonly limit: number;
  readonly seconds: number;
}

export function withWhere(command: Command): Command {
  return command.option(
    '--where <field=value>',
    `only letters like this; may be repeated (either of one field, each of several): ${whereFields.join(', ')}`,
    collect,
    [],
  );
}

export function withBounds(command: Command): Command {
  return command
    .option('--limit <n>', 'letters to look at, at most', wholeNumber, MAX_IN_FLIGHT)
    .option('--seconds <n>', 'time to look, at most', positiveNumber, 60);
}

/** @throws CommandError for a condition that cannot be parsed. */
export function whereOf(conditions: readonly string[]): Extract<WhereResult, { ok: true }> {
  const where = readWhere(conditions);
  if (where.ok) return where;
  throw misuse(`--where: ${shortPrintable(where.message, 300)}`);
}
