/** Worker, schema and producers say the same of every body, in each language. */
import { fileURLToPath } from 'node:url';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { describe, expect, test } from 'vitest';
import { parseBody } from '../../src/message/parse.ts';
import { updateJsonSchema } from '../../src/message/update.ts';
import { contractCorpus } from '../../testing/contract/corpus.ts';
import { pythonWith, runPython } from '../../testing/contract/python.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const bodies = contractCorpus(10_000, 18);
/** Of the last day that there is, so that no `IssuedAt` is too late: that rule no schema can hold. */
const sentAt = Date.parse('9999-12-31T23:59:59Z');
const accepted = bodies.map((body) => parseBody(body, sentAt).ok);

/** The bodies of which a judge says something else than the worker does. */
function disagreements(verdicts: readonly boolean[]): string[] {
  return bodies.filter((_, i) => verdicts[i] !== accepted[i]);
}

describe('10,000 bodies near the boundary', () => {
  test('are on both sides of it', () => {
    const valid = accepted.filter(Boolean).length;
    expect(Math.min(valid, bodies.length - valid)).toBeGreaterThan(2_000);
  });

  test('are judged by the schema in TypeScript as by the worker', () => {
    const validate = new Ajv2020().compile(JSON.parse(updateJsonSchema()) as object);
    expect(disagreements(bodies.map((body) => validate(JSON.parse(body))))).toEqual([]);
  });

  const python = pythonWith('jsonschema');
  test.skipIf(python === undefined)('are judged by the schema in Python as by the worker', async () => {
    const run = await runPython(
      python ?? '',
      ['testing/contract/judge.py', 'schema/update.schema.json'].map((path) => `${root}/${path}`),
      bodies.join('\n'),
    );
    expect(run).toMatchObject({ code: 0, stderr: '' });
    expect(disagreements(verdictsOf(run.stdout))).toEqual([]);
  });
});

/** One digit a body: 1 is accepted. */
function verdictsOf(stdout: string): boolean[] {
  return [...stdout.trim()].map((digit) => digit === '1');
}
