/** Worker, schema and producers say the same of every body, in each language; the package for Node: packages/producer/test. */
import { fileURLToPath } from 'node:url';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { describe, expect, test } from 'vitest';
import { parseBody } from '../../src/message/parse.ts';
import { updateJsonSchema } from '../../src/message/update.ts';
import { contractCorpus, corpusTime } from '../../testing/contract/corpus.ts';
import { pythonWith, runPython } from '../../testing/contract/python.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const bodies = contractCorpus();
const accepted = bodies.map((body) => parseBody(body, corpusTime).ok);

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

  const python = pythonWith('jsonschema', 'boto3');
  test.skipIf(python === undefined).each([
    ['the schema', 'schema', `${root}/schema/update.schema.json`],
    ["the producer's package", 'producer', new Date(corpusTime).toISOString().replace('Z', '+00:00')],
  ])('are judged by %s in Python as by the worker', async (_, judge, how) => {
    const run = await runPython(
      python ?? '',
      [`${root}/testing/contract/judge.py`, judge, how],
      bodies.join('\n'),
      { PYTHONPATH: `${root}/producers/python/src` },
    );
    expect(run).toMatchObject({ code: 0, stderr: '' });
    expect(disagreements(verdictsOf(run.stdout))).toEqual([]);
  });
});

/** One digit a body: 1 is accepted. */
function verdictsOf(stdout: string): boolean[] {
  return [...stdout.trim()].map((digit) => digit === '1');
}
