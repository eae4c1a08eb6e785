/** `schema`: the published contract. */
import { Argument, type Command } from 'commander';
import type { CommandIo } from '../cli/io.ts';
import { outcomeJsonSchema } from '../message/outcome.ts';
import { updateJsonSchema } from '../message/update.ts';

const schemas = { update: updateJsonSchema, outcome: outcomeJsonSchema } as const;

/** Adds `schema`, which prints the JSON Schema of an update or of an outcome. */
export function addSchema(program: Command, io: CommandIo): void {
  program
    .command('schema')
    .description('Print the JSON Schema that the body of a message must meet: of an update, or of an outcome')
    .addArgument(new Argument('[name]', 'which schema').choices(Object.keys(schemas)).default('update'))
    .action((name: keyof typeof schemas) => {
      io.stdout.write(schemas[name]());
    });
}
