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
    `only letters that match; may be repeated (any of the values of one field, and all of the fields): ${whereFields.join(', ')}`,
    collect,
    [],
  );
}

export function withBounds(command: Command): Command {
  return command
    .option('--limit <n>', 'maximum number of letters to look at', wholeNumber, MAX_IN_FLIGHT)
    .option('--seconds <n>', 'maximum time to look, in seconds', positiveNumber, 60);
}

/** @throws CommandError for a condition that cannot be parsed. */
export function whereOf(conditions: readonly string[]): Extract<WhereResult, { ok: true }> {
  const where = readWhere(conditions);
  if (where.ok) return where;
  throw misuse(`--where: ${shortPrintable(where.message, 300)}`);
}
