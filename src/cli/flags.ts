/** Flags shared by several commands. Every fault is a misuse: usage or one sentence, exit code 2. */

import { type Command, InvalidArgumentError, Option } from 'commander';
import { misuse } from '../errors.ts';
import { didYouMean } from '../text/nearest.ts';
import { decimalOf, LARGEST, wholeOf } from '../text/numbers.ts';
import { shortPrintable } from '../text/printable.ts';

export { misuse } from '../errors.ts';

/**
 * Keeps an option's old name, hidden from help: `renamed(command, '--job-id <id>', '--job')`.
 * @param current the present long name.
 */
export function renamed(command: Command, old: string, current: string): Command {
  const option = command.options.find(({ long }) => long === current);
  const alias = new Option(old).hideHelp();
  if (option?.parseArg !== undefined) alias.argParser(option.parseArg);
  command.addOption(alias).on(`option:${alias.name()}`, () => {
    const value: unknown = command.getOptionValue(alias.attributeName());
    if (option !== undefined) command.setOptionValueWithSource(option.attributeName(), value, 'cli');
  });
  return command;
}

/** For options that may be repeated. */
export function collect(value: string, before: readonly string[]): readonly string[] {
  return [...before, value];
}

/** A whole number from 1. */
export function wholeNumber(text: string): number {
  const value = wholeOf(text);
  if (Number.isNaN(value))
    throw new InvalidArgumentError('It must be a whole number from 1, of at most 15 digits.');
  return value;
}

/** A number above 0. */
export function positiveNumber(text: string): number {
  const value = decimalOf(text);
  if (value > 0 && value <= LARGEST.number) return value;
  throw new InvalidArgumentError(
    `It must be a number above 0 and at most ${LARGEST.number}, as in 10 or 0.5.`,
  );
}

/** Reads `FIELD=VALUE` with one of `fields`. */
export function readAssignments<Field extends string>(
  flag: string,
  texts: readonly string[],
  fields: readonly Field[],
): (readonly [Field, string])[] {
  return texts.map((text) => {
    const equals = text.indexOf('=');
    const name = equals === -1 ? text : text.slice(0, equals);
    const field = fields.find((known) => known === name);
    if (field === undefined) {
      throw misuse(
        `${flag}: unknown field "${shortPrintable(name)}".${didYouMean(name, fields)} The fields are ${fields.join(', ')}.`,
      );
    }
    if (equals === -1) throw misuse(`${flag} ${field}: give a value, as in ${flag} ${field}=VALUE.`);
    return [field, text.slice(equals + 1)] as const;
  });
}

/** Assignments as an object: a field may be repeated, but not with different values. */
export function toFields<Field extends string>(
  assignments: readonly (readonly [Field, string])[],
): Partial<Record<Field, string>> {
  const values: Partial<Record<Field, string>> = {};
  for (const [field, value] of assignments) {
    if (values[field] !== undefined && values[field] !== value) {
      throw misuse(`${field} is set twice, to different values.`);
    }
    values[field] = value;
  }
  return values;
}
