/** schema/asyncapi.json: valid by AsyncAPI's own parser, and its examples by its schemas and by the worker. */
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { describe, expect, test } from 'vitest';
import { parseBody } from '../../src/message/parse.ts';

const root = join(import.meta.dirname, '../..');
const text = readFileSync(join(root, 'schema/asyncapi.json'), 'utf8');

interface Example {
  readonly name: string;
  readonly payload: unknown;
  readonly headers?: { readonly DeadLetter?: string };
}

interface AsyncApi {
  readonly channels: Readonly<
    Record<string, { readonly messages: Readonly<Record<string, { readonly $ref: string }>> }>
  >;
  readonly components: {
    readonly messages: Readonly<Record<string, { readonly examples: readonly Example[] }>>;
    readonly schemas: Readonly<Record<string, object>>;
  };
}

const { channels, components } = JSON.parse(text) as AsyncApi;
const ajv = new Ajv2020({ strict: false });
ajv.addSchema({ $id: 'asyncapi', components });

/** Whether a value meets a schema of the document, by a reference into it. */
function meets(reference: string, value: unknown): boolean {
  const validate = ajv.compile({ $ref: `asyncapi${reference}` });
  return validate(value);
}

const examples = Object.entries(components.messages).flatMap(([message, { examples: all }]) =>
  all.map((example) => ({ message, ...example })),
);

describe('the AsyncAPI document', () => {
  test.each(examples)('$message has an example, $name, that meets its schema', ({ message, payload }) => {
    expect(meets(`#/components/messages/${message}/payload`, payload), JSON.stringify(ajv.errors)).toBe(true);
  });

  test('has an example of each message', () => {
    expect(new Set(examples.map(({ message }) => message))).toEqual(
      new Set(Object.keys(components.messages)),
    );
  });

  test('shows on the channel of updates what the worker takes', () => {
    const names = Object.keys(channels.updates?.messages ?? {});
    expect(names).toEqual(['update', 'snsNotification', 'eventBridgeEvent', 'cloudEvent']);
    const sentAt = Date.parse('2026-11-23T07:00:00Z');
    for (const { message, payload } of examples.filter((each) => names.includes(each.message)))
      expect(parseBody(JSON.stringify(payload), sentAt), message).toMatchObject({ ok: true });
  });

  test('shows a record of a dead letter that meets its schema', () => {
    const [letter] = examples.filter(({ message }) => message === 'deadLetter');
    const record: unknown = JSON.parse(letter?.headers?.DeadLetter ?? '');
    expect(meets('#/components/schemas/deadLetterRecord', record)).toBe(true);
  });

  const parser = existsSync(join(root, 'contract/node_modules'));
  if (!parser)
    process.stdout.write('SKIPPED: AsyncAPI’s parser is not installed: npm ci --prefix contract\n');
  test.skipIf(!parser)("is valid, without a hint, by AsyncAPI's own parser", () => {
    const run = spawnSync(process.execPath, [join(root, 'contract/validate.ts')], { encoding: 'utf8' });
    expect({ code: run.status, stdout: run.stdout }).toEqual({
      code: 0,
      stdout: 'AsyncAPI 3.1.0: 3 channels, 3 operations, 7 messages\n',
    });
  });

  test('is checked by packages whose lock file holds no download addresses', () => {
    expect(readFileSync(join(root, 'contract/package-lock.json'), 'utf8')).not.toContain('"resolved"');
  });
});
