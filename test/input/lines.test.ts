import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Line, MAX_LINE_LENGTH, readLines } from '../../src/input/lines.ts';

async function* inChunks(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

async function linesOf(text: string | Uint8Array, size = 7): Promise<Line[]> {
  return Array.fromAsync(readLines(inChunks(Buffer.from(text as string), size)));
}

const texts = (lines: readonly Line[]): string[] => lines.map((line) => line.text);

describe('readLines', () => {
  test('splits at LF and CRLF, with or without an end on the last line', async () => {
    expect(texts(await linesOf('a\nb\r\n\nc'))).toEqual(['a', 'b', '', 'c']);
    expect(texts(await linesOf('a\nb\n'))).toEqual(['a', 'b']);
  });

  test('numbers lines from 1', async () => {
    expect((await linesOf('a\n\nb')).map((line) => line.number)).toEqual([1, 2, 3]);
  });

  test('drops a byte order mark', async () => {
    expect(texts(await linesOf('\uFEFFIdentifier\na'))).toEqual(['Identifier', 'a']);
  });

  test('cuts a line that is too long and goes on with the next', async () => {
    const [long, short] = await linesOf(`${'x'.repeat(MAX_LINE_LENGTH + 1)}\nshort\n`, 1_000);
    expect(long).toEqual({ number: 1, text: 'x'.repeat(MAX_LINE_LENGTH), cut: true });
    expect(short).toEqual({ number: 2, text: 'short', cut: false });
  });

  test('keeps a line of exactly the greatest length whole', async () => {
    const [line] = await linesOf('x'.repeat(MAX_LINE_LENGTH), 999);
    expect(line?.cut).toBe(false);
  });

  test('gives the same lines however the bytes are cut up', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.string({ unit: 'grapheme' }),
        fc.integer({ min: 1, max: 9 }),
        async (text, size) => {
          const expected = text
            .replace(/^\uFEFF/, '')
            .split('\n')
            .map((line) => line.replace(/\r$/, ''));
          if (expected.at(-1) === '' && !text.endsWith('\r')) expected.pop();
          expect(texts(await linesOf(text, size))).toEqual(expected);
        },
      ),
    );
  });
});
