import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Encoding, readText } from '../../src/input/text.ts';

async function* inChunks(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

async function read(bytes: Uint8Array, size = 7): Promise<{ text: string; encodings: Encoding[] }> {
  const encodings: Encoding[] = [];
  const parts = await Array.fromAsync(
    readText(inChunks(bytes, size), (encoding) => encodings.push(encoding)),
  );
  return { text: parts.join(''), encodings };
}

const utf16be = (text: string): Buffer => Buffer.from(text, 'utf16le').swap16();

describe('readText', () => {
  const text = 'Identifier;Notiz\r\na1;Gerät 7\u00a0\r\n';
  test.each<[string, Uint8Array, Encoding[]]>([
    ['UTF-8', Buffer.from(text), []],
    ['UTF-8 with a byte order mark, as "CSV UTF-8"', Buffer.from(`\uFEFF${text}`), []],
    ['UTF-16 with a byte order mark, as "Unicode Text"', Buffer.from(`\uFEFF${text}`, 'utf16le'), ['UTF-16']],
    ['UTF-16 without one', Buffer.from(text, 'utf16le'), ['UTF-16']],
    ['UTF-16, big-endian', utf16be(`\uFEFF${text}`), ['UTF-16']],
    ['UTF-16, big-endian, without a byte order mark', utf16be(text), ['UTF-16']],
    ['Windows-1252, as "CSV"', Buffer.from(text, 'latin1'), ['Windows-1252']],
  ])('reads %s', async (_what, bytes, encodings) => {
    for (const size of [1, 2, 3, 20, 1_000]) expect(await read(bytes, size)).toEqual({ text, encodings });
  });

  test('reads what Windows-1252 has in the places of controls', async () => {
    expect((await read(Buffer.from([0x61, 0x80, 0x96, 0x62]))).text).toBe('a€–b');
  });

  test('gives the same text however the bytes are cut up', async () => {
    const bytes = fc
      .array(fc.constantFrom(0x61, 0x0a, 0xc3, 0xa9, 0xe2, 0x82, 0xac, 0xf0, 0xff, 0xfe, 0xa0, 0), {
        maxLength: 12,
      })
      .map((all) => Uint8Array.from(all));
    await fc.assert(
      fc.asyncProperty(bytes, fc.integer({ min: 1, max: 9 }), async (given, size) => {
        expect(await read(given, size)).toEqual(await read(given, 1_000));
      }),
    );
  });
});
