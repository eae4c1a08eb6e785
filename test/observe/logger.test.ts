import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createLogger } from '../../src/observe/logger.ts';
import { anyText } from '../../testing/any-text.ts';

/** What a terminal may obey or hide: the class that is escaped everywhere. */
const hostile = /[\p{C}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]/u;

function logged(fields: object, message = 'x'): string {
  const lines: string[] = [];
  createLogger('trace', { write: (line) => void lines.push(line) }).info(fields, message);
  return lines.join('');
}

describe('a log line', () => {
  test('is one JSON object with time, level, service and process', () => {
    const line = logged({ event: 'tested' }, 'a message');
    expect(line.endsWith('\n')).toBe(true);
    expect(JSON.parse(line)).toMatchObject({
      level: 'info',
      event: 'tested',
      msg: 'a message',
      service: 'ota-updater',
      pid: process.pid,
      time: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
    });
  });

  test.each([
    ...'\0\u0007\b\n\r\u001b\u007f\u0085\u009b\u061c\u200b\u200d\u200e\u200f\u202a\u202e\u2060\u2066\u2069\u2028\u2029\ufeff',
    ...'\u{e0001}\u{e0041}\u{e007f}\u3164\u{e0100}',
  ])('escapes unsafe character %#', (character) => {
    const text = `before${character}after`;
    const line = logged({ text, [text]: 1, nested: [text] }, text);
    expect(line.slice(0, -1)).not.toMatch(hostile);
    expect(JSON.parse(line)).toMatchObject({ text, [text]: 1, nested: [text], msg: text });
  });

  test('is valid JSON of the same value, whatever the text', () => {
    fc.assert(
      fc.property(anyText(), (text) => {
        const line = logged({ text }, text);
        expect(line.slice(0, -1)).not.toMatch(hostile);
        expect(JSON.parse(line)).toMatchObject({ text, msg: text });
      }),
    );
  });

  test('escapes lone surrogates, which are not valid UTF-8', () => {
    const line = logged({ text: 'a\ud800b\udc00' });
    expect(Buffer.from(line).toString()).toBe(line);
    expect(JSON.parse(line)).toMatchObject({ text: 'a\ud800b\udc00' });
  });
});

test('ordinary text of any language stays as it is', () => {
  const text = 'Grüße, 東京, 👍🏽, עברית, العربية';
  expect(logged({ text })).toContain(text);
});

test('a level that is not enabled writes nothing', () => {
  const lines: string[] = [];
  createLogger('silent', { write: (line) => void lines.push(line) }).fatal('x');
  expect(lines).toEqual([]);
});
