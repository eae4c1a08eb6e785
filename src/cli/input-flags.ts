/** Flags about the file of updates that a command reads: its format, the meaning of its columns, the rows to use. */
import type { Command } from 'commander';
import { misuse } from '../errors.ts';
import { type ColumnFlags, nearestField } from '../input/columns.ts';
import { type Format, formats } from '../input/row.ts';
import { updateFields } from '../message/update.ts';
import { didYouMean } from '../text/nearest.ts';
import { shortPrintable } from '../text/printable.ts';
import { collect } from './flags.ts';

/** With commander's names. */
export interface InputFlags {
  readonly format?: string;
  readonly column: readonly string[];
  readonly ignoreColumn: readonly string[];
  readonly where: readonly string[];
}

export const FILE_ARGUMENT = 'CSV with a header row, a JSON array, or JSON Lines; - for stdin';

/** Adds `--format`, `--column` and `--ignore-column`, and `--where` unless the command has its own. */
export function addInputOptions(command: Command, where = true): Command {
  command
    .option('--format <format>', `${formats.join(', ')} (default: detected from the content)`)
    .option(
      '--column <name=field>',
      'take this field from the column of this name, as in "Task ID=Identifier"; may be repeated',
      collect,
      [],
    )
    .option('--ignore-column <name>', 'leave out the column of this name; may be repeated', collect, []);
  if (!where) return command;
  return command.option(
    '--where <column=value>',
    'only rows with this value in this column, as in State=dead-lettered of a report; a column given twice: either value',
    collect,
    [],
  );
}

export interface InputOptions {
  readonly format: Format | undefined;
  readonly columns: ColumnFlags;
}

/** @throws CommandError for an invalid flag. */
export function readInputFlags(flags: InputFlags): InputOptions {
  return {
    format: readFormat(flags.format),
    columns: {
      mapped: flags.column.map((text) => {
        const equals = text.lastIndexOf('=');
        if (equals === -1)
          throw misuse(`--column ${shortPrintable(text)}: give NAME=FIELD, as in "Task ID=Identifier".`);
        const name = text.slice(equals + 1);
        const field = updateFields.find((known) => known.toLowerCase() === name.toLowerCase());
        if (field !== undefined) return [text.slice(0, equals), field];
        const near = nearestField(name);
        throw misuse(
          `--column ${shortPrintable(text)}: there is no field "${shortPrintable(name)}".` +
            `${near === undefined ? '' : ` Did you mean "${near}"?`} The fields are ${updateFields.join(', ')}.`,
        );
      }),
      ignored: flags.ignoreColumn,
      where: flags.where.map((text) => {
        const equals = text.indexOf('=');
        if (equals !== -1) return [text.slice(0, equals), text.slice(equals + 1)];
        throw misuse(`--where ${shortPrintable(text)}: give COLUMN=VALUE, as in State=dead-lettered.`);
      }),
    },
  };
}

function readFormat(format: string | undefined): Format | undefined {
  const known = formats.find((name) => name === format);
  if (format === undefined || known !== undefined) return known;
  const near = didYouMean(format, formats);
  throw misuse(`--format ${shortPrintable(format)}: the formats are csv, json and jsonl.${near}`);
}
