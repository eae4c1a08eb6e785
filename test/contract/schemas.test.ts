/** The published schemas as they come to a reader who knows nothing of this project. */
import { Ajv2020 } from 'ajv/dist/2020.js';
import { describe, expect, test } from 'vitest';
import { deadLetterJsonSchema } from '../../src/message/dead-letter-record.ts';
import { outcomeJsonSchema } from '../../src/message/outcome.ts';
import { outcomeEventJsonSchema } from '../../src/message/outcome-event.ts';
import { updateFields, updateJsonSchema } from '../../src/message/update.ts';
import { pythonWith, runPython } from '../../testing/contract/python.ts';

interface Schema {
  readonly $id: string;
  readonly [keyword: string]: unknown;
}

const schemas: readonly (readonly [string, Schema])[] = [
  ['update', JSON.parse(updateJsonSchema()) as Schema],
  ['outcome', JSON.parse(outcomeJsonSchema()) as Schema],
  ['outcome-event', JSON.parse(outcomeEventJsonSchema()) as Schema],
  ['dead-letter', JSON.parse(deadLetterJsonSchema()) as Schema],
];

/** Every pattern of a schema, at any depth. */
function patternsOf(schema: unknown): string[] {
  if (typeof schema !== 'object' || schema === null) return [];
  return Object.entries(schema).flatMap(([keyword, value]) =>
    keyword === 'pattern' && typeof value === 'string' ? [value] : patternsOf(value),
  );
}

describe.each(schemas)('the schema %s', (name, schema) => {
  test('has an id that stays, since producers refer to it', () => {
    expect(schema.$id).toBe(`https://ota-updater.invalid/schema/${name}.schema.json`);
  });

  test.each([
    ['as it is by default', {}],
    [
      'at its strictest',
      { strict: true, strictRequired: true, strictTypes: true, strictTuples: true } as const,
    ],
  ])('is taken by Ajv %s', (_, options) => {
    const said: unknown[] = [];
    const log = (...words: unknown[]): void => {
      said.push(words);
    };
    new Ajv2020({ ...options, logger: { log, warn: log, error: log } }).compile(schema);
    expect(said).toEqual([]);
  });

  test('says nothing that languages read in different ways', () => {
    const patterns = patternsOf(schema);
    expect(patterns.length).toBeGreaterThan(3);
    // `\d`, `\w` and `\s` know other scripts in some; so does `format`, where it is checked at all.
    expect(patterns.filter((pattern) => /\\[a-zA-Z]/.test(pattern))).toEqual([]);
    expect(JSON.stringify(schema)).not.toContain('"format"');
  });
});

test('the schema of an update allows its fields and no others', () => {
  const [, schema] = schemas[0] ?? [];
  expect(schema).toMatchObject({ additionalProperties: false, required: ['Identifier'] });
  expect(Object.keys(schema?.properties as object)).toEqual(updateFields);
});

const python = pythonWith('jsonschema');
test.skipIf(python === undefined)('Python takes each schema as one of its draft', async () => {
  const check =
    'import json,sys,jsonschema\nfor s in json.load(sys.stdin): jsonschema.Draft202012Validator.check_schema(s)';
  const run = await runPython(
    python ?? '',
    ['-c', check],
    JSON.stringify(schemas.map(([, schema]) => schema)),
  );
  expect(run).toEqual({ code: 0, stdout: '', stderr: '' });
});
