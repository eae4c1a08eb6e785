/** Worker, schema and producers say the same of every body, in each language; the package for Node: packages/producer/test. */
import { fileURLToPath } from 'node:url';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { describe, expect, test } from 'vitest';
import { parseBody } from '../../src/message/parse.ts';
import { updateJsonSchema } from '../../src/message/update.ts';
import { allCases } from '../../testing/cases.ts';
import { contractCorpus, corpusNow, corpusTime } from '../../testing/contract/corpus.ts';
import { pythonWith, runPython } from '../../testing/contract/python.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const bodies = contractCorpus(allCases() ? 10_000 : 3_000);
const acceptedAt = (time: number): boolean[] => bodies.map((body) => parseBody(body, time).ok);
const accepted = acceptedAt(corpusTime);

/** The bodies of which a judge says something else than the worker does. */
function disagreements(verdicts: readonly boolean[], by = accepted): string[] {
  return bodies.filter((_, i) => verdicts[i] !== by[i]);
}

describe('bodies near the boundary', () => {
  test('are on both sides of it', () => {
    const valid = accepted.filter(Boolean).length;
    expect(Math.min(valid, bodies.length - valid)).toBeGreaterThan(bodies.length / 5);
  });

  test('are for a good part as late as they may be just then, or a bit later', () => {
    const now = acceptedAt(corpusNow);
    const late = bodies.filter((body, i) => accepted[i] && !now[i] && body.includes('2026-11-23T07:05:00'));
    const justNot = bodies.filter((body, i) => now[i] && body.includes('2026-11-23T07:05:00'));
    expect(Math.min(late.length, justNot.length)).toBeGreaterThan(bodies.length / 100);
    const fine = bodies.filter((body, i) => accepted[i] && /\.0[0-9]{9,}Z/.test(body));
    expect(fine.length).toBeGreaterThan(bodies.length / 100);
  });

  test('are judged by the schema in TypeScript as by the worker', () => {
    const validate = new Ajv2020().compile(JSON.parse(updateJsonSchema()) as object);
    expect(disagreements(bodies.map((body) => validate(JSON.parse(body))))).toEqual([]);
  });

  const python = pythonWith('jsonschema', 'boto3');
  const iso = (time: number): string => new Date(time).toISOString().replace('Z', '+00:00');
  test.skipIf(python === undefined).each([
    ['the schema', corpusTime, 'schema', `${root}/schema/update.schema.json`],
    ["the producer's package", corpusTime, 'producer', iso(corpusTime)],
    ["the producer's package that knows the time", corpusNow, 'producer', iso(corpusNow)],
  ])('are judged by %s in Python as by the worker', async (_, time, judge, how) => {
    const run = await runPython(
      python ?? '',
      [`${root}/testing/contract/judge.py`, judge, how],
      bodies.join('\n'),
      { PYTHONPATH: `${root}/producers/python/src` },
    );
    expect(run).toMatchObject({ code: 0, stderr: '' });
    expect(disagreements(verdictsOf(run.stdout), acceptedAt(time))).toEqual([]);
  });
});

/** One digit a body: 1 is accepted. */
function verdictsOf(stdout: string): boolean[] {
  return [...stdout.trim()].map((digit) => digit === '1');
}
