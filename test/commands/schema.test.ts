import { PassThrough, Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { Command } from 'commander';
import { describe, expect, test } from 'vitest';
import type { CommandIo } from '../../src/cli/io.ts';
import { addSchema } from '../../src/commands/schema.ts';
import { outcomeJsonSchema } from '../../src/message/outcome.ts';
import { updateJsonSchema } from '../../src/message/update.ts';

async function schema(...args: string[]): Promise<string> {
  const stdout = new PassThrough();
  const io: CommandIo = {
    env: {},
    stdin: Readable.from([]),
    stdout,
    stderr: new PassThrough(),
    isTerminal: false,
    onSignal: () => () => {},
    exitNow: () => {},
    exitCode: 0,
  };
  const program = new Command().exitOverride().configureOutput({ writeErr: () => {} });
  addSchema(program, io);
  await program.parseAsync(['schema', ...args], { from: 'user' });
  stdout.end();
  return await text(stdout);
}

describe('schema', () => {
  test.each([[[]], [['update']]])('prints the JSON Schema of an update (%j)', async (args) => {
    expect(await schema(...args)).toBe(updateJsonSchema());
  });

  test('prints the JSON Schema of an outcome', async () => {
    expect(await schema('outcome')).toBe(outcomeJsonSchema());
  });

  test('refuses a schema it does not know', async () => {
    await expect(schema('dead-letter')).rejects.toMatchObject({ code: 'commander.invalidArgument' });
  });
});
