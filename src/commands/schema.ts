/** `schema`: the published contract. */
import { Argument, type Command } from 'commander';
import { updateJsonSchema } from '../message/update.ts';
import type { CommandIo } from './io.ts';

/** Adds `schema`, which prints the JSON Schema of an update. */
export function addSchema(program: Command, io: CommandIo): void {
  program
    .command('schema')
    .description('Print the JSON Schema that the body of a message must meet')
    .addArgument(new Argument('[name]', 'which schema').choices(['update']).default('update'))
    .action(() => {
      io.stdout.write(updateJsonSchema());
    });
}
