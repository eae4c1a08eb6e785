import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type JsonItem, readJsonArray } from '../../src/input/json-array.ts';
import { MAX_LINE_LENGTH } from '../../src/input/lines.ts';

async function* inChunks(text: string, size: number): AsyncGenerator<string> {
  for (let at = 0; at < text.length; at += size) yield text.slice(at, at + size);
}

const items = (text: string, size = 5): Promise<JsonItem[]> =>
  Array.fromAsync(readJsonArray(inChunks(text, size), 'updates.json'));

describe('readJsonArray', () => {
  test('gives each item with the line it begins on', async () => {
    const text = '[\n  {\n    "a": 1\n  },\n  {"b": [2, {"c": "]}\\""}]}\n, 3, "x,y"]\n';
    expect(await items(text)).toEqual([
      { line: 2, raw: '{\n    "a": 1\n  }', cut: false },
      { line: 5, raw: '{"b": [2, {"c": "]}\\""}]}', cut: false },
      { line: 6, raw: '3', cut: false },
      { line: 6, raw: '"x,y"', cut: false },
    ]);
  });

  test('reads objects one after the other, as jq prints them', async () => {
    expect((await items('{\n"a": 1\n}\n{"b": 2}')).map(({ line, raw }) => [line, raw])).toEqual([
      [1, '{\n"a": 1\n}'],
      [4, '{"b": 2}'],
    ]);
  });

  test('finds the values of any array, however it is laid out and cut up', async () => {
    const spaces = fc.constantFrom(undefined, 0, 2, '\t');
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.jsonValue({ maxDepth: 3 })),
        spaces,
        fc.integer({ min: 1, max: 9 }),
        async (values, space, size) => {
          const found = await items(JSON.stringify(values, undefined, space), size);
          expect(found.map(({ raw }) => JSON.parse(raw))).toEqual(JSON.parse(JSON.stringify(values)));
        },
      ),
    );
  });

  test('holds no more of an item than the longest line', async () => {
    const long = `{"a":"${'x'.repeat(MAX_LINE_LENGTH)}"}`;
    const [first, second] = await items(`[${long},{"b":1}]`, 1_000);
    expect(first).toEqual({ line: 1, raw: long.slice(0, MAX_LINE_LENGTH), cut: true });
    expect(second).toEqual({ line: 1, raw: '{"b":1}', cut: false });
  });

  test.each([
    ['[{"a":1},\n{"b":', 'updates.json, line 2: the file ends before its array does: it is cut short.'],
    ['[{"a":1},\n', 'it is cut short.'],
    ['[{"a":1}]\n{"b":2}', 'line 2: the file continues after the end of its array.'],
    [
      '[{"a":"x},\n{"b":2}]',
      'line 1: not JSON: a text that begins with a quote (") does not end on its line.',
    ],
    ['a,b', 'begins with neither [ nor {'],
  ])('refuses %j with the line', async (text, message) => {
    await expect(items(text)).rejects.toThrow(message);
  });
});
