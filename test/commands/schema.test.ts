import { existsSync, readFileSync } from 'node:fs';
import { PassThrough, Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { Command } from 'commander';
import { describe, expect, test } from 'vitest';
import { configTable, readmeFile, schemaFiles, withConfigTable } from '../../scripts/generate.ts';
import type { CommandIo } from '../../src/cli/io.ts';
import { addSchema } from '../../src/commands/schema.ts';
import { describeConfig } from '../../src/config.ts';
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

describe('what scripts/generate.ts writes', () => {
  test.each(schemaFiles)('$file is up to date', ({ file, text }) => {
    expect(readFileSync(file, 'utf8')).toBe(text());
  });

  test('the configuration table of README.md is up to date, where it has one', () => {
    const readme = existsSync(readmeFile) ? readFileSync(readmeFile, 'utf8') : '';
    expect(withConfigTable(readme) ?? readme).toBe(readme);
  });
});

describe('withConfigTable', () => {
  const readme = 'before\n<!-- config:start -->\nold\n<!-- config:end -->\nafter\n';

  test('puts the present table between the markers, and leaves the rest', () => {
    expect(withConfigTable(readme)).toBe(
      `before\n<!-- config:start -->\n\n${configTable()}\n\n<!-- config:end -->\nafter\n`,
    );
  });

  test('changes nothing the second time', () => {
    const once = withConfigTable(readme) ?? '';
    expect(withConfigTable(once)).toBe(once);
  });

  test.each([['no markers'], ['<!-- config:end --> <!-- config:start -->'], ['<!-- config:start --> only']])(
    'leaves a README with %j alone',
    (text) => {
      expect(withConfigTable(text)).toBeUndefined();
    },
  );

  test('gives every variable a row', () => {
    const lines = configTable().split('\n');
    expect(lines).toHaveLength(describeConfig().length + 2);
    expect(lines).toContain('| `MAX_CONCURRENCY` | `50` | Calls in flight at most. |');
  });
});
