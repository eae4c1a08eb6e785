/** `schema`: the published contract. */
import { Argument, type Command } from 'commander';
import type { CommandContext } from '../cli/context.ts';
import { deadLetterJsonSchema } from '../message/dead-letter-record.ts';
import { outcomeJsonSchema } from '../message/outcome.ts';
import { outcomeEventJsonSchema } from '../message/outcome-event.ts';
import { updateJsonSchema } from '../message/update.ts';

const schemas = {
  update: updateJsonSchema,
  outcome: outcomeJsonSchema,
  'outcome-event': outcomeEventJsonSchema,
  'dead-letter': deadLetterJsonSchema,
} as const;

/** The command prints a JSON Schema of the contract. */
export function configureSchema(command: Command, { stdout }: CommandContext): void {
  command
    .description(
      'Print a JSON Schema: of an update, of an outcome, of an outcome as a CloudEvent (message bodies), or of the record that a dead letter carries',
    )
    .addArgument(new Argument('[name]', 'which schema').choices(Object.keys(schemas)).default('update'))
    .action((name: keyof typeof schemas) => {
      stdout.write(schemas[name]());
    });
}
