/** `schema`: the published contract. */
import { Argument, type Command } from 'commander';
import type { CommandContext } from '../cli/context.ts';
import { outcomeJsonSchema } from '../message/outcome.ts';
import { updateJsonSchema } from '../message/update.ts';

const schemas = { update: updateJsonSchema, outcome: outcomeJsonSchema } as const;

/** The command prints the JSON Schema of an update or of an outcome. */
export function configureSchema(command: Command, { stdout }: CommandContext): void {
  command
    .description('Print the JSON Schema that the body of a message must meet: of an update, or of an outcome')
    .addArgument(new Argument('[name]', 'which schema').choices(Object.keys(schemas)).default('update'))
    .action((name: keyof typeof schemas) => {
      stdout.write(schemas[name]());
    });
}
