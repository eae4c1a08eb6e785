import { describe, expect, test } from 'vitest';
import { configureSchema } from '../../src/commands/schema.ts';
import { deadLetterJsonSchema } from '../../src/message/dead-letter-record.ts';
import { outcomeJsonSchema } from '../../src/message/outcome.ts';
import { updateJsonSchema } from '../../src/message/update.ts';
import { runConfigured } from '../../testing/stages/context.ts';

async function schema(...args: string[]): Promise<string> {
  return (await runConfigured(configureSchema, 'schema', args)).stdout;
}

describe('schema', () => {
  test.each([[[]], [['update']]])('prints the JSON Schema of an update (%j)', async (args) => {
    expect(await schema(...args)).toBe(updateJsonSchema());
  });

  test('prints the JSON Schema of an outcome', async () => {
    expect(await schema('outcome')).toBe(outcomeJsonSchema());
  });

  test('prints the JSON Schema of the record of a dead letter', async () => {
    expect(await schema('dead-letter')).toBe(deadLetterJsonSchema());
  });

  test('refuses a schema it does not know', async () => {
    await expect(schema('letter')).rejects.toMatchObject({ code: 'commander.invalidArgument' });
  });
});
